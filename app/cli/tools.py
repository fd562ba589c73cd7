"""`attest tools` and `attest approvals`."""

from typing import Annotated

import typer

from app.cli.asking import in_loop, show_turn
from app.cli.frame import opened_backend
from app.cli.options import DEFAULT_COLLECTION, EXIT_CODES, Collection, Config, Data, Json, Readers
from app.cli.output import Output

ApprovalId = Annotated[str, typer.Argument(help="As `attest approvals list` shows it.", metavar="ID")]


def add_commands(root: typer.Typer) -> None:
    """Adds the groups of commands of this file."""
    tools = typer.Typer(
        help="Tools by name, and the log of their calls.", no_args_is_help=True, epilog=EXIT_CODES
    )
    tools.command("list", epilog=EXIT_CODES)(list_tools)
    tools.command("call", epilog=EXIT_CODES)(call)
    tools.command("log", epilog=EXIT_CODES)(log)
    root.add_typer(tools, name="tools")
    approvals = typer.Typer(help="What waits for your word.", no_args_is_help=True, epilog=EXIT_CODES)
    approvals.command("list", epilog=EXIT_CODES)(list_approvals)
    approvals.command("approve", epilog=EXIT_CODES)(approve)
    approvals.command("edit", epilog=EXIT_CODES)(edit)
    approvals.command("reject", epilog=EXIT_CODES)(reject)
    approvals.command("resume", epilog=EXIT_CODES)(resume)
    root.add_typer(approvals, name="approvals")


def list_tools(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """List the tools with their arguments."""
    with opened_backend(data, config) as backend:
        Output(as_json).give(backend.tools(), _show_tools)


def call(
    name: Annotated[str, typer.Argument(help="As `attest tools list` shows it.")],
    arguments: Annotated[
        str,
        typer.Argument(help="A JSON object, or the bare text of the first argument.", metavar="[ARGUMENTS]"),
    ] = "",
    key: Annotated[str, typer.Option("--key", help="With it an effect is had once.")] = "",
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Call a tool."""
    from app.cli.backend import ToolWish

    with opened_backend(data, config) as backend:
        found = backend.call_tool(ToolWish(name, arguments, collection, reader or None, key))
    Output(as_json).give(found, lambda out, found: out.line(found["text"] or "(nothing)"))


def log(
    limit: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many calls.")] = 20,
    owner: Annotated[str, typer.Option("--owner", help="Of this user only.")] = "",
    tool: Annotated[str, typer.Option("--tool", help="Of this tool only.")] = "",
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show who called which tool, the latest first."""
    with opened_backend(data, config) as backend:
        Output(as_json).give(backend.tool_calls(limit, owner, tool), _show_calls)


def list_approvals(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """List the calls that wait for your approval."""
    with opened_backend(data, config) as backend:
        Output(as_json).give(backend.approvals(), _show_approvals)


def approve(approval_id: ApprovalId, data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Have a call made as proposed, and the conversation go on."""
    _decide(approval_id, "approve", "", data, config, as_json)


def edit(
    approval_id: ApprovalId,
    arguments: Annotated[str, typer.Argument(help="The arguments instead, as a JSON object.")],
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Have a call made with other arguments."""
    _decide(approval_id, "edit", arguments, data, config, as_json)


def reject(approval_id: ApprovalId, data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Have a call left out, and the conversation go on without it."""
    _decide(approval_id, "reject", "", data, config, as_json)


def resume(
    session: Annotated[str, typer.Argument(help="The session whose turn was broken off.")],
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Go on with a turn that was broken off, from its last step."""
    from app.cli.backend import open_backend

    out = Output(as_json)
    answer = in_loop(open_backend(data, config), lambda backend: show_turn(backend.resume(session), out))
    if as_json:
        out.result(answer)


def _decide(approval_id: str, decision: str, arguments: str, data, config, as_json: bool) -> None:
    from app.cli.backend import open_backend, read_object

    out = Output(as_json)
    given = read_object(arguments) if arguments else None
    answer = in_loop(
        open_backend(data, config),
        lambda backend: show_turn(backend.decide(approval_id, decision, given), out),
    )
    if as_json:
        out.result(answer)


def _show_tools(out: Output, found: dict) -> None:
    for tool in found["tools"]:
        names = ", ".join(tool["arguments"].get("properties", ["…"]))
        changes = "  (changes something)" if tool["effects"] else ""
        out.line(f"{tool['name']}({names}){changes}", hang="  ")
        out.line(tool["description"]["en"], indent="  ")


def _show_calls(out: Output, found: dict) -> None:
    import json

    for row in found["calls"]:
        ended = f"{row['outcome']} {row['code']}".strip()
        out.line(f"{row['called'][:19]}  {row['owner']}  {row['tool']}  {ended}  {row['ms']:g} ms", hang="  ")
        out.line(json.dumps(row["arguments"], ensure_ascii=False), indent="  ")
    if not found["calls"]:
        out.line("No call is logged.")


def _show_approvals(out: Output, found: dict) -> None:
    import json

    for row in found["approvals"]:
        written = json.dumps(row["arguments"], ensure_ascii=False)
        out.line(f"{row['id']}  {row['tool']} {written}", hang="  ")
        out.line(f"proposed {row['proposed'][:19]} UTC, in session {row['session_id']}", indent="  ")
    if not found["approvals"]:
        out.line("Nothing waits for your approval.")
