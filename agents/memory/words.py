"""The words of a conversation and what each of them is worth there.

BM25 as the search has it (retrieval/lexical.py), with the conversation as its collection. Pure,
but for texts that were split lately; knows nothing of vectors.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from core.types import Remark
from retrieval.lexical import LexicalDocument, encode_document, idf, inner_product, query_shares, weigh_query

TEXTS_KEPT = 8192


class Words:
    """The statistics of one history."""

    def __init__(self, history: Sequence[Remark]) -> None:
        self._documents = [_encoded(f"{remark.speaker} {remark.text}") for remark in history]
        self._held: Counter[int] = Counter(term for found in self._documents for term in found.weights)

    def relevance(self, question: str) -> list[float]:
        """BM25 of each remark for a question."""
        query = weigh_query(query_shares(question), len(self._documents), self._held)
        return [inner_product(query, found.weights) for found in self._documents]

    def rarity(self, text: str) -> float:
        """What a text tells beside the rest of the conversation: the sum of idf over its terms."""
        return sum(self.worth(term) for term in terms_in(text))

    def worth(self, term: int) -> float:
        """The idf of a term. One that a single remark holds is no subject: half of what two share."""
        found = self._held.get(term, 0)
        return idf(len(self._documents), found) * (0.5 if found < 2 else 1.0)


def terms_in(text: str) -> frozenset[int]:
    """The terms of a text, without those that only ask."""
    return _terms(text)


@lru_cache(TEXTS_KEPT)
def _encoded(text: str) -> LexicalDocument:
    return encode_document(text)


@lru_cache(TEXTS_KEPT)
def _terms(text: str) -> frozenset[int]:
    return frozenset(term for term, share in query_shares(text).items() if share == 1.0)
