"""Where files are read and cut: a seam, and the engine that does it in threads of this process.

Knows parsing and chunking; knows nothing of the ledger, the queue or the index. What an engine
is asked for is plain data in and out, so that it can be done on another machine.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from core.errors import FileError
from core.settings import IngestSettings
from core.types import Chunk, Document, Element, Figure
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.cleaning.cleaner import Cleaner
from ingest.cleaning.signatures import Signature, sign
from ingest.describing import FigureDescriber
from ingest.parsing import ParsedFile, ParserRunner
from ingest.table_check import placed_tables
from ingest.table_store import PlacedTable

WORKER_LOST = "worker_lost"
"""The code of files whose worker ended each time that it had them."""
_MAX_CHARS_PER_TOKEN = 16
_MANY_CHARS_PER_TOKEN = 8
"""More than a token of any ordinary text has (English 4 to 5, Chinese 1 to 2), so that the
estimate made with it refuses no file that the count would let pass."""


@dataclass(frozen=True, slots=True)
class CutOrder:
    """A stored original to be read, absolute `path`, and what its document is but for the
    title. `name` is the title of a file that has none; `title`, where one is given, stands in
    place of the file's own."""

    path: Path
    document: Document
    name: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class CutFile:
    """A file that was read, cleaned and cut. `table_elements` are those that `tables` were made
    from; by its signature near copies are found, where they are looked for."""

    document: Document
    chunks: tuple[Chunk, ...]
    pages: int
    warnings: tuple[tuple[str, str], ...] = ()
    tables: tuple[PlacedTable, ...] = ()
    table_elements: tuple[Element, ...] = ()
    signature: Signature | None = None
    figures: tuple[Figure, ...] = ()


class IngestEngine(Protocol):
    """Reads and cuts files, `workers` of them at once; and how many passes of the embedding
    model may run at once. Thread-safe."""

    @property
    def workers(self) -> int: ...

    @property
    def embedders(self) -> int: ...

    def cut(self, order: CutOrder) -> CutFile:
        """Raises FileError for whatever the file does to its worker; ServiceError when there
        is no worker."""
        ...

    def close(self) -> None: ...


class LocalEngine:
    """Works in the calling thread; a parse in the process that its runner keeps."""

    embedders = 1

    def __init__(
        self,
        runner: ParserRunner,
        count_tokens: Callable[[str], int],
        settings: IngestSettings,
        describer: FigureDescriber | None = None,
    ) -> None:
        self._describer = describer or FigureDescriber()
        self.workers = settings.workers or os.cpu_count() or 1
        self._runner = runner
        self._embedder_tokens = count_tokens
        self._limits = ChunkLimits(settings.chunk_tokens, settings.overlap_tokens)
        self._cleaner = Cleaner(settings)
        self._signs = settings.near_duplicates != "off"
        self._max_chunks = settings.max_chunks

    def cut(self, order: CutOrder) -> CutFile:
        """See IngestEngine. Raises FileError: the codes of the parser, or `too_large`."""
        parsed = self._runner.parse(order.path, order.document.media_type)
        # Before cleaning: what a model says of a picture is cleaned like the rest.
        elements, told = self._describer.describe(parsed.elements, parsed.title(order.name))
        parsed = replace(parsed, elements=elements, warnings=(*parsed.warnings, *told))
        parsed = self._cleaner.clean(parsed)
        title = self._cleaner.clean_title(order.title or parsed.title(order.name))
        document = replace(order.document, title=title)
        return CutFile(
            document,
            tuple(self._chunks(document, parsed)),
            parsed.pages,
            parsed.warnings,
            tuple(placed_tables(parsed.elements)),
            tuple(element for element in parsed.elements if element.table is not None),
            sign(element.text for element in parsed.elements) if self._signs else None,
            tuple(element.figure for element in parsed.elements if element.figure is not None),
        )

    def close(self) -> None:
        """Ends the parse processes."""
        self._runner.close()

    def _chunks(self, document: Document, parsed: ParsedFile) -> list[Chunk]:
        """Estimated first: of a text of many megabytes the cutting alone takes minutes."""
        chars = sum(len(element.text) for element in parsed.elements)
        self._check_count(chars // (_MANY_CHARS_PER_TOKEN * self._limits.longest), "at least ")
        chunks = chunk_elements(document, parsed.elements, self._limits, self._count_tokens)
        self._check_count(len(chunks))
        return chunks

    def _check_count(self, chunks: int, about: str = "") -> None:
        if chunks > self._max_chunks:
            raise FileError(
                f"it would give {about}{chunks} chunks, the limit is {self._max_chunks}",
                code="too_large",
                remedy="split it, or raise ingest.max_chunks and ingest it with --retry-failed",
            )

    def _count_tokens(self, text: str) -> int:
        """By the embedder's tokenizer, but never so few that a chunk outgrows the store: of
        characters that it does not know, a whole page is one token."""
        least = len(text) // _MAX_CHARS_PER_TOKEN
        return least if least > self._limits.longest else max(least, self._embedder_tokens(text))
