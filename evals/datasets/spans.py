"""Questions with passages of which it is known which strings answer: RGB and the SQuAD layout.

For measures of what is kept of the evidence and of answers from given passages. Knows the
files; knows nothing of searching.
"""

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.terms import split_terms

RGB_PARTS = ("zh_refine", "zh_int", "en_fact")
POSITIVES, NEGATIVES = 2, 3
NEAR = 3
SEED = 7


@dataclass(frozen=True, slots=True)
class SpanQuestion:
    """A question of a set; one string of each group must stand in what answers it."""

    source: str
    question: str
    passages: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    text: str
    title: str
    paragraph: int
    answers: tuple[str, ...]


def read_rgb(
    folder: Path, part: str, positives: int = POSITIVES, negatives: int = NEGATIVES
) -> list[SpanQuestion]:
    """Each question with its first passages that answer it (of a question of several facts
    the first of each) and its first that do not."""
    found = []
    for line in (folder / f"{part}.dev.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        grouped = [group for group in row["positive"] if not isinstance(group, str)]
        right = [group[0] for group in grouped if group] if grouped else row["positive"][:positives]
        wrong = list(_flat(row["negative"]))
        passages = (*right, *wrong[:negatives])
        if right:
            found.append(SpanQuestion(f"rgb-{part}", row["query"], passages, answer_groups(row["answer"])))
    return found


def _flat(passages: Sequence[str | Sequence[str]]) -> Iterator[str]:
    for passage in passages:
        yield from [passage] if isinstance(passage, str) else passage


def answer_groups(answer: str | Sequence[str | Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """RGB's answers: one string, or groups of which each must match by one of its strings."""
    parts = [answer] if isinstance(answer, str) else answer
    return tuple((part,) if isinstance(part, str) else tuple(part) for part in parts)


def read_pools(
    held: Path,
    count: int,
    source: str,
    asked: Path | None = None,
    among: Callable[[str], bool] = lambda title: True,
) -> list[SpanQuestion]:
    """A sample of questions, each with its paragraph and those that share most of its words.
    `asked` is a file with the same question ids in another language; `among` says by the title of an
    article whether its questions may be drawn."""
    paragraphs, questions = _read(held)
    others = _read(asked)[1] if asked else questions
    terms = [frozenset(split_terms(text)) for text in paragraphs]
    counts = Counter(term for held_terms in terms for term in held_terms)
    rng = random.Random(SEED)
    found = []
    drawn = sorted(identity for identity in others if among(questions[identity].title))
    for identity in rng.sample(drawn, min(count, len(drawn))):
        own = questions[identity]
        near = list(_nearest(own, terms, counts))[:NEAR]
        passages = tuple(paragraphs[at] for at in (own.paragraph, *near))
        found.append(SpanQuestion(source, others[identity].text, passages, (own.answers,)))
    return found


def _nearest(asked: _Asked, terms: Sequence[frozenset[str]], counts: Counter) -> Iterator[int]:
    """Other paragraphs, those with most of the question's rare words first."""
    words = set(split_terms(asked.text))
    rarity = {t: math.log(1 + len(terms) / counts[t]) for t in words if counts[t]}
    scores = [sum(w for t, w in rarity.items() if t in held) for held in terms]
    order = sorted(range(len(terms)), key=lambda at: (-scores[at], at))
    return (at for at in order if at != asked.paragraph)


def _read(path: Path) -> tuple[list[str], dict[str, _Asked]]:
    paragraphs: list[str] = []
    questions: dict[str, _Asked] = {}
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        title = str(article.get("title") or article.get("id"))
        for paragraph in article["paragraphs"]:
            for row in paragraph["qas"]:
                if answers := tuple(a["text"] for a in row.get("answers", [])):
                    questions[str(row["id"])] = _Asked(row["question"], title, len(paragraphs), answers)
            paragraphs.append(paragraph["context"])
    return paragraphs, questions


def answer_rows(asked: Sequence[SpanQuestion], name: str) -> Iterator[dict]:
    """Rows as `python -m evals.answers` reads them, with the passages as the only evidence."""
    for at, question in enumerate(asked):
        yield {
            "id": f"{name}-{at}",
            "question": question.question,
            "answerable": bool(question.groups),
            "must_match": [list(group) for group in question.groups],
            "passages": list(question.passages),
        }


def without_answer(asked: Sequence[SpanQuestion], folder: Path, part: str) -> list[SpanQuestion]:
    """The same questions with passages that do not answer them."""
    lines = (folder / f"{part}.dev.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    wrong = {row["query"]: tuple(_flat(row["negative"])) for row in rows}
    count = POSITIVES + NEGATIVES
    return [
        SpanQuestion(q.source, q.question, wrong[q.question][:count], ()) for q in asked if wrong[q.question]
    ]
