"""Does the newest word of a user hold? Made dialogues, each of which says the same thing two to four
times with other values, in Chinese and English, among other statements and in any order of sessions.

Measured is what is recalled for a question about it: the newest value, and any older one. Knows
the rules, the table and the choice of facts; knows no model.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import StaticPool, create_engine

from agents.memory.background import recall_facts
from agents.memory.facts import Facts
from agents.memory.rendering import Budget, render
from agents.memory.user_memory import UserMemory
from core.settings import MemorySettings
from core.types import Status, Turn

DIALOGUES, SEED = 200, 11
BUDGET = 120
_PLACES = ("Berlin", "Lagos", "Lima", "Oslo", "Quito", "Rabat", "Turin", "上海", "成都", "青岛", "西安")
_THINGS = ("deadline", "budget review", "launch date", "产品发布日", "例会时间", "验收日期")
_DAYS = ("Monday", "Tuesday", "5 June", "12 October", "周三", "周五下午", "9月1日", "月底")
_WORKPLACE = ("I work in the {} office.", "I work at {} now", "我在{}分公司工作。", "我现在在{}上班")
_ABOUT_EN = ("Remember that the {thing} is {value}.", "Please remember the {thing} is now {value}")
_ABOUT_ZH = ("请记住{thing}是{value}。", "记住：{thing}改为{value}", "请记住：{thing}改到{value}。")
_ASKED = ("Where is my office?", "我的办公地点在哪里？")


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What a user said, oldest first; the value that holds, those that no longer do, and a question."""

    said: tuple[str, ...]
    newest: str
    older: tuple[str, ...]
    question: str


def made_dialogues(number: int = DIALOGUES, seed: int = SEED) -> Iterator[Dialogue]:
    """The same for the same seed."""
    chance = random.Random(seed)
    for _ in range(number):
        is_workplace = chance.random() < 0.5
        values = chance.sample(_PLACES if is_workplace else _DAYS, chance.randint(2, 4))
        if is_workplace:
            said = [chance.choice(_WORKPLACE).format(value) for value in values]
            question = chance.choice(_ASKED)
        else:
            thing = chance.choice(_THINGS)
            forms = _ABOUT_EN if thing.isascii() else _ABOUT_ZH
            said = [chance.choice(forms).format(thing=thing, value=value) for value in values]
            question = f"When is my {thing}?" if thing.isascii() else f"我的{thing}是哪天？"
        others = ["My name is Kim.", "我喜欢简短的回答，请记住。", "Remember that the printer is on floor 3."]
        for other in others:
            said.insert(chance.randint(0, len(said)), other)
        yield Dialogue(tuple(said), values[-1], tuple(values[:-1]), question)


def measure_updates() -> dict:
    """`newest`: share of the dialogues in which the value that holds is recalled; `older`: in
    which one that no longer does is recalled too, which should be none."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    memory = UserMemory(Facts(engine), MemorySettings())
    newest = older = 0
    dialogues = list(made_dialogues())
    for at, dialogue in enumerate(dialogues):
        owner = f"user {at}"
        for place, words in enumerate(dialogue.said):
            said = f"2026-01-{place + 1:02}T00:00:00.000000+00:00"
            memory.note(owner, f"session {place % 2}", Turn(words, "", Status.ANSWERED, f"t{place}", said))
        facts = memory.background(owner, []).facts
        told = render(recall_facts(facts, dialogue.question, Budget(BUDGET)))
        newest += dialogue.newest in told
        older += any(value in told for value in dialogue.older)
    engine.dispose()
    return {
        "n": len(dialogues),
        "newest": round(newest / len(dialogues), 4),
        "older": round(older / len(dialogues), 4),
    }
