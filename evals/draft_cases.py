"""What is drafted on: questions over passages of which it is known what they answer.

The halves and quarters that nothing is reported on. Some have one passage or two, some five as a search
would find them, with and without an answer among them. Knows files; knows nothing of prompts or models.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.datasets.changed_facts import answer_forms
from evals.learned_questions import (
    Asked,
    articles_among,
    asked_of,
    crop,
    flat,
    json_lines,
    learned_articles,
)
from evals.sufficiency_data import is_reported, is_weighed
from retrieval.terms import split_terms

SEED = 5
QUESTIONS = {"cmrc2018": 60, "drcd": 60, "xquad-en": 140, "xquad-zh": 90}
RGB_QUESTIONS = {"zh_refine": 60, "en_fact": 50, "zh_int": 25, "zh_fact": 30}
WEIGHED_SHARE = 0.4
"""So many of each for the check of answers."""
NEAR_SHARE, NOISE_SHARE = 0.5, 0.8
"""So often a near passage stands beside the one that answers; and passages that do not answer alone, for
questions of RGB and, for the check of answers, for those of articles that have a near passage."""
NEAR_CHARS, NOISE_CHARS, PASSAGE_CHARS = 400, 450, 600
FOUND = {"drcd": 25, "xquad-en": 25, "xquad-zh": 25}
FOUND_RGB = ("zh_refine", "en_fact", "zh_int", "zh_fact")
IMPOSSIBLE = 50
PASSAGES, RIGHT, NOISE_DRAWS = 5, 2, 2
"""As a search finds them: so many passages, of which so many answer; so often others that do not."""


@dataclass(frozen=True, slots=True)
class DraftCase:
    """`groups` are strings of which each group must stand in a right answer; none where no passage
    answers. The first passage is the one that answers. `found`: the passages are as a search finds them, and
    are cut to what a prompt holds."""

    source: str
    question: str
    passages: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...] = ()
    found: bool = False


def draft_cases(folder: Path, weighed: bool = False, found: bool = False) -> list[DraftCase]:
    """What is asked, the same each time, in mixed order; with `found` also over passages as a search finds
    them."""
    rng = random.Random(SEED)
    cases = [*_of_articles(folder, weighed, rng), *_of_rgb(folder / "rgb", weighed, rng)]
    rng.shuffle(cases)
    if not found:
        return cases
    rng = random.Random(SEED)  # so that these do not change what was drafted on before
    more = [*_found_in_articles(folder, weighed, rng), *_found_in_rgb(folder / "rgb", weighed, rng)]
    rng.shuffle(more)
    return [*cases, *more]


def _of_articles(folder: Path, weighed: bool, rng: random.Random) -> Iterator[DraftCase]:
    for name, count in QUESTIONS.items():
        asked = [row for article in _articles(folder, name, weighed) for row in asked_of(article)]
        for row in rng.sample(asked, min(_count(count, weighed), len(asked))):
            own, _ = crop(row.passage, row.span, rng)
            near = [_nearest(row)] if row.others and rng.random() < NEAR_SHARE else []
            yield DraftCase(name, row.question, (own, *near), ((row.answer,),))
            if weighed and near:
                yield DraftCase(name, row.question, tuple(near))


def _count(count: int, weighed: bool) -> int:
    return round(count * WEIGHED_SHARE) if weighed else count


def _nearest(row: Asked) -> str:
    terms = set(split_terms(row.question))
    best = max(row.others, key=lambda text: len(terms & set(split_terms(text))) / (1 + len(text) ** 0.3))
    return best[:NEAR_CHARS]


def _of_rgb(folder: Path, weighed: bool, rng: random.Random) -> Iterator[DraftCase]:
    for part, count in RGB_QUESTIONS.items():
        rows = _rgb_rows(folder, part, weighed)
        for row in rng.sample(rows, min(_count(count, weighed), len(rows))):
            right, wrong = flat(row["positive"]), flat(row["negative"])
            groups = tuple(map(tuple, answer_forms(row["answer"])))
            if right:
                yield DraftCase(f"rgb-{part}", row["query"], (right[0][:PASSAGE_CHARS],), groups)
            if wrong and rng.random() < NOISE_SHARE:
                yield DraftCase(f"rgb-{part}", row["query"], tuple(text[:NOISE_CHARS] for text in wrong[:2]))


def _found_in_articles(folder: Path, weighed: bool, rng: random.Random) -> Iterator[DraftCase]:
    """The passage that answers among others of its article, the others alone, and questions that their own
    passage only seems to answer."""
    for name, count in FOUND.items():
        asked = [row for article in _articles(folder, name, weighed) for row in asked_of(article)]
        asked = [row for row in asked if row.others]
        for row in rng.sample(asked, min(_count(count, weighed), len(asked))):
            near = rng.sample(row.others, min(PASSAGES - 1, len(row.others)))
            yield DraftCase(name, row.question, (row.passage, *near), ((row.answer,),), found=True)
            yield DraftCase(name, row.question, tuple(near), found=True)
    paragraphs = [p for article in _articles(folder, "squad2-zh", weighed) for p in article["paragraphs"]]
    seeming = [(row["question"], p["context"]) for p in paragraphs for row in p["qas"] if not row["answers"]]
    for question, context in rng.sample(seeming, min(_count(IMPOSSIBLE, weighed), len(seeming))):
        others = [p["context"] for p in paragraphs if p["context"] != context]
        others = rng.sample(others, min(2, len(others)))
        yield DraftCase("squad2-zh", question, (context, *others), found=True)


def _found_in_rgb(folder: Path, weighed: bool, rng: random.Random) -> Iterator[DraftCase]:
    for part in FOUND_RGB:
        for row in _rgb_rows(folder, part, weighed):
            wrong, groups = flat(row["negative"]), tuple(map(tuple, answer_forms(row["answer"])))
            right = _right_ones(row["positive"], rng)
            if right:
                noise = rng.sample(wrong, min(max(0, PASSAGES - len(right)), len(wrong)))
                yield DraftCase(f"rgb-{part}", row["query"], (*right, *noise), groups, found=True)
            for _ in range(NOISE_DRAWS):
                noise = rng.sample(wrong, min(PASSAGES, len(wrong)))
                if noise:
                    yield DraftCase(f"rgb-{part}", row["query"], tuple(noise), found=True)


def _right_ones(positive: Sequence, rng: random.Random) -> list[str]:
    """Passages that answer: of a question of several facts one for each."""
    if positive and not isinstance(positive[0], str):
        return [rng.choice(group) for group in positive if group]
    return rng.sample(list(positive), min(RIGHT, len(positive)))


def _articles(folder: Path, name: str, weighed: bool) -> list[dict]:
    return list(articles_among(folder, name, is_weighed) if weighed else learned_articles(folder, name))


def _rgb_rows(folder: Path, part: str, weighed: bool) -> list[dict]:
    rows = json_lines(folder / f"{part}.dev.jsonl")
    return [r for r in rows if (is_weighed(r["query"]) if weighed else not is_reported(r["query"]))]
