"""Questions that need two passages or more, for bench/graph_retrieval.py.

Two-hop questions are made by rule: the answer to one question of a SQuAD-like set is what another
question, about another paragraph, speaks of; there it is replaced by a pronoun. Knows data files; knows
nothing of searching.
"""

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.text import split_sentences
from evals.datasets.locomo import read_conversations

SEED = 20261126
MOST_CASES = 120
MOST_A_BRIDGE = 6
"""So many cases may rest on one name, or a frequent one would be all that is measured."""
MOST_PARAGRAPHS = 12
"""A name that more paragraphs hold joins nothing."""
_ASKS_NAME = re.compile("[谁誰]|哪[位里裡儿兒]|哪一?[个個家所座间間本国國]|何[处處人地]|名字|名称|名稱|叫")
_TIME = re.compile(
    r"\d{4}|^(?:Jan|Febr)uary|^(?:March|April|May|June|July|August)|^(?:Septem|Octo|Novem|Decem)ber"
)
_ENGLISH_NAME = re.compile(r"(?:[A-Z][\w'’-]+|\d{4})(?: (?:of |the |and |de |von )?[A-Z][\w'’-]+)*")


@dataclass(frozen=True, slots=True)
class Case:
    """A question with the ids of the passages that it needs, all of them."""

    id: str
    question: str
    needed: frozenset[str]


@dataclass(frozen=True, slots=True)
class CaseSet:
    """Passages by id, and questions over them."""

    name: str
    passages: dict[str, str]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    id: str
    text: str
    answer: str
    paragraph: str
    article: int


def two_hop(path: Path, name: str, language: str) -> CaseSet:
    """Made of a file in the SQuAD layout; always the same ones."""
    passages, asked = _read(path)
    holding: dict[str, set[str]] = defaultdict(set)
    by_word: dict[str, list[_Asked]] = defaultdict(list)
    answers = {a.answer for a in asked if _is_bridge(a.answer, language)}
    for answer in answers:
        holding[answer] = {i for i, text in passages.items() if answer in text}
        by_word[answer] = [q for q in asked if _names(q.text, answer, language)]
    found = []
    for first in asked:
        if first.answer not in answers or len(holding[first.answer]) > MOST_PARAGRAPHS:
            continue
        for second in by_word[first.answer]:
            is_other = second.paragraph != first.paragraph and second.paragraph in holding[first.answer]
            if is_other and first.answer not in first.text and second.answer != first.answer:
                found.append((first, second))
    return CaseSet(name, passages, tuple(_chosen(found, language)))


def _chosen(found: list[tuple[_Asked, _Asked]], language: str) -> Iterator[Case]:
    random.Random(SEED).shuffle(found)
    used: Counter[str] = Counter()
    taken = 0
    for first, second in found:
        used[first.answer] += 1
        if used[first.answer] > MOST_A_BRIDGE or taken == MOST_CASES:
            continue
        taken += 1
        pronoun = "它" if language == "zh" else "it"
        text = f"{first.text.strip()} {second.text.strip().replace(first.answer, pronoun)}"
        yield Case(f"{first.id}+{second.id}", text, frozenset({first.paragraph, second.paragraph}))


def _is_bridge(answer: str, language: str) -> bool:
    if language == "en":
        return _ENGLISH_NAME.fullmatch(answer) is not None and not _TIME.search(answer)
    return 2 <= len(answer) <= 12 and not re.search(r"[\d，。、年月日个個%]", answer)


def _asks_name(question: str, language: str) -> bool:
    """Chinese has no capitals: there a name is what somebody asked for as one."""
    return language == "en" or _ASKS_NAME.search(question) is not None


def _names(question: str, answer: str, language: str) -> bool:
    if language == "zh":
        return answer in question
    return re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", question) is not None


def _read(path: Path) -> tuple[dict[str, str], list[_Asked]]:
    passages, asked = {}, []
    for number, article in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"]):
        for at, paragraph in enumerate(article["paragraphs"]):
            place = f"{number}-{at}"
            passages[place] = paragraph["context"]
            for question in paragraph["qas"]:
                if question.get("answers"):
                    answer = question["answers"][0]["text"].strip()
                    asked.append(_Asked(str(question["id"]), question["question"], answer, place, number))
    return passages, asked


def related(path: Path, name: str, language: str) -> CaseSet:
    """How are A and B related? Made of a file in the SQuAD layout. A, B and what stands between them
    are answers that people marked: A and the one between stand in one sentence, B and it in a sentence
    of another paragraph, no sentence holds both, and nothing else is between them. So those two
    paragraphs, and no others, tell it. A or B stands in further paragraphs too."""
    passages, asked = _read(path)
    answers = {a.answer for a in asked if _is_bridge(a.answer, language) and _asks_name(a.text, language)}
    where, near = _neighbours(passages, answers, language)
    found = []
    for between in sorted(near):
        ends = sorted(end for end in near[between] if len(where[end]) <= MOST_PARAGRAPHS)
        if len(where[between]) > MOST_PARAGRAPHS:
            continue
        for one, other in ((a, b) for a in ends for b in ends if a < b and b not in near[a]):
            places = near[between][one], near[between][other]
            is_only = near[one].keys() & near[other].keys() == {between}
            is_apart = all(len(place) == 1 for place in places) and places[0] != places[1]
            if is_only and is_apart and len(where[one]) + len(where[other]) > 2:
                found.append((one, other, between, frozenset(places[0] | places[1])))
    random.Random(SEED).shuffle(found)
    return CaseSet(name, passages, tuple(_asked_for(found, language)))


def _neighbours(
    passages: dict[str, str], answers: set[str], language: str
) -> tuple[dict[str, set[str]], dict[str, dict[str, set[str]]]]:
    """The paragraphs that hold each answer, and those where a sentence holds two of them."""
    where: dict[str, set[str]] = defaultdict(set)
    near: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for place, text in passages.items():
        for sentence in split_sentences(text):
            words = sentence.of(text)
            held = [answer for answer in answers if _names(words, answer, language)]
            inside = [one for one in held if not any(one != other and one in other for other in held)]
            for one in inside:
                where[one].add(place)
                for other in inside:
                    if one != other:
                        near[one][other].add(place)
    return where, near


def _asked_for(found: Sequence[tuple[str, str, str, frozenset[str]]], language: str) -> Iterator[Case]:
    used: Counter[str] = Counter()
    taken = 0
    for one, other, between, needed in found:
        used.update((one, other, between))
        if max(used[one], used[other], used[between]) > MOST_A_BRIDGE or taken == MOST_CASES:
            continue
        taken += 1
        asks = f"{one}和{other}有什么关系？" if language == "zh" else f"How are {one} and {other} related?"
        yield Case(f"{one}|{other}", asks, needed)


def single_hop(path: Path, name: str, most: int) -> CaseSet:
    """The questions of a file as they are, each of which needs one paragraph: what must not be lost."""
    passages, asked = _read(path)
    chosen = random.Random(SEED).sample(asked, min(most, len(asked)))
    return CaseSet(name, passages, tuple(Case(a.id, a.text, frozenset({a.paragraph})) for a in chosen))


def conversations(path: Path) -> Iterator[CaseSet]:
    """LoCoMo: the turns of a conversation, and the questions that need several of them."""
    for conversation in read_conversations(path):
        passages = {r.id: f"{r.speaker}, {r.said}: {r.text}" for r in conversation.remarks}
        asked = [q for q in conversation.questions if len(q.evidence) > 1 and q.category == 1]
        cases = tuple(Case(q.id, q.text, q.evidence) for q in asked)
        yield CaseSet(f"locomo-{conversation.name}", passages, cases)
