"""Measures answers: `python -m evals.answers FILE.jsonl --collection NAME`.

Reads rows {"id", "question", "answerable", "must_match", "sources"} and asks each through
the real agent. Prints one JSON report; the rows go to stderr. Knows the asker; nothing
imports it.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.asking import Ask
from agents.events import Failed, Finished
from app.services import Services
from core.settings import load_settings
from core.telemetry import silence_libraries
from core.text import normalise
from core.types import Answer, Scope, Status


@dataclass(frozen=True, slots=True)
class Row:
    """One question and what became of it."""

    question: dict
    answer: Answer

    @property
    def abstained(self) -> bool:
        """Whether the system said that the documents do not hold it."""
        return self.answer.status is Status.ABSTAINED

    @property
    def right(self) -> bool:
        """Answerable: every group matched in the answer. Unanswerable: abstained."""
        if not self.question["answerable"]:
            return self.abstained
        return not self.abstained and matches(self.answer.text, self.question["must_match"])

    @property
    def cited_right(self) -> bool:
        """Whether the quotes themselves hold the answer."""
        quotes = "\n".join(citation.quote for citation in self.answer.citations)
        return matches(quotes, self.question["must_match"])


def matches(text: str, groups: Sequence[Sequence[str]]) -> bool:
    """Whether one string of each group occurs, blanks and case aside."""
    squeezed = normalise(text).replace(" ", "")
    return all(any(normalise(s).replace(" ", "") in squeezed for s in group) for group in groups)


def measure(rows: Sequence[Row]) -> dict:
    """The report. Precision of nothing is given as null, not as 1."""
    answerable = [row for row in rows if row.question["answerable"]]
    abstained = [row for row in rows if row.abstained]
    unanswerable = [row for row in rows if not row.question["answerable"]]
    answered = [row for row in answerable if not row.abstained]
    tokens = sum(row.answer.usage.prompt_tokens for row in rows)
    right = sum(row.right for row in answerable)
    return {
        "n": len(rows),
        "accuracy": _share(right, len(answerable)),
        "abstention_precision": _share(sum(row.right for row in unanswerable), len(abstained)),
        "abstention_recall": _share(sum(row.right for row in unanswerable), len(unanswerable)),
        "citation_precision": _share(sum(row.cited_right for row in answered), len(answered)),
        "prompt_tokens_per_correct": round(tokens / right) if right else None,
        "median_ms": _median([row.answer.timings_ms["total"] for row in rows]),
    }


async def ask_all(services: Services, questions: Sequence[dict], collection: str) -> list[Row]:
    """Each question in a session of its own."""
    asker = await services.asker()
    rows = []
    for question in questions:
        async for event in asker.ask(Ask(question["question"], Scope(collection), owner="evals")):
            if isinstance(event, Failed):
                raise SystemExit(f"{question['id']}: {event.message}. {event.remedy}")
            if isinstance(event, Finished):
                rows.append(Row(question, event.answer))
                _print_row(rows[-1])
    return rows


def _print_row(row: Row) -> None:
    mark = "ok " if row.right else "BAD"
    print(f"{mark} {row.question['id']:6} {row.answer.status.value:9} {row.answer.text}", file=sys.stderr)
    for withheld in row.answer.withheld:
        why = f"{withheld.verdict.label.value} {withheld.verdict.score} {withheld.verdict.reason}"
        print(f"      - {withheld.text} ({why})", file=sys.stderr)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


async def main() -> None:
    """Reads the command line, asks and prints."""
    parser = argparse.ArgumentParser(prog="python -m evals.answers")
    parser.add_argument("file", type=Path)
    parser.add_argument("--collection", default="default")
    arguments = parser.parse_args()
    silence_libraries()
    questions = [json.loads(line) for line in arguments.file.read_text(encoding="utf-8").splitlines()]
    services = Services(load_settings())
    try:
        rows = await ask_all(services, questions, arguments.collection)
    finally:
        await services.aclose()
    print(json.dumps(measure(rows), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
