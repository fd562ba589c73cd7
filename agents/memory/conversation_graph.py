"""Memory as a graph of the conversation: who said what of what, walked from what is asked.

Nodes are remarks and what they speak of (speakers, names, subjects); an edge says that a remark
speaks of it. From the nodes that a question names, personalised PageRank (Haveliwala 2002; over
passages and entities as in HippoRAG, Gutiérrez et al. 2024) reaches remarks that share a subject
with those that match, though none of the question's words. Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from agents.memory.rendering import Budget, take_remarks
from agents.memory.words import Words, terms_in
from core.types import Recollection, Remark

DAMPING = 0.5
"""Near the question: half of the walk starts anew at each step."""
STEPS = 12
TOO_COMMON = 0.2
"""What more than this share of the remarks hold joins nothing, but for their speakers."""
NEXT_WEIGHT = 2.0
"""The weight of the edge from a remark to the next one, which often answers it."""


class ConversationGraph:
    """A `Memory` of the remarks that a walk from the question's subjects comes by most."""

    name = "graph"

    def recall(self, history: Sequence[Remark], question: str, budget: int) -> list[Recollection]:
        """See `Memory.recall`. Nothing, when the question names nothing that was spoken of."""
        if not history:
            return []
        words = Words(history)
        edges = subjects_of(history)
        seeds = {term: words.worth(term) for term in terms_in(question) if term in edges}
        if not seeds:
            return []
        walked = walk(edges, seeds, words, len(history))
        order = [int(at) for at in np.argsort(-walked, kind="stable") if walked[at] > 0]
        return take_remarks(history, order, Budget(budget))


def subjects_of(history: Sequence[Remark]) -> dict[int, list[int]]:
    """The remarks that speak of each subject, by its term; who speaks is one of them."""
    speakers = {term for remark in history for term in terms_in(remark.speaker)}
    held = Counter(term for remark in history for term in terms_in(remark.text))
    common = TOO_COMMON * len(history)
    edges: dict[int, list[int]] = defaultdict(list)
    for at, remark in enumerate(history):
        for term in terms_in(f"{remark.speaker} {remark.text}"):
            if term in speakers or held[term] <= max(common, 2):
                edges[term].append(at)
    return dict(edges)


def walk(edges: dict[int, list[int]], seeds: dict[int, float], words: Words, remarks: int) -> np.ndarray:
    """The share of a long walk that is spent at each remark, shape (remarks,)."""
    terms = list(edges)
    rows = np.concatenate([np.full(len(edges[term]), at) for at, term in enumerate(terms)])
    columns = np.concatenate([np.array(edges[term]) for term in terms])
    weights = np.array([words.worth(terms[at]) for at in rows])
    from_term = weights / np.bincount(rows, weights, len(terms))[rows]
    leaving = np.bincount(columns, weights, remarks) + NEXT_WEIGHT * 2
    start = np.array([seeds.get(term, 0.0) for term in terms])
    start /= start.sum()
    at_terms, at_remarks, total = start, np.zeros(remarks), np.zeros(remarks)
    for _ in range(STEPS):
        share = at_remarks / leaving
        reached = np.bincount(columns, at_terms[rows] * from_term, remarks)
        reached[1:] += NEXT_WEIGHT * share[:-1]
        reached[:-1] += NEXT_WEIGHT * share[1:]
        at_terms = (1 - DAMPING) * start + DAMPING * np.bincount(rows, weights * share[columns], len(terms))
        at_remarks = DAMPING * reached
        total += at_remarks
    return total
