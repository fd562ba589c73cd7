"""Memory by entity: what was said of the people, things and subjects that a question names.

An entity is a name, a code, or a word that more than one remark holds. Pure.
"""

from collections.abc import Sequence

from agents.memory.rendering import Budget, note_of
from agents.memory.words import Words, terms_in
from core.text import split_sentences
from core.types import Recollection, Remark

LATER_BY = 1e-3
"""Of two notes that are as good, the later one is tried first."""


class EntityNotes:
    """A `Memory` of the sentences on what the question names, as notes."""

    name = "entities"

    def recall(self, history: Sequence[Remark], question: str, budget: int) -> list[Recollection]:
        """See `Memory.recall`. Nothing, when the question names nothing that was spoken of."""
        words = Words(history)
        named = {term: words.worth(term) for term in terms_in(question)}
        found = []
        for at, remark in enumerate(history):
            speaker = terms_in(remark.speaker)
            for span in split_sentences(remark.text):
                sentence = span.of(remark.text)
                own = terms_in(sentence)
                # Who speaks is known by the line itself, and most of what is said is said of oneself.
                told = sum(named.get(term, 0.0) for term in own | speaker)
                if own & named.keys():
                    found.append((told + at / len(history) * LATER_BY, at, span.start, sentence))
        taken = Budget(budget)
        ranked = sorted(found, key=lambda entry: -entry[0])
        notes = {}  # by sentence: one that a remark says twice is one note
        for _, at, start, sentence in ranked:
            notes.setdefault((at, sentence), (at, start, note_of(history[at], sentence)))
        return [
            note for *_, note in sorted((n for n in notes.values() if taken.take(n[2])), key=lambda n: n[:2])
        ]
