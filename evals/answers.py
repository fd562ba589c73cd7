"""Measures answers: `python -m evals.answers FILE.jsonl --collection NAME`.

Reads rows {"id", "question", "answerable", "must_match", "sources", "passages", "earlier"}
and asks each through the real agent. With `passages` those alone are the evidence;
`earlier` are questions of the same session, asked before and not measured. Prints one JSON
report; the rows go to stderr. Knows the asker and the index.
"""

import argparse
import asyncio
import hashlib
import json
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.asker import Asker
from agents.asking import Ask, Effort
from agents.events import Failed, Finished
from app.services import Services
from core.errors import AttestError, InputError, ServiceError
from core.settings import load_settings
from core.telemetry import silence_libraries
from core.text import normalise
from core.types import Answer, Document, Scope, Status
from evals.indexing import new_collection
from evals.retrieval import sample
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.parsers.plain import parse_plain


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
        "prompt_tokens": tokens,
        "right": right,
        "wrong_answered": sum(not row.right and not row.abstained for row in rows),
        "median_ms": _median([row.answer.timings_ms["total"] for row in rows]),
    }


def read_questions(path: Path, limit: int | None = None) -> list[dict]:
    """The rows of a file; with a limit so many, evenly over the file.

    Raises:
        InputError: a row is broken; names its line.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}", remedy="name a file of JSON lines")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as exc:
            raise InputError(f"line {number} of {path} is no JSON: {exc}", remedy="mend the line") from exc
        missing = {"id", "question", "answerable", "must_match"} - set(row)
        if missing:
            raise InputError(f"line {number} of {path} lacks {', '.join(sorted(missing))}", remedy="add it")
        rows.append(row)
    return sample(rows, limit)


async def ask_all(
    services: Services, questions: Sequence[dict], collection: str, effort: Effort = Effort.STANDARD
) -> list[Row]:
    """Each question in a session of its own."""
    asker = await services.asker()
    rows = []
    with given_passages(services, questions) as scopes:
        for question in questions:
            scope = scopes.get(question["id"], Scope(collection))
            session = uuid.uuid4().hex
            for earlier in question.get("earlier", []):
                await _answer(asker, Ask(earlier, scope, "evals", session, effort, keep=False))
            ask = Ask(question["question"], scope, "evals", session, effort, keep=False)
            answer = await _answer(asker, ask)
            rows.append(Row(question, answer))
            _print_row(rows[-1])
    return rows


async def _answer(asker: Asker, ask: Ask) -> Answer:
    answer = None
    async for event in asker.ask(ask):
        if isinstance(event, Failed):
            raise ServiceError(f"{ask.question!r} failed: {event.message}", remedy=event.remedy)
        if isinstance(event, Finished):
            answer = event.answer
    return answer


@contextmanager
def given_passages(services: Services, questions: Sequence[dict]) -> Iterator[dict[str, Scope]]:
    """The scope of each question that brings its passages: all of them lie in one collection
    for the time being, each readable by its own question alone."""
    rows = [question for question in questions if question.get("passages")]
    if not rows:
        yield {}
        return
    index, collection = services.index(), new_collection()
    settings = services.settings.ingest
    limits = ChunkLimits(settings.chunk_tokens, settings.overlap_tokens)
    index.open_collection(collection)
    try:
        for row in rows:
            for at, text in enumerate(row["passages"]):
                identity = hashlib.sha256(f"{row['id']} {at} {text}".encode()).hexdigest()
                uri, readers = f"{row['id']}-{at}.txt", (str(row["id"]),)
                document = Document(identity, uri, "", "text/plain", len(text), collection, readers)
                chunks = chunk_elements(document, parse_plain(text), limits, index.count_tokens)
                if chunks:
                    index.write_document(document, chunks)
        yield {row["id"]: Scope(collection, frozenset({str(row["id"])})) for row in rows}
    finally:
        index.drop_collection(collection)


def _print_row(row: Row) -> None:
    mark = "ok " if row.right else "BAD"
    about = f"{row.question['id']:6} {row.answer.status.value:9} {row.answer.usage.prompt_tokens:4}"
    print(f"{mark} {about} {row.answer.text}", file=sys.stderr)
    for withheld in row.answer.withheld:
        why = f"{withheld.verdict.label.value} {withheld.verdict.score} {withheld.verdict.reason}"
        print(f"      - {withheld.text} ({why})", file=sys.stderr)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


async def evaluate_answers(
    services: Services, questions: Sequence[dict], collection: str, effort: Effort = Effort.STANDARD
) -> dict:
    """The report over the questions; closes the services."""
    try:
        return measure(await ask_all(services, questions, collection, effort))
    finally:
        await services.aclose()


def main() -> None:
    """Reads the command line, asks and prints."""
    parser = argparse.ArgumentParser(prog="python -m evals.answers")
    parser.add_argument("file", type=Path)
    parser.add_argument("--collection", default="default")
    parser.add_argument("--limit", type=int, help="ask this many, evenly over the file")
    parser.add_argument("--effort", type=Effort, choices=list(Effort), default=Effort.STANDARD)
    arguments = parser.parse_args()
    silence_libraries()
    try:
        questions = read_questions(arguments.file, arguments.limit)
        services = Services(load_settings())
        report = asyncio.run(evaluate_answers(services, questions, arguments.collection, arguments.effort))
    except AttestError as exc:
        sys.exit(str(exc))
    print(json.dumps(report, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
