"""`attest rebuild`."""

from typing import Annotated

import typer

from app.cli.ingesting import INGEST_CODES
from app.cli.options import DEFAULT_COLLECTION, Collection, Config, Data, Json
from app.cli.output import Output


def add_commands(root: typer.Typer) -> None:
    """Adds the command of this file."""
    root.command("rebuild", epilog=INGEST_CODES)(rebuild)


def rebuild(
    embed_only: Annotated[
        bool, typer.Option("--embed-only", help="New vectors by the embedder of the settings.")
    ] = False,
    rechunk: Annotated[
        bool, typer.Option("--rechunk", help="Read, cut and embed the stored files again.")
    ] = False,
    collection: Collection = DEFAULT_COLLECTION,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make an index anew. The old one is searched until the new one is whole."""
    from app.cli.backend import read_settings
    from app.rebuilding import Rebuilding
    from app.services import Services
    from core.errors import InputError

    if embed_only == rechunk:
        raise InputError("what shall be made anew?", remedy="give either --embed-only or --rechunk")
    settings = read_settings(data, config)
    _check_nobody_serves(settings)
    out, services = Output(as_json), Services(settings)
    try:
        work = Rebuilding(services)
        report = _embed(work, collection, out) if embed_only else _chunk(work, collection, out)
    finally:
        out.clear_status()
        services.close()
    exit_code = report.pop("exit_code", 0)
    if as_json:
        out.result(report)
    raise typer.Exit(exit_code)


def _check_nobody_serves(settings) -> None:
    """A running API holds the embedder that it was started with, so it cannot do this."""
    from app.server_record import find_server
    from core.errors import ConflictError
    from core.paths import DataPaths

    record_path = DataPaths(settings.data).server_record
    if record_path.exists() and (record := find_server(record_path)):
        raise ConflictError(
            f"attest serve is running on {settings.data} ({record.url})",
            remedy="stop it, run this again, and start it with the new settings",
        )


def _embed(work, collection: str, out: Output) -> dict:
    report = work.embed_again(collection, lambda done, total: out.status(f"… {done} of {total} chunks"))
    out.clear_status()
    if not out.as_json:
        out.line(f"{report['chunks']} chunks embedded again in {report['seconds']:.1f} s")
        out.line(f"{report['former_embedder']} → {report['embedder']}", indent="  ")
    return report


def _chunk(work, collection: str, out: Output) -> dict:
    from app.cli.ingesting import show_report
    from app.rendering import render_progress

    report = work.chunk_again(collection, lambda step: out.status(render_progress(step)))
    out.clear_status()
    if not out.as_json:
        show_report(out, report)
    return report
