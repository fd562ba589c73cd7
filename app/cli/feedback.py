"""`attest feedback`: thumbs, bad cases, and rows for an evaluation."""

import json
from pathlib import Path
from typing import Annotated

import typer

from app.cli.frame import opened_backend
from app.cli.options import DEFAULT_COLLECTION, EXIT_CODES, Collection, Config, Data, Json
from app.cli.output import Output

VOTES = ("up", "down")


def add_commands(root: typer.Typer) -> None:
    """Adds the group of commands of this file."""
    feedback = typer.Typer(
        help="Rate answers, and see which went wrong.", no_args_is_help=True, epilog=EXIT_CODES
    )
    feedback.command("rate", epilog=EXIT_CODES)(rate)
    feedback.command("cases", epilog=EXIT_CODES)(cases)
    feedback.command("export", epilog=EXIT_CODES)(export)
    root.add_typer(feedback, name="feedback")


def rate(
    answer_id: Annotated[str, typer.Argument(help="The `id` of an answer (ask --json).")],
    vote: Annotated[str, typer.Argument(help="up or down.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in your words.")] = "",
    right_answer: Annotated[str, typer.Option("--right-answer", help="What would have been right.")] = "",
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Rate an answer to a question of your own."""
    from core.errors import InputError

    out = Output(as_json)
    if vote not in VOTES:
        raise InputError(f"there is no vote {vote!r}", remedy=f"choose: {', '.join(VOTES)}")
    with opened_backend(data, config) as backend:
        rated = backend.rate(answer_id, vote, reason, right_answer)
    out.give(rated, lambda out, rated: out.line(f"thumb {rated['vote']}: {rated['question']}"))


def cases(
    collection: Collection = DEFAULT_COLLECTION,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List questions that were not answered well, and why."""
    out = Output(as_json)
    with opened_backend(data, config) as backend:
        found = backend.bad_cases(collection)
    out.give(found, _show_cases)


def export(
    path: Annotated[Path, typer.Argument(help="A file of JSON lines, which is written anew.")],
    collection: Collection = DEFAULT_COLLECTION,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Write the bad cases whose right answer is known as rows for `attest eval answers`."""
    from core.errors import InputError

    out = Output(as_json)
    with opened_backend(data, config) as backend:
        found = backend.golden_rows(collection)
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in found["rows"])
    try:
        path.write_text(lines, encoding="utf-8")
    except OSError as exc:
        raise InputError(f"{path} cannot be written: {exc.strerror}", remedy="name another file") from exc
    report = {"written": len(found["rows"]), "unknown": found["unknown"], "file": str(path)}
    out.give(report, _show_export)


def _show_cases(out: Output, found: dict) -> None:
    for case in found["cases"]:
        out.line(f"{case['answer_id']}  {case['question']}", hang="  ")
        for cause in case["causes"]:
            told = [cause["kind"], cause["text"], cause["detail"]]
            out.line(": ".join(part for part in told if part), indent="  ", hang="  ")
        if case["right_answer"]:
            out.line(f"right: {case['right_answer']}", indent="  ", hang="  ")
    if not found["cases"]:
        out.line("No bad cases.")


def _show_export(out: Output, report: dict) -> None:
    out.line(f"{report['written']} rows in {report['file']}")
    if report["unknown"]:
        out.note(
            f"{report['unknown']} cases have no known right answer: give it with "
            "attest feedback rate ID down --right-answer TEXT, or by an FAQ entry"
        )
