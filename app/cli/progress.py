"""How far an ingest is, on stderr: a bar in a terminal, now and then a line elsewhere.

Knows the JSON of `/v1/jobs`; knows nothing of where the work is done.
"""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE_EVERY_S = 10.0


class IngestProgress:
    """A context manager; call it with the job as it is now."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._told = time.monotonic()

    def __enter__(self) -> "IngestProgress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, job: dict) -> None:
        """Shows it."""
        if self._is_terminal:
            self._show(job)
        elif time.monotonic() - self._told >= LINE_EVERY_S:
            self._told = time.monotonic()
            left = job["seconds_left"]
            rest = "" if left is None else f", about {left:.0f} s left"
            typer.echo(f"{job['done']}/{job['total']} files, {_rates(job)}{rest}", err=True)

    def _show(self, job: dict) -> None:
        if self._bar is None:
            self._bar, self._task = _open_bar()
        self._bar.update(self._task, completed=job["done"], total=job["total"] or None, rates=_rates(job))


def _open_bar() -> "tuple[Progress, TaskID]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(24), MofNCompleteColumn(), TextColumn("{task.fields[rates]}"), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    return bar, bar.add_task("ingest", total=None, rates="")


def _rates(job: dict) -> str:
    pages = f", {job['pages_per_second']:.1f} pages/s" if job["pages"] else ""
    failed = job["counts"].get("failed", 0)
    return f"{job['chunks_per_second']:.1f} chunks/s{pages}" + (f", {failed} failed" if failed else "")
