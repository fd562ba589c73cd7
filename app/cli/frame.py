"""The frame of a command: where its work is done is opened, and closed however the command ends.

Knows the backend; knows nothing of what a command does with it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.cli.backend import Backend


@contextmanager
def opened_backend(
    data: Path | None, config: Path | None, ingest: Mapping[str, Any] | None = None
) -> Iterator["Backend"]:
    """As `open_backend`, whose errors it raises. What is heavy is imported when it is entered."""
    from app.cli.backend import open_backend

    backend = open_backend(data, config, ingest)
    try:
        yield backend
    finally:
        backend.close()
