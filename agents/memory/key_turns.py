"""Memory of key turns: what told most when it was said, whatever is asked now.

Greetings and small talk are dropped; what holds figures, names, rare words, or is said to be
kept in mind stays. Pure.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from agents.memory.rendering import Budget, as_said, take_remarks
from agents.memory.words import TEXTS_KEPT, Words
from core.types import Recollection, Remark
from core.wording import chinese_names, codes, names, plain_numbers
from retrieval.evidence import estimate_tokens

FACT_WORTH = 3.0
"""What a number, name or code counts beside idf, which is 3 for a word of one remark in twenty."""
KEEP_WORTH = 4
"""So many facts is it worth to be asked to keep something in mind."""
LINE_TOKENS = 20
"""Without them the shortest remarks would tell most for their length."""
ASKED_TO_KEEP = re.compile(
    r"\b(?:remember|don't forget|keep in mind|note that|from now on|important)\b"
    "|记住|记得|别忘|请注意|以后|重要",
    re.IGNORECASE,
)


class KeyTurns:
    """A `Memory` of the remarks that tell most for their length."""

    name = "key-turns"

    def recall(self, history: Sequence[Remark], question: str, budget: int) -> list[Recollection]:
        """See `Memory.recall`."""
        words = Words(history)
        order = sorted(range(len(history)), key=lambda at: -salience(words, history[at]))
        return take_remarks(history, order, Budget(budget))


def salience(words: Words, remark: Remark) -> float:
    """What a remark tells for its length."""
    told = words.rarity(remark.text) + FACT_WORTH * _weight_of_facts(remark.text)
    return told / (LINE_TOKENS + estimate_tokens(as_said(remark).text))


@lru_cache(TEXTS_KEPT)
def _weight_of_facts(text: str) -> int:
    facts = plain_numbers(text) | codes(text) | names(text) | chinese_names(text)
    return len(facts) + (KEEP_WORTH if ASKED_TO_KEEP.search(text) else 0)
