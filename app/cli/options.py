"""The flags that many commands share, and the exit codes that all of them have."""

from pathlib import Path
from typing import Annotated

import typer

EXIT_CODES = "Exit codes: 0 done; 1 part failed; 2 nothing done or wrong use; 3 a needed service is missing."

Collection = Annotated[str, typer.Option("--collection", help="The set of documents.")]
Readers = Annotated[
    list[str] | None, typer.Option("--reader", help="Act as this user or group (repeatable).")
]
Data = Annotated[Path | None, typer.Option("--data", help="Data directory [default: ./data].")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file [default: ./attest.toml].")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]

DEFAULT_COLLECTION = "default"
