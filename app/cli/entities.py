"""`attest entities` and `attest communities`."""

from typing import Annotated

import typer

from app.cli.asking import in_loop
from app.cli.frame import opened_backend
from app.cli.options import DEFAULT_COLLECTION, EXIT_CODES, Collection, Config, Data, Json, Readers
from app.cli.output import Output


def add_commands(root: typer.Typer) -> None:
    """Adds the commands of this file."""
    root.command("entities", epilog=EXIT_CODES)(show_entity)
    root.command("communities", epilog=EXIT_CODES)(show_communities)


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


def show_communities(
    make: Annotated[
        bool, typer.Option("--make", help="Have the chat model summarise those that have changed.")
    ] = False,
    limit: Annotated[int, typer.Option("-k", min=1, max=100, help="How many are shown.")] = 20,
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show groups of entities that belong together, and what documents say of each."""
    from app.cli.backend import open_backend

    out = Output(as_json)
    if make:
        report = _make(out, open_backend(data, config), collection)
        exit_code = report.pop("exit_code")
        out.give(report, _show_report)
        raise typer.Exit(exit_code)
    with opened_backend(data, config) as backend:
        found = backend.communities(collection, limit, reader or None)
    out.give(found, _show_found)


def _make(out: Output, backend, collection: str) -> dict:
    def tell(job: dict) -> None:
        if job["total"]:
            out.status(f"… {job['done']} of {job['total']} summarised")

    async def work(backend) -> dict:
        return await backend.make_communities(collection, tell)

    try:
        return in_loop(backend, work)
    finally:
        out.clear_status()


def _show_report(out: Output, report: dict) -> None:
    out.line(
        f"{report['made']} communities summarised ({report['empty']} without a sentence that held), "
        f"{report['kept']} unchanged, {report['removed']} removed, {report['failed']} failed"
    )


def _show_found(out: Output, found: dict) -> None:
    for one in found["communities"]:
        out.line(", ".join(one["names"]))
        out.line(one["text"], indent="    ")
        for source in one["citations"]:
            page = f", page {source['page']}" if source["page"] else ""
            quote = " ".join(source["quote"].split())
            out.line(f"[{source['marker']}] {source['title']}{page}: “{quote}”", indent="    ")
    if not found["communities"]:
        out.line("None is summarised of what you may read. Make them: attest communities --make")
    elif found["more"]:
        out.line(f"{found['more']} more: -k")


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
