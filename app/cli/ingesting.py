"""`attest ingest`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli.frame import opened_backend
from app.cli.options import DEFAULT_COLLECTION, Collection, Config, Data, Json
from app.cli.output import Output

WATCH_EVERY_S = 2.0
INGEST_CODES = (
    "Exit codes: 0 all files are in; 1 some failed; 2 none is in or wrong use; 3 a needed service is missing."
)


class Engine(StrEnum):
    """What reads files and embeds chunks."""

    LOCAL = "local"
    RAY = "ray"


Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Files read at once [default: ingest.workers].")
]
EngineName = Annotated[
    Engine | None, typer.Option("--engine", help="Where files are read [default: ingest.engine].")
]


def add_commands(root: typer.Typer) -> None:
    """Adds the command of this file."""
    root.command("ingest", epilog=INGEST_CODES)(ingest)


def ingest(
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders, and http(s) addresses of pages, files or sitemaps.")
    ],
    collection: Collection = DEFAULT_COLLECTION,
    reader: Annotated[
        list[str] | None, typer.Option("--reader", help="Who may read them (repeatable) [default: everyone].")
    ] = None,
    meta: Annotated[
        list[str] | None, typer.Option("--meta", help="A note on them, k=v (repeatable).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed files again.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove what has vanished from these folders.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and follow every change until Ctrl-C.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Index again what has not changed.")] = False,
    workers: Workers = None,
    engine: EngineName = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Add files and folders. What is in already and has not changed is skipped."""
    from app.cli.backend import IngestJob
    from app.cli.progress import IngestProgress

    out = Output(as_json)
    job = IngestJob(
        tuple(Path(path).absolute() for path in paths if not _is_address(path)),
        collection,
        tuple(reader or ("everyone",)),
        read_pairs(meta or []),
        dry_run,
        retry_failed,
        force,
        tuple(path for path in paths if _is_address(path)),
        prune,
    )
    with opened_backend(data, config, _given(workers, engine)) as backend:
        if watch:
            _watch(backend, job, out)
            raise typer.Exit(0)
        with IngestProgress() as progress:
            report = backend.ingest(job, progress)
    exit_code = report.pop("exit_code")
    if dry_run and not as_json:
        out.line("Nothing was changed. Without --dry-run it would be:")
    out.give(report, show_report)
    raise typer.Exit(exit_code)


def _given(workers: int | None, engine: Engine | None) -> dict[str, int | str]:
    """The settings of this one call."""
    given = {"workers": workers, "engine": engine and engine.value}
    return {name: value for name, value in given.items() if value}


def _is_address(source: str) -> bool:
    """Whether a web address is meant; one of another scheme is refused by name later."""
    return "://" in source[:20]


def _watch(backend, job, out: Output) -> None:
    """Ingests whenever something has changed; an error is told and tried again."""
    import contextlib
    import threading

    from app.cli.output import show_error
    from ingest.watching import watch

    def ingest() -> None:
        report = backend.ingest(job, lambda _: None)
        report.pop("exit_code")
        if out.as_json:
            out.result(report)
        else:
            show_report(out, report)

    out.note("watching; Ctrl-C ends it")
    with contextlib.suppress(KeyboardInterrupt):
        watch(job.paths, ingest, lambda error: show_error(error, False), threading.Event(), WATCH_EVERY_S)


def read_pairs(given: list[str]) -> dict[str, str]:
    """The notes of `--meta k=v`. Raises InputError for one of another form."""
    from core.errors import InputError

    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise InputError(f"--meta {text!r} is not of the form k=v", remedy="write --meta author=Li")
        pairs[name] = value
    return pairs


def show_report(out: Output, report: dict) -> None:
    counts = ", ".join(f"{report[name]} {name}" for name in ("added", "updated", "skipped", "failed"))
    counts += "".join(f", {report[name]} {name}" for name in ("moved", "removed") if report.get(name))
    out.line(f"{counts}; {report['chunks']} chunks, {report['pages']} pages in {report['seconds']:.1f} s")
    for failure in report["failures"]:
        out.line(f"{failure['uri']}: {failure['reason']} ({failure['code']})", indent="  ")
    for warning in report.get("warnings", ()):
        out.line(f"{warning['uri']}: {warning['words']} ({warning['code']})", indent="  ")
