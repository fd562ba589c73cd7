"""`attest verify`."""

from typing import Annotated

import typer

from app.cli.frame import opened_backend
from app.cli.options import Config, Data, Json
from app.cli.output import Output

VERIFY_CODES = (
    "Exit codes: 0 nothing is amiss, or all of it was mended; 1 something is amiss; "
    "2 wrong use; 3 a needed service is missing."
)
FAULTS_SHOWN = 20


def add_commands(root: typer.Typer) -> None:
    """Adds the command of this file."""
    root.command("verify", epilog=VERIFY_CODES)(verify)


def verify(
    repair: Annotated[bool, typer.Option("--repair", help="Mend it from the stored files.")] = False,
    collection: Annotated[str, typer.Option("--collection", help="Only this one [default: all].")] = "",
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Compare the ledger, the stored files and the index, and say what is amiss."""
    out = Output(as_json)
    with opened_backend(data, config) as backend:
        out.status("… comparing")
        try:
            found = backend.verify(collection, repair)
        finally:
            out.clear_status()
    out.give(found, _show)
    raise typer.Exit(0 if found["sound"] else 1)


def _show(out: Output, found: dict) -> None:
    out.line(
        f"{found['documents']} documents, {found['chunks']} chunks and {found['originals']} stored files "
        "were compared"
    )
    for fault in found["faults"][:FAULTS_SHOWN]:
        name = fault["uri"] or fault["document_id"][:16]
        mended = "mended: " if fault["repaired"] else ""
        out.line(f"{mended}{fault['kind']} in {fault['part']}: {name} ({fault['detail']})", indent="  ")
    if len(found["faults"]) > FAULTS_SHOWN:
        out.line(f"… and {len(found['faults']) - FAULTS_SHOWN} more: --json lists all", indent="  ")
    if not found["faults"]:
        out.line("Nothing is amiss.")
    elif not found["sound"]:
        out.line("To mend what can be: attest verify --repair")
