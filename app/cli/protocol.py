"""`attest mcp`: the library for programs that speak the Model Context Protocol."""

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.asking import in_loop
from app.cli.options import DEFAULT_COLLECTION, EXIT_CODES, Collection, Config, Data, Readers
from core.errors import InputError, SettingsError

if TYPE_CHECKING:
    from app.cli.backend import Backend

KEY_VARIABLE = "ATTEST_API_KEY"


def add_commands(root: typer.Typer) -> None:
    """Adds the commands of this file."""
    root.command("mcp", epilog=EXIT_CODES)(mcp)


def mcp(
    url: Annotated[
        str, typer.Option("--url", help=f"An API elsewhere, with the key in {KEY_VARIABLE}.", metavar="URL")
    ] = "",
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Offer search, ask and read_document as an MCP server over stdin and stdout."""
    if find_spec("mcp") is None:
        raise SettingsError("the package mcp is not installed", remedy="run: pip install 'attest[mcp]'")
    from app.cli.mcp_server import DocumentServer, Place, serve_pipes

    place = Place(collection, tuple(reader) if reader else None)
    backend = _backend_at(url) if url else _backend_here(data, config)
    in_loop(backend, lambda backend: serve_pipes(DocumentServer(backend, place).build()))


def _backend_here(data, config) -> "Backend":
    from app.cli.backend import open_backend

    return open_backend(data, config)


def _backend_at(url: str) -> "Backend":
    """As the user whose key it is; without one as whoever the API takes callers without a key for."""
    from app.cli.http_backend import HttpBackend

    if not url.startswith(("http://", "https://")):
        raise InputError(f"{url[:80]!r} is no address of an API", remedy="write http://HOST:8765")
    return HttpBackend(url.rstrip("/"), os.environ.get(KEY_VARIABLE, ""))
