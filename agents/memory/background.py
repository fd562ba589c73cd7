"""What is known when a question comes, and what of it the model is told.

The turns of the session and the user's facts are read once for a question, by whoever knows the
owner; nodes see this question's alone. What is recalled helps to understand the question; it is
never evidence, so no sentence can cite it. Knows strategies; knows nothing of databases.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.guards.question_guard import refusal_of
from agents.keywords import segments
from agents.memory.building import MemoryStrategies
from agents.memory.facts import Fact
from agents.memory.rendering import Budget, render
from agents.memory.statements import ANSWER_LANGUAGE
from agents.small_talk import small_talk_of
from agents.tools.commands import is_command
from core.text import detect_language
from core.types import Recollection, Remark, Status, Turn
from retrieval.terms import split_terms

USER, ASSISTANT = "User", "Attest"
LANGUAGES = frozenset(["zh", "en"])
FACTS_SHARE = 0.4
"""Of the budget; what facts leave goes to the conversation."""
_OF_ONESELF = re.compile(r"\b(?:i|i'm|my|mine|me|we|our|us)\b|我|咱", re.IGNORECASE)
_MARKER = re.compile(r"\s*\[\d{1,2}\]")
LOOKED_AT = 20
"""Among so many of the latest questions the one that a follow-up goes on from is looked for."""
_LOOKS_BACK = re.compile(
    r"\b(?:you|i|we) (?:just )?(?:said|told|asked|mentioned|discussed)\b|\bearlier (?:question|answer)s?\b"
    r"|\b(?:previous|last|first) (?:question|answer)s?\b|\bthe (?:first|second|third|last) one\b"
    "|刚才|刚刚|(?:之前|前面|上面)(?:说|问|提|讲|聊|的问题|的回答)|上一?个(?:问题|回答)|[你我](?:说|问|提到)过"
    "|第[一二三]个呢?[？?]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Background:
    """`turns` of the session, oldest first; `facts` of the user; `keeps_facts`: whether what the
    user says now will be kept, None where nothing ever is."""

    turns: tuple[Turn, ...] = ()
    facts: tuple[Fact, ...] = ()
    keeps_facts: bool | None = None

    @property
    def questions(self) -> list[str]:
        """What was asked lately of the documents: what was refused is not taken up again, and neither small
        talk nor a call of a tool asks them anything."""
        asked = [turn.question for turn in self.turns[-LOOKED_AT:]]
        return [q for q in asked if not (refusal_of(q) or small_talk_of(q) or is_command(q))]

    @property
    def answer_language(self) -> str:
        """The language that the user wants answers in; empty when none was named."""
        named = (fact.value for fact in self.facts if fact.key == ANSWER_LANGUAGE)
        return next((value for value in named if value in LANGUAGES), "")


@dataclass(frozen=True, slots=True)
class Recaller:
    """Chooses by a strategy, within a budget of tokens. Without strategies nothing is recalled."""

    strategies: MemoryStrategies | None = None
    strategy: str = ""
    tokens: int = 0

    def recall(self, background: Background, question: str, strategy: str, refers_back: bool) -> str:
        """What the model is told beside the evidence: facts that bear on the question, and, when
        it refers back, some of the conversation. Empty for most questions, which stand by
        themselves. A `strategy` of the session goes before that of the settings.

        Raises:
            EmbedderError: a strategy needs vectors, and the embedder does not answer.
        """
        if self.strategies is None or not self.tokens:
            return ""
        facts = recall_facts(background.facts, question, Budget(self.tokens * FACTS_SHARE))
        lines = []
        if background.turns and (refers_back or _LOOKS_BACK.search(question)):
            left = self.tokens - sum(map(Budget.cost_of, facts))
            memory = self.strategies.get(strategy or self.strategy)
            lines = memory.recall(remarks_of(background.turns), question, int(left))
        return render([*facts, *lines])


def recall_facts(facts: Sequence[Fact], question: str, budget: Budget) -> list[Recollection]:
    """The facts that share a word with the question, the latest first, and where the user speaks
    of themselves the others behind them. How to answer is no such fact."""
    asked = {term for segment in segments(question) for term in split_terms(segment)}
    own = bool(_OF_ONESELF.search(question))
    rated = [
        (bool(asked.intersection(split_terms(f"{fact.key} {fact.value}"))), fact)
        for fact in facts
        if fact.key != ANSWER_LANGUAGE
    ]
    chosen = [fact for shares, fact in rated if shares] + [
        fact for shares, fact in rated if own and not shares
    ]
    language = detect_language(question)
    lines = [Recollection(_fact_line(fact, language), (fact.id,)) for fact in chosen]
    return [line for line in lines if budget.take(line)]


def remarks_of(turns: Sequence[Turn]) -> list[Remark]:
    """Turns as what was said in them. Of one that was declined the question alone, and of one that
    was refused nothing. What a tool gave that was called by name is not what the assistant said: it may be of
    another's server or of a document, was not screened as evidence is, and so is told to no model."""
    remarks = []
    for at, turn in enumerate(turns):
        if refusal_of(turn.question):
            continue
        said, name = turn.said[:10], turn.id or str(at)
        remarks.append(Remark(f"{name}/question", USER, turn.question, said))
        if turn.status is not Status.ABSTAINED and not is_command(turn.question):
            # Its markers name evidence that is not shown now.
            remarks.append(Remark(f"{name}/answer", ASSISTANT, _MARKER.sub("", turn.answer), said))
    return remarks


def _fact_line(fact: Fact, language: str) -> str:
    if fact.key in fact.value.casefold():
        return fact.value
    return f"用户的 {fact.key}：{fact.value}" if language == "zh" else f"The user's {fact.key}: {fact.value}"
