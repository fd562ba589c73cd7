"""Cuts evidence to what a pair can hold: the sentences that speak most of the first text, with their
neighbours, in their order. Pure; knows nothing of models.
"""

import math
from collections import Counter
from collections.abc import Callable

from core.text import split_sentences
from retrieval.terms import split_terms

SENTENCES = 3
"""So many are chosen by their words; the others are their neighbours."""


def cut_window(first: str, second: str, budget: int, count: Callable[[str], int]) -> str:
    """The second text, or a selection of its sentences of at most `budget` tokens by `count`; its
    beginning where no sentence shares a word with the first."""
    if count(second) <= budget:
        return second
    parts = [span.of(second) for span in split_sentences(second)]
    parts = [part for part in parts if part.strip()]
    tables = [set(split_terms(part)) for part in parts]
    sizes = [count(part) for part in parts]
    common = Counter(term for table in tables for term in table)
    left = {term: math.log(1 + len(parts) / common[term]) for term in split_terms(first) if common[term]}
    chosen: list[int] = []

    def put(at: int) -> None:
        used = sum(sizes[index] for index in chosen)
        if 0 <= at < len(parts) and at not in chosen and used + sizes[at] <= budget:
            chosen.append(at)

    for _ in range(SENTENCES):
        gains = [sum(left[term] for term in table if term in left) for table in tables]
        best = max(range(len(parts)), key=gains.__getitem__)
        if not gains[best]:
            break
        if not chosen and sizes[best] > budget:
            return parts[best]  # alone it says most; the reader cuts its end
        put(best)
        left = {term: weight for term, weight in left.items() if term not in tables[best]}
    for at in list(chosen) or [0]:
        put(at)
        put(at - 1)
        put(at + 1)
    return "\n".join(parts[at] for at in sorted(chosen)) or parts[0]
