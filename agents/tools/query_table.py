"""The tool `query_table`: the tables of a document, read by SQL or by a question, every row cited.

Knows the kept tables and the store of chunks, both with the reader's rights; knows nothing of the graph.
"""

import asyncio
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from agents.drafting import make_citation
from agents.guards.evidence_screen import UNSCREENED
from agents.tables.answering import answer_from_tables
from agents.tables.areas import read_areas
from agents.tables.citing import quote_cells
from agents.tables.grid import Cell
from agents.tables.reckoning import cell_relation
from agents.tables.sandbox import SqlLimits, SqlResult, run_select
from agents.tools.documents import find_document
from agents.tools.tool import EVERY_ROLE, ToolArguments, ToolCall, ToolResult
from core.errors import InputError
from core.seams import TableSource, VectorStore
from core.settings import TableSettings
from core.types import Chunk, Citation, StoredTable, Table

if TYPE_CHECKING:
    import pyarrow

MOST_CITED = 50
MOST_LISTED = 100
_MOST_WHOLE = 2**53
_NAME = re.compile(r"\bt(\d{1,6})(_cells)?\b", re.IGNORECASE)


class QueryTableArguments(ToolArguments):
    """Which document, and what of its tables: SQL, or a question, or, with neither, which there are."""

    document: str = Field(
        min_length=1, max_length=4096, description="id or uri, as search and `attest documents list` give it"
    )
    sql: str = Field(
        "", max_length=8_000, description="one SELECT; table 0 is t0, and its cells one by one are t0_cells"
    )
    question: str = Field("", max_length=2_000, description="a question, for rules to answer, instead of SQL")


class QueryTableTool:
    """Reads the tables of a document that the caller may read. Nothing is changed."""

    name = "query_table"
    descriptions: Mapping[str, str] = {
        "zh": "用 SQL 或问题查询一份文档中的表格。",
        "en": "Reads the tables of a document by SQL or by a question.",
    }
    arguments = QueryTableArguments
    effects = False
    reads_documents = True
    roles = EVERY_ROLE
    timeout_s = 0.0

    def __init__(
        self, tables: Callable[[], TableSource], store: Callable[[], VectorStore], settings: TableSettings
    ) -> None:
        self._tables = tables
        self._store = store
        self._limits = SqlLimits(settings.max_rows, settings.timeout_s, settings.memory_mb)
        self._sure_at = settings.sure_at

    async def run(self, arguments: QueryTableArguments, call: ToolCall) -> ToolResult:
        """See `Tool.run`. Raises NotFoundError for a document that the reader may not see, as for one that
        is not there; InputError for SQL that may not be run and a question that rules do not understand."""
        return await asyncio.to_thread(self._run, arguments, call)

    def _run(self, arguments: QueryTableArguments, call: ToolCall) -> ToolResult:
        chunks = find_document(self._store(), arguments.document, call.scope)
        tables = self._tables().list_document(call.scope, chunks[0].document_id)
        if arguments.sql.strip():
            return self._select(arguments.sql, tables, chunks)
        if arguments.question.strip():
            return self._answer(arguments.question, tables, chunks)
        return _listed(tables)

    def _select(self, sql: str, tables: Sequence[StoredTable], chunks: Sequence[Chunk]) -> ToolResult:
        by_name = _relations(sql, tables)
        found = run_select(sql, by_name, self._limits)
        cited = _cite(_used_cells(found, tables), tables, chunks)
        data = {
            "sql": sql,
            "columns": list(found.columns),
            "rows": [[_plain(value) for value in row] for row in found.rows],
            "is_cut": found.is_cut,
            "rows_used": list(found.used.rows) if found.used else None,
        }
        lines = [" | ".join(found.columns), *(" | ".join(map(_shown, row)) for row in found.rows)]
        return ToolResult("\n".join(lines), data, cited)

    def _answer(self, question: str, tables: Sequence[StoredTable], chunks: Sequence[Chunk]) -> ToolResult:
        found = answer_from_tables(question, tables, "", self._sure_at, self._limits)
        if found is None:
            raise InputError(
                "rules are not sure which cells the question speaks of",
                remedy="name row and column as the table does, or send sql",
            )
        plan = found.reckoned.plan
        cited = _cite({found.table.order: plan.cells}, tables, chunks)
        data = {
            "sql": found.reckoned.sql,
            "table": found.table.order,
            "operation": plan.operation.value,
            "value": _plain(found.reckoned.value),
            "cells": [{"row": c.row, "column": c.column, "text": c.text} for c in plan.cells],
            "confidence": plan.confidence,
        }
        return ToolResult(found.text, data, cited)


def _relations(sql: str, tables: Sequence[StoredTable]) -> "dict[str, pyarrow.Table]":
    """The relations that the SQL names; of names in texts too many, never too few."""
    import pyarrow.parquet as parquet

    wanted = {match[0].casefold() for match in _NAME.finditer(sql)}
    found: dict[str, pyarrow.Table] = {}
    for stored in tables:
        name = f"t{stored.order}"
        if name in wanted:
            found[name] = parquet.read_table(stored.path).replace_schema_metadata(None)
        grids = read_areas(stored.table) if f"{name}_cells" in wanted else ()
        if grids:
            found[f"{name}_cells"] = cell_relation(*grids)
    return found


def _used_cells(found: SqlResult, tables: Sequence[StoredTable]) -> dict[int, Sequence[Cell]]:
    """The cells of the rows that a statement read, by table; one of each row."""
    match = _NAME.fullmatch(found.used.table) if found.used else None
    if match is None:
        return {}
    order = int(match[1])
    table = next(stored.table for stored in tables if stored.order == order)
    first = 1 - table.header_rows  # A form has fields in the rows of the header too.
    lines = [(row, _line(table, row)) for row in found.used.rows if first <= row <= len(table.body)]
    firsts = [(row, line, next((at for at, text in enumerate(line) if text), 0)) for row, line in lines]
    return {order: [Cell(row, at + 1, " ".join(line[at].split()), None) for row, line, at in firsts]}


def _line(table: Table, row: int) -> Sequence[str]:
    return table.body[row - 1] if row > 0 else table.header


def _cite(
    cells: Mapping[int, Sequence[Cell]], tables: Sequence[StoredTable], chunks: Sequence[Chunk]
) -> tuple[Citation, ...]:
    """The lines that hold the cells, where all of them are found and are not too many."""
    spans = []
    for stored in tables:
        own = cells.get(stored.order, ())
        spans += quote_cells(own[:MOST_CITED], stored.table, chunks) or [] if own else []
    return tuple(make_citation(at, span, UNSCREENED) for at, span in enumerate(spans, start=1))


def _listed(tables: Sequence[StoredTable]) -> ToolResult:
    """Which tables there are, with their columns."""
    rows = [
        {
            "name": f"t{stored.order}",
            "headings": list(stored.headings),
            "caption": stored.table.caption,
            "page": stored.page,
            "columns": list(stored.table.header),
            "rows": len(stored.table.body),
        }
        for stored in tables[:MOST_LISTED]
    ]
    lines = [f"{row['name']}: {' | '.join(row['columns'])} ({row['rows']})" for row in rows]
    return ToolResult("\n".join(lines), {"tables": rows})


def _plain(value: Any) -> Any:
    """JSON has no infinity, nor what is no number: they are told as words, and so are whole numbers of more
    digits than readers of JSON keep (RFC 8259, section 6)."""
    if isinstance(value, int) and abs(value) > _MOST_WHOLE:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
