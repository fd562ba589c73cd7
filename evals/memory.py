"""Measures memory: of a long conversation, does what is put before the model hold the turns that
answer a question?

For each strategy and token budget the share of a question's evidence turns that are among the
sources of what is recalled; and, since a note holds less than its turn, the share of their words
that stand there. Knows the strategies and conversations; knows nothing of models that answer.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.memory.building import NAMES, MemoryStrategies, check_strategy
from agents.memory.rendering import render
from core.errors import InputError
from core.seams import Embedder, Memory
from core.types import Recollection, Remark
from evals.datasets.locomo import CATEGORIES, Conversation, read_conversations
from evals.indexing import settings_fingerprint
from evals.memory_updates import measure_updates
from retrieval.evidence import estimate_tokens
from retrieval.terms import split_terms

BUDGETS = (650, 1300, 2600)
STRATEGIES = (*NAMES, "window+vector", "graph+vector")
"""What is measured when nothing is named."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """One question under one strategy and budget."""

    question: str
    conversation: str
    category: str
    budget: int
    recall: float
    words: float
    tokens: float
    ms: float


def evaluate_memory(
    path: Path,
    strategies: Sequence[str],
    open_embedder: Callable[[], Embedder],
    on_progress: Callable[[str], None],
) -> dict:
    """The report over a file in the form of LoCoMo.

    Raises:
        InputError: the file is no such file, no question has evidence, or a strategy is not there.
    """
    conversations = read_conversations(path)
    if not any(conversation.questions for conversation in conversations):
        raise InputError(f"no question in {path} has evidence", remedy="see docs/memory.md for the form")
    for name in strategies:
        check_strategy(name)
    embedder = open_embedder()
    makers = MemoryStrategies(embedder)
    memories = {name: makers.get(name) for name in strategies or STRATEGIES}
    rows: dict[str, list[Recalled]] = {}
    for name, memory in memories.items():
        rows[name] = []
        for conversation in conversations:
            on_progress(f"{name}: {conversation.name}")
            rows[name] += ask_all(memory, conversation)
    return report_of(rows, conversations, embedder)


def ask_all(memory: Memory, conversation: Conversation) -> list[Recalled]:
    """Every question of a conversation at every budget."""
    found = []
    memory.recall(conversation.remarks, "warm", BUDGETS[0])  # vectors are made once, as they are in a session
    for asked in conversation.questions:
        for budget in BUDGETS:
            begun = time.perf_counter()
            lines = memory.recall(conversation.remarks, asked.text, budget)
            ms = (time.perf_counter() - begun) * 1000
            held = {source for line in lines for source in line.sources}
            found.append(
                Recalled(
                    question=f"{conversation.name}/{asked.id}",
                    conversation=conversation.name,
                    category=CATEGORIES.get(asked.category, str(asked.category)),
                    budget=budget,
                    recall=len(asked.evidence & held) / len(asked.evidence),
                    words=_words_held(conversation.remarks, asked.evidence, lines),
                    tokens=estimate_tokens(render(lines)),
                    ms=ms,
                )
            )
    return found


def report_of(
    rows: Mapping[str, Sequence[Recalled]], conversations: Sequence[Conversation], embedder: Embedder
) -> dict:
    """`best_recall@BUDGET` over all questions, and everything of each strategy; `updates` of facts;
    `queries` are those of the strategy that is best at the middle budget."""
    strategies = {name: _of_strategy(found) for name, found in rows.items()}
    best = {budget: max(strategies, key=lambda n: strategies[n][f"recall@{budget}"]) for budget in BUDGETS}
    return {
        **{f"best_recall@{budget}": strategies[best[budget]][f"recall@{budget}"] for budget in BUDGETS},
        "best": {str(budget): name for budget, name in best.items()},
        "n": len(next(iter(rows.values()))) // len(BUDGETS),
        "conversations": {
            c.name: {"turns": len(c.remarks), "questions": len(c.questions)} for c in conversations
        },
        "strategies": strategies,
        "updates": measure_updates(),
        "settings_fingerprint": settings_fingerprint({"budgets": BUDGETS, "strategies": sorted(rows)}),
        "embedder": embedder.fingerprint,
        "queries": _queries(rows[best[BUDGETS[1]]]),
    }


def _of_strategy(rows: Sequence[Recalled]) -> dict:
    """Means over all questions, of each conversation and of each category."""
    parts = {"conversations": lambda row: row.conversation, "categories": lambda row: row.category}
    report: dict = {**_means(rows), "ms": round(statistics.median(row.ms for row in rows), 2)}
    for part, key in parts.items():
        names = sorted({key(row) for row in rows})
        report[part] = {name: _means([row for row in rows if key(row) == name]) for name in names}
    return report


def _means(rows: Sequence[Recalled]) -> dict:
    found: dict = {"n": len(rows) // len(BUDGETS)}
    for name in ("recall", "words", "tokens"):
        for budget in BUDGETS:
            value = statistics.fmean(getattr(row, name) for row in rows if row.budget == budget)
            found[f"{name}@{budget}"] = round(value, 1 if name == "tokens" else 4)
    return found


def _queries(rows: Sequence[Recalled]) -> dict:
    """As `attest compare` reads them."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row.question, {})[f"recall@{row.budget}"] = round(row.recall, 4)
    return found


def _words_held(history: Sequence[Remark], evidence: frozenset[str], lines: Sequence[Recollection]) -> float:
    """The share of the terms of the evidence turns that stand in lines taken from them, mean of
    the turns."""
    shares = []
    for remark in history:
        if remark.id in evidence:
            terms = set(split_terms(remark.text))
            shown = {t for line in lines if remark.id in line.sources for t in split_terms(line.text)}
            shares.append(len(terms & shown) / len(terms) if terms else 1.0)
    return statistics.fmean(shares)
