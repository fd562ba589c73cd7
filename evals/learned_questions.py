"""Questions that the guards may learn from, each with what answers it in its passage.

The halves that nothing is reported on, of sets in the SQuAD layout; and how passages are cut around an
answer. Knows files; knows nothing of claims or labels.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.text import Span, split_sentences
from evals.guard_sets import is_of_reported_part
from evals.sufficiency_data import is_reported

SQUAD_FILES = {
    "cmrc2018": "cmrc2018/cmrc2018_trial.json",
    "drcd": "drcd/DRCD_dev.json",
    "squad2-zh": "squad2_zh/dev-v2.0-zh.part.json",
    "xquad-en": "xquad/xquad.en.half.json",
    "xquad-zh": "xquad/xquad.zh.half.json",
}


@dataclass
class Asked:
    """A question of a SQuAD-like set: its passage, where the answer stands, passages without it."""

    question: str
    passage: str
    span: Span
    others: list[str] = field(default_factory=list)

    @property
    def answer(self) -> str:
        return self.span.of(self.passage)


def learned_articles(folder: Path, name: str) -> Iterator[dict]:
    """The articles of a set of `SQUAD_FILES`, in their order."""
    for article in articles_among(folder, name, lambda title: not is_reported(title)):
        group = str(article.get("title") or article["paragraphs"][0]["context"][:60])
        if not is_of_reported_part(group, 1):
            yield article


def articles_among(folder: Path, name: str, among: Callable[[str], bool]) -> Iterator[dict]:
    """Those whose title (or id) `among` takes."""
    for article in json.loads((folder / SQUAD_FILES[name]).read_text(encoding="utf-8"))["data"]:
        if among(str(article.get("title") or article.get("id"))):
            yield article


def asked_of(article: dict) -> Iterator[Asked]:
    """Its answerable questions."""
    texts = [paragraph["context"] for paragraph in article["paragraphs"]]
    for paragraph in article["paragraphs"]:
        for row in paragraph["qas"]:
            if row.get("is_impossible") or not row.get("answers"):
                continue
            context, answer = paragraph["context"], row["answers"][0]["text"]
            start = row["answers"][0].get("answer_start", 0)
            start = start if context[start:].startswith(answer) else context.find(answer)
            if start >= 0 and answer.strip():
                others = [text for text in texts if text != context and answer not in text]
                yield Asked(row["question"], context, Span(start, start + len(answer)), others)


def crop(text: str, span: Span, rng: random.Random, longest: int = 420) -> tuple[str, Span]:
    """Whole sentences around a stretch, at random so many, and where it stands in them."""
    spans = list(split_sentences(text))
    here = [at for at, s in enumerate(spans) if s.start < span.end and s.end > span.start]
    if not here or rng.random() < 0.4:
        return text, span
    first, last = here[0], here[-1]
    goal = rng.randint(60, longest)
    while True:
        wider = [at for at in (first - 1, last + 1) if 0 <= at < len(spans)]
        if not wider:
            break
        at = rng.choice(wider)
        first, last = min(first, at), max(last, at)
        if spans[last].end - spans[first].start > goal:
            break
    start = spans[first].start
    end = max(spans[last].end, span.end)
    return text[start:end], Span(span.start - start, span.end - start)


def flat(passages: Iterable) -> list[str]:
    """RGB's passages: single ones, or lists of them."""
    return [text for item in passages for text in (item if isinstance(item, list) else [item])]


def json_lines(path: Path) -> Iterator[dict]:
    """The rows of a file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
