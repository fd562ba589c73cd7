"""Memory as a rolling summary: the latest remarks as they were said, and before them of every
sitting the sentences that tell most and repeat least.

Extractive, so that nothing is made up and no model is called (maximal marginal relevance,
Carbonell and Goldstein 1998). Pure.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from agents.memory.key_turns import salience
from agents.memory.places import take_latest
from agents.memory.rendering import Budget, note_of
from agents.memory.words import Words, terms_in
from core.text import split_sentences
from core.types import Recollection, Remark

LEAST_WORDS_APART = 0.6
"""A sentence of which more is in the summary already is left out."""


@dataclass(frozen=True, slots=True)
class RollingSummary:
    """A `Memory` of the whole conversation, ever shorter the longer it is. The latest remarks
    take `latest` of the budget."""

    latest: float = 0.3
    name: str = "summary"

    def recall(self, history: Sequence[Remark], question: str, budget: int) -> list[Recollection]:
        """See `Memory.recall`."""
        recent = Budget(budget * self.latest)
        window = take_latest(history, recent)
        older = history[: len(history) - len(window)]
        return [*summarise(older, Budget(budget * (1 - self.latest) + recent.left)), *window]


def summarise(history: Sequence[Remark], budget: Budget) -> list[Recollection]:
    """Sentences of the history, in its order: the best of each sitting, then the second best of
    each, until the budget is spent."""
    words, said = Words(history), defaultdict(list)
    for at, remark in enumerate(history):
        said[remark.said].append(at)
    kept: list[tuple[int, int, Recollection]] = []
    known: set[int] = set()
    ranked = [list(_ranked(words, history, places)) for places in said.values()]
    for row in zip_longest(*ranked):
        for at, start, sentence in filter(None, row):
            terms = terms_in(sentence)
            fresh = len(terms - known) / len(terms) if terms else 0.0
            note = note_of(history[at], sentence)
            if fresh > 1 - LEAST_WORDS_APART and budget.take(note):
                known |= terms
                kept.append((at, start, note))
    return [note for _, _, note in sorted(kept, key=lambda entry: entry[:2])]


def _ranked(words: Words, history: Sequence[Remark], places: Sequence[int]) -> Iterator[tuple[int, int, str]]:
    """The sentences of a sitting, those that tell most first: place, start, words."""
    found = []
    for at in places:
        remark = history[at]
        for span in split_sentences(remark.text):
            sentence = span.of(remark.text)
            told = salience(words, Remark(remark.id, remark.speaker, sentence))
            found.append((-told, at, span.start, sentence))
    for _, at, start, sentence in sorted(found):
        yield at, start, sentence
