"""`attest entities`."""

from typing import Annotated

import typer

from app.cli.frame import opened_backend
from app.cli.options import DEFAULT_COLLECTION, EXIT_CODES, Collection, Config, Data, Json, Readers
from app.cli.output import Output


def add_commands(root: typer.Typer) -> None:
    """Adds the command of this file."""
    root.command("entities", epilog=EXIT_CODES)(show_entity)


def show_entity(
    name: Annotated[str, typer.Argument(help="A person, organisation, place, product…")],
    to: Annotated[str, typer.Option("--to", help="Show how it is related to this one.")] = "",
    limit: Annotated[int, typer.Option("-k", min=1, max=100, help="How many relations.")] = 20,
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show what documents say of an entity, and how it is related to others."""
    from app.entity_view import EntityWish

    out = Output(as_json)
    with opened_backend(data, config) as backend:
        found = backend.entity(collection, EntityWish(name, to, limit), reader or None)
    out.give(found, _show)


def _show(out: Output, found: dict) -> None:
    for entity in found["entities"]:
        also = f", also {', '.join(entity['aliases'])}" if entity["aliases"] else ""
        out.line(f"{entity['name']} ({entity['kind']}{also}): in {entity['documents']} documents")
        if entity["values"]:
            out.line("; ".join(entity["values"]), indent="    ")
    for link in found["links"]:
        out.line(f"{link['names'][0]} — {link['kind']} — {link['names'][1]}")
        for told in link["evidence"][:1]:
            page = f", page {told['page']}" if told["page"] else ""
            out.line(f"“{' '.join(told['text'].split())}” ({told['title']}{page})", indent="    ")
    if not found["links"]:
        between = len(found["entities"]) > 1
        out.line("No way leads from one to the other." if between else "No relations are known.")
