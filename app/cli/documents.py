"""`attest documents` and `attest collections`."""

from typing import Annotated

import typer

from app.cli.options import DEFAULT_COLLECTION, EXIT_CODES, Collection, Config, Data, Json, Readers
from app.cli.output import Output

Reference = Annotated[str, typer.Argument(help="Document id, or its uri (path, upload:name).")]


def add_commands(root: typer.Typer) -> None:
    """Adds the two groups of commands of this file."""
    documents = typer.Typer(help="List, show and delete documents.", no_args_is_help=True, epilog=EXIT_CODES)
    documents.command("list", epilog=EXIT_CODES)(list_documents)
    documents.command("show", epilog=EXIT_CODES)(show_document)
    documents.command("delete", epilog=EXIT_CODES)(delete_document)
    documents.command("failed", epilog=EXIT_CODES)(list_failed)
    root.add_typer(documents, name="documents")
    collections = typer.Typer(help="Sets of documents.", no_args_is_help=True, epilog=EXIT_CODES)
    collections.command("list", epilog=EXIT_CODES)(list_collections)
    collections.command("create", epilog=EXIT_CODES)(create_collection)
    collections.command("delete", epilog=EXIT_CODES)(delete_collection)
    root.add_typer(collections, name="collections")


def list_documents(
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List documents; with --reader, those that these readers may read."""
    out = Output(as_json)
    found = _call(data, config, "documents", collection, reader or None)
    if as_json:
        out.result(found)
        return
    for row in found["documents"]:
        out.line(f"{row['document_id'][:16]}  {row['title']}")
        readers = ", ".join(row["readers"])
        out.line(f"{row['uri']}; {row['status']}, {row['chunks']} chunks, for {readers}", indent="    ")
    if not found["documents"]:
        out.line("No documents. Add some: attest ingest PATH")


def show_document(
    reference: Reference,
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of a document."""
    out = Output(as_json)
    found = _call(data, config, "document", collection, reference, reader or None)
    if as_json:
        out.result(found)
        return
    for name, value in found.items():
        out.line(f"{name}: {value}")


def delete_document(
    reference: Reference,
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Delete a document with its passages."""
    out = Output(as_json)
    gone = _call(data, config, "delete_document", collection, reference, reader or None)
    if as_json:
        out.result(gone)
    else:
        out.line(f"deleted {gone['deleted']}")


def list_failed(
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List files that could not be ingested, with the reason."""
    out = Output(as_json)
    found = _call(data, config, "failures", collection, reader or None)
    if as_json:
        out.result(found)
        return
    for row in found["failures"]:
        out.line(f"{row['uri']}: {row['reason']} ({row['code']})")
    if not found["failures"]:
        out.line("No failures.")


def list_collections(
    reader: Readers = None, data: Data = None, config: Config = None, as_json: Json = False
) -> None:
    """List collections with their counts."""
    out = Output(as_json)
    found = _call(data, config, "collections", reader or None)
    if as_json:
        out.result(found)
        return
    for row in found["collections"]:
        out.line(f"{row['name']}: {row['documents']} documents, {row['chunks']} chunks")
    if not found["collections"]:
        out.line("No collections. The first one comes with: attest ingest PATH")


def create_collection(
    name: Annotated[str, typer.Argument(help="Its name.")],
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Create an empty collection."""
    out = Output(as_json)
    made = _call(data, config, "create_collection", name)
    if as_json:
        out.result(made)
    else:
        out.line(f"created {made['name']}")


def delete_collection(
    name: Annotated[str, typer.Argument(help="Its name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Delete a collection with all its documents."""
    out = Output(as_json)
    if not (yes or as_json):
        typer.confirm(f"Delete the collection {name!r} and all its documents?", abort=True, err=True)
    gone = _call(data, config, "drop_collection", name)
    if as_json:
        out.result(gone)
    else:
        out.line(f"deleted {gone['deleted']}")


def _call(data, config, method: str, *arguments) -> dict:
    from app.cli.backend import open_backend

    backend = open_backend(data, config)
    try:
        return getattr(backend, method)(*arguments)
    finally:
        backend.close()
