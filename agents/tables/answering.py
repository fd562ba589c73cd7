"""A question and the tables that may hold its answer: the surest plan, reckoned and told.

Knows tables as they are kept; knows nothing of search or of the graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.tables.grid import Grid, read_grid
from agents.tables.planning import TablePlan, plan_cells
from agents.tables.reckoning import Reckoned, reckon
from agents.tables.sandbox import SqlLimits
from agents.tables.wording import sentence_of
from core.text import detect_language
from core.types import StoredTable


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """A sentence over the cells of one table. `rows` are the rows of its body (from 1) that the sentence
    rests on."""

    table: StoredTable
    grid: Grid
    reckoned: Reckoned
    text: str

    @property
    def confidence(self) -> float:
        """How much of the question the labels of the table explain."""
        return self.reckoned.plan.confidence

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows that are quoted."""
        return tuple(dict.fromkeys(cell.row for cell in self.reckoned.plan.cells))


def answer_from_tables(
    question: str,
    tables: Sequence[StoredTable],
    language: str = "",
    sure_at: float = 0.0,
    limits: SqlLimits | None = None,
) -> TableAnswer | None:
    """The answer of the table whose labels explain most of the question; None when no plan is as sure as
    `sure_at`, and when tables that explain as much say different things: then nobody knows which is meant.

    Raises:
        InputError: the SQL takes more than its limits.
    """
    plans: list[tuple[TablePlan, StoredTable]] = []
    for stored in tables:
        grid = read_grid(stored.table)
        plan = plan_cells(question, grid, _context(stored)) if grid else None
        if plan and plan.confidence >= sure_at:
            plans.append((plan, stored))
    if not plans:
        return None
    most = max(plan.confidence for plan, _ in plans)
    plan, stored = next(found for found in plans if found[0].confidence == most)
    if any(other.confidence == most and _told(other) != _told(plan) for other, _ in plans):
        return None
    return answer_by_plan(plan, stored, language or detect_language(question), limits)


def answer_by_plan(
    plan: TablePlan, stored: StoredTable, language: str, limits: SqlLimits | None = None
) -> TableAnswer | None:
    """What a plan for a table gives; None when it gives nothing, as a division by zero.

    Raises:
        InputError: the SQL takes more than its limits.
    """
    grid = read_grid(stored.table)
    reckoned = reckon(plan, grid, limits) if grid else None
    if reckoned is None:
        return None
    return TableAnswer(stored, grid, reckoned, sentence_of(reckoned, grid, language))


def _told(plan: TablePlan) -> tuple[str, ...]:
    return tuple(cell.text for cell in plan.cells)


def _context(stored: StoredTable) -> str:
    return " ".join([stored.title, *stored.headings, stored.table.caption, stored.table.place])
