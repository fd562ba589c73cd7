"""`attest memory`: what is remembered of who asks here."""

from typing import Annotated

import typer

from app.cli.options import EXIT_CODES, Config, Data, Json
from app.cli.output import Output

FactId = Annotated[str, typer.Argument(help="As `attest memory list` shows it.", metavar="ID")]


def add_commands(root: typer.Typer) -> None:
    """Adds the group of commands of this file."""
    memory = typer.Typer(help="What is remembered of you.", no_args_is_help=True, epilog=EXIT_CODES)
    memory.command("list", epilog=EXIT_CODES)(list_facts)
    memory.command("show", epilog=EXIT_CODES)(show)
    memory.command("edit", epilog=EXIT_CODES)(edit)
    memory.command("delete", epilog=EXIT_CODES)(delete)
    memory.command("switch", epilog=EXIT_CODES)(switch)
    root.add_typer(memory, name="memory")


def list_facts(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """List what is remembered, the latest said first."""
    out = Output(as_json)
    found = _with_backend(data, config, lambda backend: backend.memory())
    if as_json:
        out.result(found)
        return
    for fact in found["facts"]:
        out.line(f"{fact['id']}  {fact['key']}: {fact['value']}", hang="  ")
    if not found["facts"]:
        out.line("Nothing is remembered. Say in a question: remember that …")
    if not found["enabled"]:
        out.line("Memory is off: none of it is used. Turn it on with: attest memory switch on")


def show(fact_id: FactId, data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Show one memory: where it was said, and until when it holds."""
    out = Output(as_json)
    _show(out, _with_backend(data, config, lambda backend: backend.memory_fact(fact_id)))


def edit(
    fact_id: FactId,
    value: Annotated[str | None, typer.Option("--value", help="What to remember instead.")] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", help="The last day, 2026-12-31; empty: no end.")
    ] = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Change a memory."""
    out = Output(as_json)
    _show(out, _with_backend(data, config, lambda backend: backend.edit_memory(fact_id, value, expires)))


def delete(
    fact_id: Annotated[str, typer.Argument(help="As `attest memory list` shows it.", metavar="[ID]")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Forget all of it.")] = False,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Forget a memory, or all with --all."""
    from core.errors import InputError

    out = Output(as_json)
    if bool(fact_id) is everything:
        raise InputError("name one memory, or --all", remedy="see: attest memory list")
    gone = _with_backend(data, config, lambda backend: backend.delete_memory(fact_id))
    if as_json:
        out.result(gone)
    else:
        out.line(f"deleted {gone['deleted']}")


def switch(
    to: Annotated[str, typer.Argument(help="on or off.", metavar="on|off")],
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Turn memory on or off. What is remembered stays, unused."""
    from core.errors import InputError

    out = Output(as_json)
    if to not in ("on", "off"):
        raise InputError(f"memory is on or off, not {to!r}", remedy="run: attest memory switch off")
    state = _with_backend(data, config, lambda backend: backend.switch_memory(to == "on"))
    if as_json:
        out.result(state)
    else:
        out.line(f"memory is {'on' if state['enabled'] else 'off'}")


def _with_backend(data, config, work) -> dict:
    from app.cli.backend import open_backend

    backend = open_backend(data, config)
    try:
        return work(backend)
    finally:
        backend.close()


def _show(out: Output, fact: dict) -> None:
    if out.as_json:
        out.result(fact)
        return
    out.line(f"{fact['id']}  {fact['key']}: {fact['value']}", hang="  ")
    where = f", in session {fact['session_id']}" if fact["session_id"] else ""
    out.line(f"said {fact['said'][:19]} UTC{where}", indent="  ")
    out.line(f"holds until {fact['expires'][:19]} UTC" if fact["expires"] else "without an end", indent="  ")
