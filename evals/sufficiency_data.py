"""Questions with passages that hold the answer or do not.

RGB at several shares of noise, CLAPnq, RAMDocs, SQuAD 2.0 in Chinese, XQuAD within and across
languages, CMRC 2018, DRCD.
Whole groups (an article, a question) fall into one half: what is fitted on one is reported on
the other. Knows files; knows nothing of fitting.
"""

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evals.datasets.answer_sets import clapnq_sets, rgb_sets
from evals.datasets.spans import answer_groups

PER_SET, ACROSS, WITHIN = 300, 60, 60
NEAR_STEPS = (15, 20, 25)
SEED = 7


@dataclass(frozen=True, slots=True)
class Case:
    """`groups` are strings that answer (see `matches`); empty when they are not known."""

    source: str
    group: str
    question: str
    passages: tuple[str, ...]
    answerable: bool
    groups: tuple[tuple[str, ...], ...] = ()

    @property
    def reported(self) -> bool:
        """Of the half that nothing is fitted on."""
        return is_reported(self.group)


def is_reported(group: str) -> bool:
    """Which half an article or a question belongs to."""
    return _hash(group) % 2 == 1


def is_weighed(group: str) -> bool:
    """Of the reported half the half whose drafts the check of answers is fitted on: whole answers are
    reported on the others."""
    return _hash(group) % 4 == 1


def is_asked(group: str) -> bool:
    """Of the quarter that whole answers are reported on."""
    return is_reported(group) and not is_weighed(group)


def _hash(group: str) -> int:
    return int(hashlib.sha256(group.encode()).hexdigest(), 16)


def read_cases(folder: Path) -> list[Case]:
    """All cases, the same each time."""
    return [
        *_rgb_cases(folder / "rgb"),
        *_clapnq_cases(folder / "clapnq"),
        *_ramdocs_cases(folder / "ramdocs"),
        *_squad2_cases(folder / "squad2_zh"),
        *_across_cases(folder / "xquad"),
        *_within_cases("xquad-zh", folder / "xquad/xquad.zh.half.json"),
        *_within_cases("xquad-en", folder / "xquad/xquad.en.half.json"),
        *_within_cases("cmrc2018", folder / "cmrc2018/cmrc2018_trial.json"),
        *_within_cases("drcd", folder / "drcd/DRCD_dev.json"),
    ]


def _rgb_cases(folder: Path) -> Iterator[Case]:
    for name, rows in rgb_sets(folder):
        for row in rows:
            gold = tuple(tuple(group) for group in row["must_match"])
            yield Case(
                name, row["question"], row["question"], tuple(row["passages"]), row["answerable"], gold
            )


def _clapnq_cases(folder: Path) -> Iterator[Case]:
    for name, rows in clapnq_sets(folder):
        for row in rows:
            yield Case(name, row["question"], row["question"], tuple(row["passages"]), row["answerable"])


def _ramdocs_cases(folder: Path) -> Iterator[Case]:
    """RAMDocs (Wang et al. 2025): documents that answer, with such as only share a name."""
    for line in (folder / "dev.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        right = [d["text"] for d in row["documents"] if d["type"] == "correct"]
        noise = [d["text"] for d in row["documents"] if d["type"] == "noise"]
        if right and noise:
            asked = row["question"]
            gold = answer_groups([row["gold_answers"]])
            yield Case("ramdocs", asked, asked, (*right[:1], *noise[:3]), True, gold)
            yield Case("ramdocs", asked, asked, tuple(noise[:4]), False)


def _across_cases(folder: Path) -> Iterator[Case]:
    """XQuAD's questions over the other language: their paragraph with two more of its article,
    or those of other articles and none that answers."""
    english, chinese = (list(read_squad(folder / f"xquad.{name}.half.json")) for name in ("en", "zh"))
    for at in random.Random(SEED).sample(range(len(english)), min(ACROSS, len(english))):
        for asked, held in ((english, chinese), (chinese, english)):
            near = [held[(at + step) % len(held)].context for step in NEAR_STEPS]
            near = [text for text in near if text != held[at].context]
            question, group = asked[at].question, english[at].title
            yield Case("xquad-across", group, question, (held[at].context, *near[:2]), True)
            yield Case("xquad-across", group, question, tuple(near), False)


def _within_cases(source: str, path: Path) -> Iterator[Case]:
    """Questions over their paragraph with two near ones, or over near ones alone: what a library of
    ordinary texts is asked."""
    rows = [row for row in read_squad(path) if row.answerable]
    for at in random.Random(SEED).sample(range(len(rows)), min(WITHIN, len(rows))):
        row = rows[at]
        near = [rows[(at + step) % len(rows)].context for step in NEAR_STEPS]
        near = [text for text in near if text != row.context]
        yield Case(source, row.title, row.question, (row.context, *near[:2]), True)
        yield Case(source, row.title, row.question, tuple(near), False)


def _squad2_cases(folder: Path) -> Iterator[Case]:
    """A question over its own paragraph, which answers it or was chosen so that it nearly does."""
    rows = [row for path in sorted(folder.glob("*.json")) for row in read_squad(path)]
    for row in random.Random(SEED).sample(rows, min(PER_SET, len(rows))):
        yield Case("squad2-zh", row.title, row.question, (row.context,), row.answerable)


@dataclass(frozen=True, slots=True)
class SquadRow:
    """A question of the SQuAD layout."""

    title: str
    context: str
    question: str
    answerable: bool


def read_squad(path: Path) -> Iterator[SquadRow]:
    """The questions of a file in their order."""
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        title = str(article.get("title") or article.get("id"))
        for paragraph in article["paragraphs"]:
            for row in paragraph["qas"]:
                answerable = bool(row.get("answers")) and not row.get("is_impossible")
                yield SquadRow(title, paragraph["context"], row["question"], answerable)
