"""`attest documents` and `attest collections`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.frame import opened_backend
from app.cli.ingesting import read_pairs
from app.cli.options import DEFAULT_COLLECTION, EXIT_CODES, Collection, Config, Data, Json, Readers
from app.cli.output import Output

Reference = Annotated[str, typer.Argument(help="Document id, or its uri (path, upload:name).")]
Place = tuple[Path | None, Path | None, bool]
"""The flags --data, --config and --json of a command."""


def add_commands(root: typer.Typer) -> None:
    """Adds the two groups of commands of this file."""
    help_text = "List, show, change and delete documents."
    documents = typer.Typer(help=help_text, no_args_is_help=True, epilog=EXIT_CODES)
    documents.command("list", epilog=EXIT_CODES)(list_documents)
    documents.command("show", epilog=EXIT_CODES)(show_document)
    documents.command("edit", epilog=EXIT_CODES)(edit_document)
    documents.command("delete", epilog=EXIT_CODES)(delete_document)
    documents.command("failed", epilog=EXIT_CODES)(list_failed)
    documents.command("duplicates", epilog=EXIT_CODES)(list_duplicates)
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
    _run((data, config, as_json), _show_documents, "documents", collection, reader or None)


def show_document(
    reference: Reference,
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of a document."""
    _run((data, config, as_json), _show_fields, "document", collection, reference, reader or None)


def edit_document(
    reference: Reference,
    title: Annotated[
        str | None, typer.Option("--title", help="Another title; empty: the file's own.")
    ] = None,
    share: Annotated[
        list[str] | None,
        typer.Option("--share", help="Who may read it from now on, user or group (repeatable)."),
    ] = None,
    meta: Annotated[
        list[str] | None, typer.Option("--meta", help="A note on it, k=v; k= removes it (repeatable).")
    ] = None,
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Change the title, the readers or the notes of a document."""
    given: dict[str, Any] = {} if title is None else {"title": title or None}
    given |= {"readers": share} if share else {}
    given |= {"meta": {name: words or None for name, words in read_pairs(meta).items()}} if meta else {}
    place = (collection, reference, given, reader or None)
    _run((data, config, as_json), _show_fields, "edit_document", *place)


def delete_document(
    reference: Reference,
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Delete a document with its passages."""
    _run((data, config, as_json), _show_deleted, "delete_document", collection, reference, reader or None)


def list_failed(
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List files that could not be ingested, with the reason."""
    _run((data, config, as_json), _show_failures, "failures", collection, reader or None)


def list_duplicates(
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List documents that are the same as others, exactly or nearly."""
    _run((data, config, as_json), _show_duplicates, "duplicates", collection, reader or None)


def list_collections(
    reader: Readers = None, data: Data = None, config: Config = None, as_json: Json = False
) -> None:
    """List collections with their counts."""
    _run((data, config, as_json), _show_collections, "collections", reader or None)


def create_collection(
    name: Annotated[str, typer.Argument(help="Its name.")],
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Create an empty collection."""
    _run((data, config, as_json), _show_created, "create_collection", name)


def delete_collection(
    name: Annotated[str, typer.Argument(help="Its name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Delete a collection with all its documents."""
    if not (yes or as_json):
        typer.confirm(f"Delete the collection {name!r} and all its documents?", abort=True, err=True)
    _run((data, config, as_json), _show_deleted, "drop_collection", name)


def _run(place: Place, show: Callable[[Output, dict], None], method: str, *arguments) -> None:
    """Calls the backend and prints what it gives: as JSON, or by `show`."""
    data, config, as_json = place
    out = Output(as_json)
    with opened_backend(data, config) as backend:
        found = getattr(backend, method)(*arguments)
    out.give(found, show)


def _show_documents(out: Output, found: dict) -> None:
    for row in found["documents"]:
        out.line(f"{row['document_id'][:16]}  {row['title']}")
        readers = ", ".join(row["readers"])
        newer = f" (a newer one: {row['newer']})" if row["newer"] else ""
        about = f"{row['status']}{newer}, {row['chunks']} chunks, for {readers}"
        out.line(f"{row['uri']}; {about}", indent="    ")
        for warning in row["warnings"]:
            out.line(f"{warning['words']} ({warning['code']})", indent="    ")
    if not found["documents"]:
        out.line("No documents. Add some: attest ingest PATH")


def _show_fields(out: Output, found: dict) -> None:
    for name, value in found.items():
        out.line(f"{name}: {value}")


def _show_failures(out: Output, found: dict) -> None:
    for row in found["failures"]:
        out.line(f"{row['uri']}: {row['reason']} ({row['code']})")
    if not found["failures"]:
        out.line("No failures.")


def _show_duplicates(out: Output, found: dict) -> None:
    for row in found["duplicates"]:
        is_exact = row["kind"] == "exact"
        likeness = "the same bytes as" if is_exact else f"about {100 * row['similarity']:.0f} % the same as"
        note = " (linked: it has no passages of its own)" if row["linked"] and not is_exact else ""
        out.line(f"{row['uri']}: {likeness} {row['duplicate_of']}{note}")
    if not found["duplicates"]:
        out.line("No duplicates.")


def _show_collections(out: Output, found: dict) -> None:
    for row in found["collections"]:
        out.line(f"{row['name']}: {row['documents']} documents, {row['chunks']} chunks")
    if not found["collections"]:
        out.line("No collections. The first one comes with: attest ingest PATH")


def _show_created(out: Output, made: dict) -> None:
    out.line(f"created {made['name']}")


def _show_deleted(out: Output, gone: dict) -> None:
    out.line(f"deleted {gone['deleted']}")
