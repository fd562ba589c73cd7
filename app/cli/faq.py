"""`attest faq`: curated answers to known questions."""

from typing import Annotated

import typer

from app.cli.frame import opened_backend
from app.cli.options import DEFAULT_COLLECTION, EXIT_CODES, Collection, Config, Data, Json, Readers
from app.cli.output import Output


def add_commands(root: typer.Typer) -> None:
    """Adds the group of commands of this file."""
    faq = typer.Typer(
        help="Curated answers, given at once to known questions.", no_args_is_help=True, epilog=EXIT_CODES
    )
    faq.command("list", epilog=EXIT_CODES)(list_entries)
    faq.command("add", epilog=EXIT_CODES)(add)
    faq.command("delete", epilog=EXIT_CODES)(delete)
    faq.command("suggest", epilog=EXIT_CODES)(suggest)
    root.add_typer(faq, name="faq")


def list_entries(
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List entries: valid, expired (a cited document has changed) or unverified."""
    out = Output(as_json)
    with opened_backend(data, config) as backend:
        found = backend.faq_entries(collection, reader or None)
    out.give(found, _show_entries)


def add(
    question: Annotated[
        list[str] | None, typer.Option("--question", help="The question; again for another wording.")
    ] = None,
    answer: Annotated[str, typer.Option("--answer", help="The answer, as the documents bear it out.")] = "",
    from_answer: Annotated[str, typer.Option("--from-answer", help="Take over the answer of this id.")] = "",
    suggestion: Annotated[str, typer.Option("--suggestion", help="Accept the suggestion of this id.")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Keep sentences that the documents do not bear out.")
    ] = False,
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Add an entry. Each sentence is bound to the documents, or refused with the reason.

    With --reader the documents are read as these, and the entry is for them.
    """
    from app.cli.backend import FaqWish

    out = Output(as_json)
    wish = FaqWish(collection, tuple(question or ()), answer, from_answer, suggestion, reader or None, force)
    with opened_backend(data, config) as backend:
        entry = backend.add_faq_entry(wish)
    out.give(entry, _show_entry)


def delete(
    entry_id: Annotated[str, typer.Argument(help="As `attest faq list` shows it.")],
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Delete an entry."""
    out = Output(as_json)
    with opened_backend(data, config) as backend:
        deleted = backend.delete_faq_entry(entry_id)
    out.give(deleted, lambda out, gone: out.line(f"deleted {gone['deleted']}"))


def suggest(
    min_count: Annotated[int, typer.Option("--min-count", min=1, help="Asked so often at least.")] = 2,
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Propose entries: recurring questions with thumbs or held-back answers."""
    out = Output(as_json)
    with opened_backend(data, config) as backend:
        found = backend.faq_suggestions(collection, reader or None, min_count)
    out.give(found, lambda out, found: _show_suggestions(out, found, min_count))


def _show_entries(out: Output, found: dict) -> None:
    for entry in found["entries"]:
        _show_entry(out, entry)
    if not found["entries"]:
        out.line("No entries. Make one with: attest faq add --question TEXT --answer TEXT")


def _show_entry(out: Output, entry: dict) -> None:
    out.line(f"{entry['id']}  {entry['status']}  {entry['questions'][0]}", hang="  ")
    for wording in entry["questions"][1:]:
        out.line(f"or: {wording}", indent="  ", hang="  ")
    if entry["reason"]:
        out.line(f"expired: {entry['reason']}", indent="  ", hang="  ")
    if entry["text"]:
        out.line(entry["text"], indent="  ")
    for citation in entry["citations"]:
        out.line(f"[{citation['marker']}] {citation['title'] or citation['uri']}", indent="  ")


def _show_suggestions(out: Output, found: dict, min_count: int) -> None:
    for suggestion in found["suggestions"]:
        _show_suggestion(out, suggestion)
    if not found["suggestions"]:
        out.line(f"No question came up {min_count} times.")


def _show_suggestion(out: Output, suggestion: dict) -> None:
    thumbs = f"{suggestion['thumbs_up']} up, {suggestion['thumbs_down']} down"
    times = f"{suggestion['count']} times ({thumbs})"
    out.line(f"{suggestion['id']}  {times}  {suggestion['question']}", hang="  ")
    for wording in suggestion["questions"][1:]:
        out.line(f"or: {wording}", indent="  ", hang="  ")
    for text in suggestion["right_answers"]:
        out.line(f"right, says who asked: {text}", indent="  ", hang="  ")
    if suggestion["answer"]:
        out.line(suggestion["answer"]["text"], indent="  ")
        out.line(f"accept with: attest faq add --suggestion {suggestion['id']}", indent="  ")
    else:
        out.line("no verified answer; give one with:", indent="  ")
        out.line(f"attest faq add --suggestion {suggestion['id']} --answer TEXT", indent="  ")
