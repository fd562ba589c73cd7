"""Near-copies among the found chunks: the same page in two files, two versions of a page.

Exact comparison of shingles: for the few dozen chunks of one question it takes about a
millisecond, so an index of hashes would buy nothing. Pure; knows nothing of questions.
"""

from collections.abc import Sequence
from functools import cache

from core.text import normalise
from core.types import Hit
from core.wording import codes, numbers

SHINGLE_CHARS = 8
COPY_FROM = 0.9


def drop_copies(hits: Sequence[Hit], copy_from: float = COPY_FROM) -> list[Hit]:
    """The hits without those that say nearly letter for letter what a better one says.

    Two texts are copies when the Jaccard similarity of their shingles is at least
    `copy_from` and the later one brings no number and no code of its own, in its text or
    its headings: versions that differ in a figure are both kept.
    """
    kept: list[tuple[Hit, set]] = []
    cut = cache(shingles)
    for hit in hits:
        facts, text = _facts(hit), hit.chunk.text
        # Facts first: most texts bring one of their own, and need not be cut.
        alike = (other.chunk.text for other, known in kept if facts <= known)
        if not any(jaccard(cut(text), cut(other)) >= copy_from for other in alike):
            kept.append((hit, facts))
    return [hit for hit, _ in kept]


def shingles(text: str) -> frozenset[str]:
    """All stretches of SHINGLE_CHARS characters of the normalised text without blanks; a
    shorter text is one shingle."""
    squeezed = normalise(text).replace(" ", "")
    last = max(1, len(squeezed) - SHINGLE_CHARS + 1)
    return frozenset(squeezed[at : at + SHINGLE_CHARS] for at in range(last))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Share (0…1) of what either holds that both hold."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def _facts(hit: Hit) -> set:
    text = f"{hit.chunk.context}\n{hit.chunk.text}"
    return numbers(text) | codes(text)
