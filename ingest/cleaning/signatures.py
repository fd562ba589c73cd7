"""What of a text can be compared with thousands of others without keeping it: a MinHash
signature of its shingles, and the numbers and codes that it names.

A shingle is `SHINGLE_TOKENS` neighbouring tokens; a token is a word, a number, or one Chinese,
Japanese or Korean character. Broder, On the resemblance and containment of documents, 1997.
Pure; knows nothing of files.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rensa import RMinHash

from core.text import normalise
from core.wording import codes, numbers

VERSION = 1
"""Raise it when the same text gives another signature: those of other versions are not compared."""
SHINGLE_TOKENS = 3
PERMUTATIONS = 256
BANDS = 51
LEAST_SHINGLES = 16
"""A text with fewer is told apart by a word or two: it has no signature."""
_ROWS = PERMUTATIONS // BANDS  # five
_SEED = 1
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]|[^\W_]+")
_FACTS = 4096


@dataclass(frozen=True, slots=True)
class Signature:
    """`values` are PERMUTATIONS numbers of 32 bits; `facts` are digests of what the text names,
    ordered, or None when it names too much to be kept."""

    values: tuple[int, ...]
    facts: tuple[int, ...] | None

    def similarity(self, other: "Signature") -> float:
        """Estimated share (0…1) of the shingles of both that both hold; its standard error is
        at most 1 / (2 √PERMUTATIONS), three hundredths."""
        return float(np.mean(np.array(self.values) == np.array(other.values)))

    def says_more_than(self, other: "Signature") -> bool:
        """Whether it names a number or a code that the other does not, or may do so."""
        if self.facts is None or other.facts is None:
            return True
        return not set(self.facts) <= set(other.facts)

    def band_keys(self, scope: str) -> list[int]:
        """BANDS signed numbers of 64 bits. Two texts of one scope that are alike share one with
        a probability of 1 - (1 - similarity**5)**51: .99992 at .7, .80 at .5, .12 at .3."""
        values = np.array(self.values, dtype=">u4")
        return [
            _digest(f"{VERSION}\0{scope}\0{at}".encode() + values[at * _ROWS : (at + 1) * _ROWS].tobytes())
            for at in range(BANDS)
        ]

    def to_bytes(self) -> bytes:
        """For a database."""
        facts = [-1] if self.facts is None else [len(self.facts), *self.facts]
        head = np.array(self.values, dtype=">u4").tobytes()
        return bytes([VERSION]) + head + np.array(facts, dtype=">i8").tobytes()

    @staticmethod
    def from_bytes(data: bytes) -> "Signature | None":
        """The inverse of to_bytes; None when another version made it."""
        if not data or data[0] != VERSION:
            return None
        end = 1 + 4 * PERMUTATIONS
        values = np.frombuffer(data[1:end], dtype=">u4")
        facts = np.frombuffer(data[end:], dtype=">i8")
        kept = None if facts[0] < 0 else tuple(int(fact) for fact in facts[1:])
        return Signature(tuple(int(value) for value in values), kept)


def sign(texts: Iterable[str]) -> Signature | None:
    """The signature of a document, given as its texts in their order; None when they are too
    short to be told apart by it."""
    texts = [normalise(text) for text in texts]
    shingles = shingles_of(texts)
    if len(shingles) < LEAST_SHINGLES:
        return None
    made = RMinHash(num_perm=PERMUTATIONS, seed=_SEED)
    made.update(sorted(shingles))
    return Signature(tuple(made.digest()), _facts_of(texts))


def shingles_of(texts: Sequence[str]) -> set[str]:
    """The shingles of normalised texts; they go on from one text to the next."""
    tokens = [token for text in texts for token in _TOKEN.findall(text)]
    last = len(tokens) - SHINGLE_TOKENS + 1
    return {" ".join(tokens[at : at + SHINGLE_TOKENS]) for at in range(last)}


def _facts_of(texts: Sequence[str]) -> tuple[int, ...] | None:
    named: set[str] = set()
    for text in texts:
        named |= {f"{value:g}" for value in numbers(text)} | codes(text)
        if len(named) > _FACTS:
            return None
    return tuple(sorted(_digest(name.encode()) for name in named))


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big", signed=True)
