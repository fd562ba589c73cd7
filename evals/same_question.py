"""Measures when two questions are taken for one: `python -m evals.same_question DIR`.

DIR holds public question sets: CMRC 2018, DRCD, XQuAD (zh and en), SQuAD 2 in Chinese, TAT-QA and
IM-TQA, as far as they are there. Pairs are made of them: two questions about one paragraph or
table with different answers, and a question with a content word of another one in place of its
own, must not pass; two translations of one question, and a question with courtesy, marks and
case changed, may.
Prints one JSON report. Knows the rule and the files; knows nothing of entries.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agents.keywords import segments
from agents.question_form import form_of
from agents.same_question import SameQuestion, is_comparable
from core.errors import InputError
from core.seams import TokenEmbedder
from core.text import detect_language

FILES = {
    "cmrc": "cmrc2018/cmrc2018_trial.json",
    "drcd": "drcd/DRCD_dev.json",
    "xquad_zh": "xquad/xquad.zh.half.json",
    "xquad_en": "xquad/xquad.en.half.json",
    "squad2_zh": "squad2_zh/dev-v2.0-zh.part.json",
}
TABLE_FILES = {"tatqa": "tatqa/tatqa_dataset_dev.json", "imtqa": "imtqa_zh/dev_questions.json"}
MACHINE_TRANSLATED = "squad2_zh"
SHOWN = 20
_COURTESY = {"zh": ("请问{}", "您好，{}呢", "我想知道{}"), "en": ("Please tell me {}", "{} please", "{}")}
Pair = tuple[str, str]


@dataclass(slots=True)
class Pairs:
    """What must not pass, by its origin, and what may."""

    confusable: dict[str, list[Pair]] = field(default_factory=dict)
    same: dict[str, list[Pair]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    id: str
    question: str
    answers: frozenset[str]
    paragraph: int


def read_pairs(folder: Path, seed: int = 1) -> Pairs:
    """The pairs of the sets that are there; the same for the same seed.

    Raises:
        InputError: none is there.
    """
    sets = {name: list(_read(folder / path)) for name, path in FILES.items() if (folder / path).is_file()}
    if not sets and not any((folder / path).is_file() for path in TABLE_FILES.values()):
        raise InputError(
            f"there is no question set in {folder}", remedy=f"put there: {', '.join(FILES.values())}"
        )
    pairs, chance = Pairs(), random.Random(seed)
    for name, path in TABLE_FILES.items():
        if (folder / path).is_file():
            pairs.confusable[name] = list(_of_one_paragraph(list(_read_tables(folder / path))))
    for name, asked in sets.items():
        pairs.confusable[name] = list(_of_one_paragraph(asked))
        if name != MACHINE_TRANSLATED:
            questions = [one.question for one in asked]
            pairs.confusable[f"{name}, a word replaced"] = _replaced(questions, chance)
            pairs.same[f"{name}, courtesy"] = _courteous(questions, chance)
    translated = {one.id: one.question for one in sets.get(MACHINE_TRANSLATED, ())}
    pairs.same["two translations"] = [
        (one.question, translated[one.id]) for one in sets.get("xquad_zh", ()) if one.id in translated
    ]
    return pairs


def measure(pairs: Pairs, embedder: Callable[[], TokenEmbedder], near_at: float) -> dict:
    """How many of each kind pass, and which of those that must not."""
    same = SameQuestion(embedder, near_at)
    report: dict = {"near_at": near_at, "confusable": {}, "same": {}, "passed": []}
    for kind in ("confusable", "same"):
        for name, made in getattr(pairs, kind).items():
            passed = [pair for pair in made if same.find(pair[0], [pair[1]]) is not None]
            report[kind][name] = {"pairs": len(made), "passed": len(passed)}
            if kind == "confusable":
                report["passed"] += [[name, *pair] for pair in passed[:SHOWN]]
            else:
                facts = sum(is_comparable(form_of(one), form_of(other)) for one, other in made)
                report[kind][name]["same_facts"] = facts
    return report


def _read(path: Path) -> Iterator[_Asked]:
    data = json.loads(path.read_text(encoding="utf-8"))["data"]
    paragraphs = [paragraph for article in data for paragraph in article["paragraphs"]]
    for at, paragraph in enumerate(paragraphs):
        for row in paragraph["qas"]:
            answers = frozenset(answer["text"] for answer in row.get("answers", ()))
            yield _Asked(str(row["id"]), row["question"].strip(), answers, at)


def _read_tables(path: Path) -> Iterator[_Asked]:
    """TAT-QA has its questions by table, IM-TQA the table of each question."""
    places: dict[str, int] = {}
    for row in json.loads(path.read_text(encoding="utf-8")):
        for asked in row.get("questions", [row]):
            table = str(row["table_id"]) if "table_id" in row else str(row["table"]["uid"])
            question = str(asked.get("chinese_question") or asked["question"]).strip()
            answer = str(asked["answer"] if "answer" in asked else asked["answer_cell_list"])
            place = places.setdefault(table, len(places))
            yield _Asked("", question, frozenset({answer}), place)


def _of_one_paragraph(asked: Sequence[_Asked]) -> Iterator[Pair]:
    """Two wordings of one question are left out as far as they can be told: by their keys."""
    by_paragraph: dict[int, list[_Asked]] = {}
    for one in asked:
        for other in by_paragraph.setdefault(one.paragraph, []):
            differs = not one.answers & other.answers
            if differs and form_of(one.question).key != form_of(other.question).key:
                yield one.question, other.question
        by_paragraph[one.paragraph].append(one)


def _replaced(questions: Sequence[str], chance: random.Random) -> list[Pair]:
    made = []
    for question in questions:
        own = [word for word in segments(question) if word in question.lower()]
        others = [word for word in segments(chance.choice(questions)) if word not in own]
        if not own or not others:
            continue
        old, lowered = chance.choice(own), question.lower()
        at = lowered.index(old)
        other = question[:at] + chance.choice(others) + question[at + len(old) :]
        if form_of(other).key != form_of(question).key:
            made.append((question, other))
    return made


def _courteous(questions: Sequence[str], chance: random.Random) -> list[Pair]:
    made = []
    for question in questions:
        language = detect_language(question)
        bare = question.rstrip("?？ ")
        worded = chance.choice(_COURTESY[language]).format(bare if language == "zh" else bare.lower())
        made.append((question, worded + chance.choice(("", "?", "？"))))
    return made


def main() -> None:
    """Reads the command line, measures and prints."""
    from app.services import Services
    from core.settings import load_settings

    parser = argparse.ArgumentParser(prog="python -m evals.same_question")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--near-at", type=float)
    arguments = parser.parse_args()
    settings = load_settings()
    near_at = settings.faq.near_at if arguments.near_at is None else arguments.near_at
    report = measure(read_pairs(arguments.folder), Services(settings).token_embedder, near_at)
    print(json.dumps(report, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
