"""From a question and the chunks that were found for it to a sentence over a table, with its quotes.

Knows the kept tables and the chunks beside those that were found; knows nothing of the graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.binding import BoundSpan
from agents.tables.answering import TableAnswer, answer_by_plan, answer_from_tables
from agents.tables.areas import read_areas
from agents.tables.citing import holds_table, quote_cells
from agents.tables.grid import Grid
from agents.tables.planning import TablePlan
from agents.tables.sandbox import SqlLimits
from core.conditions import OfDocuments
from core.errors import InputError
from core.seams import TableSource, VectorStore
from core.settings import TableSettings
from core.types import Chunk, Scope, StoredTable

MOST_CHUNKS = 3
"""So many of the chunks that were found are looked at, best first."""
TABLES_PER_CHUNK = 2
MOST_OF_DOCUMENT = 16_000
"""Chunks of one document; no store gives more at once."""


@dataclass(frozen=True, slots=True)
class QuotedTableAnswer:
    """An answer and the lines that it rests on."""

    answer: TableAnswer
    spans: tuple[BoundSpan, ...]


class TableReader:
    """Answers from the tables that chunks are parts of. Thread-safe."""

    def __init__(self, tables: TableSource, store: VectorStore, settings: TableSettings) -> None:
        self._tables = tables
        self._store = store
        self._settings = settings
        self._limits = SqlLimits(settings.max_rows, settings.timeout_s, settings.memory_mb)

    @property
    def asks_model(self) -> bool:
        """Whether the chat model may plan where rules do not."""
        return self._settings.model

    def read(
        self, question: str, chunks: Sequence[Chunk], scope: Scope, language: str
    ) -> QuotedTableAnswer | None:
        """The sentence of which rules are sure; None when they are not, or when a row that it would rest on
        stands in no chunk that the caller may read.

        Raises:
            StoreError: a table or Milvus cannot be read.
        """
        tables = self._candidates(chunks, scope)
        try:
            answer = answer_from_tables(question, tables, language, self._settings.sure_at, self._limits)
        except InputError:
            # The statement took more than it may: the search answers.
            return None
        return self._quoted(answer, chunks, scope)

    def nearest(self, chunks: Sequence[Chunk], scope: Scope) -> tuple[StoredTable, Grid] | None:
        """The table that the best of the chunks is a part of. Raises as `read` does."""
        tables = self._candidates(chunks[:1], scope)
        grids = read_areas(tables[0].table) if tables else ()
        return (tables[0], grids[0]) if grids else None

    def read_plan(
        self, plan: TablePlan, stored: StoredTable, chunks: Sequence[Chunk], scope: Scope, language: str
    ) -> QuotedTableAnswer | None:
        """The sentence of a plan that somebody else made; None as of `read`, which see."""
        try:
            answer = answer_by_plan(plan, read_areas(stored.table)[0], stored, language, self._limits)
        except InputError:
            return None
        return self._quoted(answer, chunks, scope)

    def _quoted(
        self, answer: TableAnswer | None, chunks: Sequence[Chunk], scope: Scope
    ) -> QuotedTableAnswer | None:
        spans = self._quote(answer, chunks, scope) if answer else None
        return QuotedTableAnswer(answer, tuple(spans)) if spans else None

    def _candidates(self, chunks: Sequence[Chunk], scope: Scope) -> list[StoredTable]:
        found: dict[tuple[str, int], StoredTable] = {}
        for chunk in [chunk for chunk in chunks if holds_table(chunk.text)][:MOST_CHUNKS]:
            for stored in self._tables.find_beside(scope, chunk.document_id, chunk.text, TABLES_PER_CHUNK):
                found.setdefault((stored.document_id, stored.order), stored)
        return list(found.values())

    def _quote(self, answer: TableAnswer, chunks: Sequence[Chunk], scope: Scope) -> list[BoundSpan] | None:
        stored, cells = answer.table, answer.reckoned.plan.cells
        own = [chunk for chunk in chunks if chunk.document_id == stored.document_id]
        if spans := quote_cells(cells, stored.table, own):
            return spans
        # Rows of a long table lie in chunks that the question did not find.
        whole = self._store.find_chunks(scope, [OfDocuments((stored.document_id,))], MOST_OF_DOCUMENT)
        return quote_cells(cells, stored.table, whole)
