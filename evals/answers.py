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
from evals.indexing import new_collection, settings_fingerprint, shown_settings
from evals.retrieval import sample
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.parsers.plain import parse_plain

SECTIONS = ("embedder", "chat", "retrieval", "guard", "ingest")


class RowError(ServiceError):
    """A question that failed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question and what became of it; no answer when it failed, and `error` says why."""

    question: dict
    answer: Answer | None
    error: str = ""

    @property
    def abstained(self) -> bool:
        """Whether the system said that the documents do not hold it. A failure says nothing."""
        return self.answer is not None and self.answer.status is Status.ABSTAINED

    @property
    def right(self) -> bool:
        """Answerable: every group matched in the answer. Unanswerable: abstained."""
        if self.answer is None:
            return False
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
    """The report over the rows that did not fail. Precision of nothing is null, not 1."""
    done = [row for row in rows if row.answer is not None]
    answerable = [row for row in done if row.question["answerable"]]
    abstained = [row for row in done if row.abstained]
    unanswerable = [row for row in done if not row.question["answerable"]]
    answered = [row for row in answerable if not row.abstained]
    judged = [row for row in answered if row.question["must_match"]]
    tokens = sum(row.answer.usage.prompt_tokens for row in done)
    right = sum(row.right for row in answerable)
    times = [row.answer.timings_ms for row in done]
    return {
        "n": len(rows),
        "accuracy": _share(right, len(answerable)),
        "abstention_precision": _share(sum(row.right for row in unanswerable), len(abstained)),
        "abstention_recall": _share(sum(row.right for row in unanswerable), len(unanswerable)),
        "citation_precision": _share(sum(row.cited_right for row in judged), len(judged)),
        "prompt_tokens_per_correct": round(tokens / right) if right else None,
        "prompt_tokens": tokens,
        "prompt_tokens_median": _median([row.answer.usage.prompt_tokens for row in done]),
        "answerable": len(answerable),
        "unanswerable": len(unanswerable),
        "right": right,
        "declined_answerable": sum(row.abstained for row in answerable),
        "wrong_answered": sum(not row.right and not row.abstained for row in done),
        "failed": len(rows) - len(done),
        "median_ms": _median([t["total"] for t in times]),
        "first_sentence_median_ms": _median([t["first_sentence"] for t in times if "first_sentence" in t]),
    }


def report_rows(rows: Sequence[Row]) -> dict:
    """Each row by its id, as `attest compare` reads it; of one that failed the reason."""
    return {str(row.question["id"]): _row_record(row) for row in rows}


def _row_record(row: Row) -> dict:
    if row.answer is None:
        return {"right": 0.0, "failed": 1.0, "error": row.error}
    return {
        "right": float(row.right),
        "abstained": float(row.abstained),
        "answerable": float(row.question["answerable"]),
        "prompt_tokens": float(row.answer.usage.prompt_tokens),
        "ms": row.answer.timings_ms["total"],
        "text": row.answer.text,
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
            try:
                for earlier in question.get("earlier", []):
                    await _answer(asker, Ask(earlier, scope, "evals", session, effort, keep=False))
                ask = Ask(question["question"], scope, "evals", session, effort, keep=False)
                rows.append(Row(question, await _answer(asker, ask)))
            except RowError as exc:
                if not rows:  # nothing has ever worked: not a fault of this row
                    raise
                rows.append(Row(question, None, exc.message))
            _print_row(rows[-1])
    return rows


async def _answer(asker: Asker, ask: Ask) -> Answer:
    answer = None
    async for event in asker.ask(ask):
        if isinstance(event, Failed):
            raise RowError(f"{ask.question!r} failed: {event.message}", remedy=event.remedy)
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
    if row.answer is None:
        print(f"FAILED {row.question['id']} {row.error}", file=sys.stderr)
        return
    mark = "ok " if row.right else "BAD"
    about = f"{row.question['id']:6} {row.answer.status.value:9} {row.answer.usage.prompt_tokens:4}"
    print(f"{mark} {about} {row.answer.text}", file=sys.stderr)
    for withheld in row.answer.withheld:
        why = f"{withheld.verdict.label.value} {withheld.verdict.score} {withheld.verdict.reason}"
        print(f"      - {withheld.text} ({why})", file=sys.stderr)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _median(values: list[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None


async def evaluate_answers(
    services: Services, questions: Sequence[dict], collection: str, effort: Effort = Effort.STANDARD
) -> dict:
    """The whole report, as `attest eval answers --json` prints it; closes the services.

    Raises:
        ServiceError: the first question failed already.
    """
    sections = shown_settings(services.settings, SECTIONS)
    try:
        rows = await ask_all(services, questions, collection, effort)
        return {
            "kind": "answers",
            **measure(rows),
            "effort": effort.value,
            "settings_fingerprint": settings_fingerprint(sections),
            "settings": sections,
            "queries": report_rows(rows),
        }
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
