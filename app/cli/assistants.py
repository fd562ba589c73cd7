"""`attest assistants`: saved profiles; `attest instructions`: what who asks here wants of all answers."""

from typing import Annotated, Any

import typer

from app.cli.frame import opened_backend
from app.cli.options import EXIT_CODES, Config, Data, Json
from app.cli.output import Output

Reference = Annotated[str, typer.Argument(help="Its name, or its id.", metavar="NAME|ID")]
Instructions = Annotated[
    str | None, typer.Option("--instructions", help="How answers shall be: tone, length, language, format.")
]
Collections = Annotated[
    list[str] | None,
    typer.Option(
        "--collection", help="It may be asked about this one; the first is the default (repeatable)."
    ),
]
Tools = Annotated[
    list[str] | None, typer.Option("--tool", help="A tool that it may use (repeatable); '': none.")
]
Memory = Annotated[
    str | None, typer.Option("--memory", help="What its sessions recall by: as window+vector.")
]
Effort = Annotated[
    str | None, typer.Option("--effort", help="quick, standard or deep, where none is asked for.")
]
Policy = Annotated[
    str | None, typer.Option("--policy", help="strict, balanced or open: its answers are no looser.")
]
Language = Annotated[str | None, typer.Option("--language", help="zh or en, whatever the question is in.")]
SharedWith = Annotated[
    list[str] | None,
    typer.Option("--reader", help="Share it with this user or group, or everyone (repeatable)."),
]
Role = Annotated[str | None, typer.Option("--role", help="… whose role is at least reader, editor or admin.")]


def add_commands(root: typer.Typer) -> None:
    """Adds the groups of commands of this file."""
    assistants = typer.Typer(
        help="Saved profiles of how questions are answered.", no_args_is_help=True, epilog=EXIT_CODES
    )
    assistants.command("list", epilog=EXIT_CODES)(list_assistants)
    assistants.command("show", epilog=EXIT_CODES)(show)
    assistants.command("create", epilog=EXIT_CODES)(create)
    assistants.command("edit", epilog=EXIT_CODES)(edit)
    assistants.command("delete", epilog=EXIT_CODES)(delete)
    root.add_typer(assistants, name="assistants")
    instructions = typer.Typer(help="What you want of all answers.", no_args_is_help=True, epilog=EXIT_CODES)
    instructions.command("show", epilog=EXIT_CODES)(show_instructions)
    instructions.command("set", epilog=EXIT_CODES)(set_instructions)
    root.add_typer(instructions, name="instructions")


def list_assistants(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """List your assistants and those shared with you."""
    out = Output(as_json)
    with opened_backend(data, config) as backend:
        found = backend.assistants()
    out.give(found, _show_list)


def show(reference: Reference, data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Show an assistant."""
    out = Output(as_json)
    with opened_backend(data, config) as backend:
        found = backend.assistant(reference)
    out.give(found, _show)


def create(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    instructions: Instructions = None,
    collection: Collections = None,
    tool: Tools = None,
    memory: Memory = None,
    effort: Effort = None,
    policy: Policy = None,
    language: Language = None,
    reader: SharedWith = None,
    role: Role = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make an assistant. What is not given is left to whoever asks, and to the settings."""
    out = Output(as_json)
    words = {"name": name, "instructions": instructions, "memory": memory, "effort": effort, "policy": policy}
    given = _given(words | {"language": language, "role": role}, collection, tool, reader)
    with opened_backend(data, config) as backend:
        made = backend.create_assistant(given)
    out.give(made, _show)


def edit(
    reference: Reference,
    name: Annotated[str | None, typer.Option("--name", help="What it is called from now on.")] = None,
    instructions: Instructions = None,
    collection: Collections = None,
    tool: Tools = None,
    all_tools: Annotated[bool, typer.Option("--all-tools", help="It may use all that its user may.")] = False,
    memory: Memory = None,
    effort: Effort = None,
    policy: Policy = None,
    language: Language = None,
    reader: SharedWith = None,
    role: Role = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Change an assistant of yours: the fields given. '' empties one."""
    out = Output(as_json)
    words = {"name": name, "instructions": instructions, "memory": memory, "effort": effort, "policy": policy}
    given = _given(words | {"language": language, "role": role}, collection, tool, reader)
    with opened_backend(data, config) as backend:
        changed = backend.edit_assistant(reference, given | ({"tools": None} if all_tools else {}))
    out.give(changed, _show)


def delete(reference: Reference, data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Delete an assistant."""
    out = Output(as_json)
    with opened_backend(data, config) as backend:
        deleted = backend.delete_assistant(reference)
    out.give(deleted, lambda out, gone: out.line(f"deleted {gone['deleted']}"))


def show_instructions(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Show what you want of all answers."""
    out = Output(as_json)
    with opened_backend(data, config) as backend:
        found = backend.instructions()
    out.give(found, _show_instructions)


def set_instructions(
    text: Annotated[str, typer.Argument(help="Tone, length, language, format; '' for none.")],
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Say how answers to you shall be. They never change what counts as evidence."""
    out = Output(as_json)
    with opened_backend(data, config) as backend:
        kept = backend.instruct(text)
    out.give(kept, _show_instructions)


def _given(
    words: dict[str, str | None],
    collections: list[str] | None,
    tools: list[str] | None,
    readers: list[str] | None,
) -> dict[str, Any]:
    """The fields that were typed; in a list an empty name stands for none at all."""
    lists = {"collections": collections, "tools": tools, "readers": readers}
    given: dict[str, Any] = {name: value for name, value in words.items() if value is not None}
    return given | {name: [v for v in values if v] for name, values in lists.items() if values}


def _show_list(out: Output, found: dict) -> None:
    for one in found["assistants"]:
        whose = "" if one["mine"] else f"  (of {one['owner']})"
        out.line(f"{one['id']}  {one['name']}{whose}", hang="  ")
    if not found["assistants"]:
        out.line("No assistants. Make one with: attest assistants create NAME")


def _show(out: Output, one: dict) -> None:
    out.line(f"{one['id']}  {one['name']}", hang="  ")
    if one["instructions"]:
        out.line(one["instructions"], indent="  ")
    tools = "all that you may use" if one["tools"] is None else ", ".join(one["tools"]) or "none"
    shown = {
        "collections": ", ".join(one["collections"]), "tools": tools, "memory": one["memory"],
        "effort": one["effort"], "policy": one["policy"], "language": one["language"],
        "shared with": ", ".join(one["readers"]), "from the role": one["role"], "owner": one["owner"],
    }  # fmt: skip
    for name, value in shown.items():
        if value:
            out.line(f"{name}: {value}", indent="  ", hang="  ")


def _show_instructions(out: Output, found: dict) -> None:
    out.line(found["instructions"] or "No instructions. Give some with: attest instructions set TEXT")
