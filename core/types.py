"""The nouns of the product, frozen. Words as in docs/concepts.md, no synonyms.

Knows nothing of stores, models or HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

EVERYONE = "everyone"
"""The reader that every caller is. A document readable by it is public in its collection."""


class ElementKind(StrEnum):
    """What a parser can yield."""

    TITLE = "title"
    TEXT = "text"
    LIST = "list"
    TABLE = "table"
    FIGURE = "figure"
    CODE = "code"
    FORMULA = "formula"


class Stage(StrEnum):
    """Which stage gave a hit its score. Higher is better in each of them."""

    DENSE = "dense"
    LEXICAL = "lexical"
    IMAGE = "image"
    FUSED = "fused"
    RERANKED = "reranked"


class Label(StrEnum):
    """A guard's word on a sentence."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNSUPPORTED = "unsupported"
    UNSURE = "unsure"


class Status(StrEnum):
    """How a question ended."""

    ANSWERED = "answered"
    PARTIAL = "partial"
    ABSTAINED = "abstained"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points from the page's top left corner. Pages count from 1."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a file. `id` is the sha256 of its bytes, and of its readers too when not
    everyone is among them; `uri` is its identity over time."""

    id: str
    uri: str
    title: str
    media_type: str
    size_bytes: int
    collection: str
    readers: tuple[str, ...] = (EVERYONE,)
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Element:
    """What a parser yields, in reading order. `level` is 1…6 for titles, else 0."""

    kind: ElementKind
    text: str
    page: int | None = None
    box: Box | None = None
    level: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is embedded and cited. `text` is what a quote is verified against."""

    id: str
    document_id: str
    order: int
    text: str
    title: str
    uri: str
    headings: tuple[str, ...] = ()
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    kind: ElementKind = ElementKind.TEXT

    @property
    def context(self) -> str:
        """Title and heading path, which go in front of the text when it is embedded."""
        parts = [self.title, *(h for h in self.headings if h != self.title)]
        return " › ".join(part for part in parts if part)


def chunk_id(document_id: str, order: int) -> str:
    """The id of the chunk at `order`: the same document always gives the same ids."""
    return f"{document_id[:16]}-{order:05d}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a caller may look: one collection, as these readers. `everyone` is implied."""

    collection: str
    readers: frozenset[str] = frozenset()

    @property
    def principals(self) -> tuple[str, ...]:
        """All names that the caller goes by, in a stable order."""
        return tuple(sorted(self.readers | {EVERYONE}))


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk with the score of `stage`; `ranks` are its 1-based ranks at every stage."""

    chunk: Chunk
    score: float
    stage: Stage
    ranks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`score` is the probability (0…1) that the evidence supports the sentence."""

    label: Label
    score: float
    guard: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """`quote` is `chunk.text[start:end]`, letter by letter."""

    marker: int
    chunk_id: str
    document_id: str
    title: str
    uri: str
    quote: str
    start: int
    end: int
    page: int | None = None
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer with the markers of its citations."""

    text: str
    citations: tuple[int, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Usage:
    """What the chat model was asked for."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    model_calls: int = 0

    def plus(self, other: "Usage") -> "Usage":
        """The sum of both."""
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.model_calls + other.model_calls,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a turn. `text` holds only what may leave; `withheld` what may not."""

    id: str
    status: Status
    text: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    withheld: tuple[Sentence, ...] = ()
    looked_for: tuple[str, ...] = ()
    route: str = "search"
    usage: Usage = Usage()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    trace_id: str = ""
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what was answered, as a session remembers it."""

    question: str
    answer: str
    status: Status
