"""Waits for folders to change, and says when they have come to rest.

By looking at sizes and times at intervals: that also works over network shares, where no
notice of a change arrives, and one look at ten thousand files takes well under a second.
Knows the file system; what is done about a change is not its business.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from core.errors import AttestError

Snapshot = dict[str, tuple[int, int]]


def take_snapshot(sources: Sequence[Path]) -> Snapshot:
    """Size and time of modification (ns) of each file below the sources; hidden ones are
    passed over, and so is what vanishes meanwhile."""
    found: Snapshot = {}
    for source in sources:
        for path in [source] if source.is_file() else _files(source):
            try:
                status = path.stat()
            except OSError:
                continue
            found[str(path)] = (status.st_size, status.st_mtime_ns)
    return found


def watch(
    sources: Sequence[Path],
    on_change: Callable[[], None],
    on_error: Callable[[AttestError], None],
    stop: Event,
    every_s: float,
) -> None:
    """Calls `on_change` at the start, and whenever something has changed and then stayed the
    same for `every_s` seconds, until `stop` is set. A call that fails is made again at the
    next look; `on_error` is told why."""
    handled: Snapshot | None = None
    before = take_snapshot(sources)
    while not stop.is_set():
        now = take_snapshot(sources)
        if now != handled and now == before:
            try:
                on_change()
                handled = now
            except AttestError as exc:
                on_error(exc)
        before = now
        stop.wait(every_s)


def _files(folder: Path):
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names if not name.startswith("."))
