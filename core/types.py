"""The nouns of the product, frozen. Words as in docs/concepts.md, no synonyms.

Knows nothing of stores, models or HTTP.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

EVERYONE = "everyone"
"""The reader that every caller is. A document readable by it is public in its collection."""


class ElementKind(StrEnum):
    """What a parser can yield, and `rows`: a chunk that holds some rows of a longer table."""

    TITLE = "title"
    TEXT = "text"
    LIST = "list"
    TABLE = "table"
    ROWS = "rows"
    FIGURE = "figure"
    CODE = "code"
    FORMULA = "formula"


class Stage(StrEnum):
    """Which stage gave a hit its score. Higher is better in each of them."""

    DENSE = "dense"
    LEXICAL = "lexical"
    IMAGE = "image"
    GRAPH = "graph"
    FUSED = "fused"
    RERANKED = "reranked"


class Label(StrEnum):
    """A guard's word on a sentence."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNSUPPORTED = "unsupported"
    UNSURE = "unsure"


class Status(StrEnum):
    """How a question ended. `waiting`: not yet, its owner is to approve a call of a tool first."""

    ANSWERED = "answered"
    PARTIAL = "partial"
    ABSTAINED = "abstained"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points from the page's top left corner. Pages count from 1. In a chunk
    `start` and `end` are the characters of its text that stand there; both 0 where that is not known, as in
    indexes of earlier versions."""

    page: int
    left: float
    top: float
    right: float
    bottom: float
    start: int = 0
    end: int = 0


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
class Table:
    """The cells of a table as they are shown, rows of equal length, merged cells repeated.

    The first `header_rows` rows name the columns (0: nothing does). `place` is the sheet it
    stands in. `cells_read` counts the filled cells of the source, to be compared with those
    that are kept.
    """

    rows: tuple[tuple[str, ...], ...]
    header_rows: int = 1
    caption: str = ""
    footnotes: tuple[str, ...] = ()
    place: str = ""
    cells_read: int = 0

    @property
    def header(self) -> tuple[str, ...]:
        """One label a column; those of several header rows from the top, parted by ` / `."""
        columns = zip(*self.rows[: self.header_rows], strict=True) if self.header_rows else ()
        labels = tuple(" / ".join(dict.fromkeys(part for part in column if part)) for column in columns)
        return labels or ("",) * (len(self.rows[0]) if self.rows else 0)

    @property
    def body(self) -> tuple[tuple[str, ...], ...]:
        """The rows below the header."""
        return self.rows[self.header_rows :]

    @property
    def filled(self) -> int:
        """Cells that hold something."""
        return sum(bool(cell) for row in self.rows for cell in row)


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table as it is kept: `path` its Parquet file for SQL, `table` as it was parsed. `order` counts
    the tables of its document."""

    path: Path
    document_id: str
    order: int
    title: str
    uri: str
    headings: tuple[str, ...]
    page: int | None
    table: Table


PICTURE_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}
"""How a picture may be kept, and what its name ends in."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture of a document as it is kept and shown: `data` is a PNG or a JPEG that was
    encoded by us, `width` × `height` pixels."""

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int

    @property
    def name(self) -> str:
        """A digest of the data and a suffix: the same picture always has the same name."""
        return picture_name(self.data, self.media_type)


def picture_name(data: bytes, media_type: str) -> str:
    """The name that a picture is kept under: 32 hexadecimal digits and a suffix."""
    return hashlib.sha256(data).hexdigest()[:32] + PICTURE_SUFFIXES[media_type]


@dataclass(frozen=True, slots=True)
class Element:
    """What a parser yields, in reading order. `level` is 1…6 for titles, else 0. `table` is
    the structure of a table whose `text` is its Markdown. `hidden` says why nobody sees it in
    the file; empty when it is seen. `figure` is the picture whose `text` is what is written in
    and about it, which may be nothing."""

    kind: ElementKind
    text: str
    page: int | None = None
    box: Box | None = None
    level: int = 0
    table: Table | None = None
    hidden: str = ""
    figure: Figure | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is embedded and cited. `text` is what a quote is verified against. `context_line`
    is a model's word on where the chunk stands in its document: it is searched, never shown.
    `figure` is the name of the picture that it speaks of."""

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
    context_line: str = ""
    figure: str = ""

    @property
    def context(self) -> str:
        """Title and heading path, which go in front of the text when it is embedded."""
        parts = [self.title, *(h for h in self.headings if h != self.title)]
        return " › ".join(part for part in parts if part)

    def place_of(self, start: int, end: int) -> tuple[int | None, tuple[Box, ...]]:
        """The page on which `text[start:end]` begins, and its boxes; those of the whole chunk where it is not
        known what stands where. A chunk may go over several pages."""
        boxes = tuple(box for box in self.boxes if box.start < end and start < box.end)
        return (boxes[0].page, boxes) if boxes else (self.page, self.boxes)


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
    """`quote` is `chunk.text[start:end]`, letter by letter; `figure` the chunk's. `flagged`: it
    stands in text that speaks to a language model."""

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
    figure: str = ""
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer with the markers of its citations. `conflicts` are markers of
    citations that say otherwise."""

    text: str
    citations: tuple[int, ...]
    verdict: Verdict
    conflicts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What the chat model was asked for."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    model_calls: int = 0
    cached_tokens: int = 0
    """Those of the prompt that the server had read before, where it says so."""
    models: tuple[str, ...] = ()
    """Who answered, in the order of their first call."""

    def __post_init__(self) -> None:
        # A record read back from JSON brings a list.
        object.__setattr__(self, "models", tuple(self.models))

    def plus(self, other: "Usage") -> "Usage":
        """The sum of both."""
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.model_calls + other.model_calls,
            self.cached_tokens + other.cached_tokens,
            tuple(dict.fromkeys((*self.models, *other.models))),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a turn. `text` holds only what may leave by the `policy`; `withheld` what may
    not; `guarded` counts what was stopped or taken out on the way, by its kind."""

    id: str
    status: Status
    text: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    withheld: tuple[Sentence, ...] = ()
    looked_for: tuple[str, ...] = ()
    route: str = "search"
    policy: str = ""
    usage: Usage = Usage()
    guarded: Mapping[str, int] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    trace_id: str = ""
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what was answered, as a session remembers it. `id` is the answer's; `said`
    is when, UTC, ISO 8601."""

    question: str
    answer: str
    status: Status
    id: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """What one speaker said in a conversation. `id` names it there; `said` is when, as it is
    shown: remarks of one sitting have the same."""

    id: str
    speaker: str
    text: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Recollection:
    """A line that memory puts before the model: a remark as it was said, or a note taken of one
    or more. `sources` are the ids of the remarks that it comes from."""

    text: str
    sources: tuple[str, ...]
    said: str = ""
