"""A question and the tables that may hold its answer: the surest plan, reckoned and told.

Knows tables as they are kept; knows nothing of search or of the graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.tables.areas import read_areas
from agents.tables.grid import Grid
from agents.tables.planning import TablePlan, plan_cells
from agents.tables.reckoning import Reckoned, reckon
from agents.tables.sandbox import SqlLimits
from agents.tables.wording import sentence_of
from core.text import detect_language
from core.types import StoredTable, Table


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """A sentence over the cells of one table. `rows` are the rows of its body (from 1; 0 is the header of a
    form) that the sentence rests on."""

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
    plans: list[tuple[TablePlan, Grid, StoredTable]] = []
    for stored in tables:
        for plan, grid in _plans(question, stored.table, _context(stored)):
            if plan.confidence >= sure_at:
                plans.append((plan, grid, stored))
    if not plans or not _agree([plan for plan, _, _ in plans]):
        return None
    plan, grid, stored = max(plans, key=lambda found: found[0].confidence)
    return answer_by_plan(plan, grid, stored, language or detect_language(question), limits)


def plan_table(question: str, table: Table) -> tuple[TablePlan, Grid] | None:
    """The surest plan for one table, with the area of it that it is for; None where there is none and where
    areas that explain as much say different things."""
    plans = _plans(question, table, "")
    if not plans or not _agree([plan for plan, _ in plans]):
        return None
    return max(plans, key=lambda found: found[0].confidence)


def answer_by_plan(
    plan: TablePlan, grid: Grid, stored: StoredTable, language: str, limits: SqlLimits | None = None
) -> TableAnswer | None:
    """What a plan for an area of a table gives; None when it gives nothing, as a division by zero.

    Raises:
        InputError: the SQL takes more than its limits.
    """
    reckoned = reckon(plan, grid, limits)
    if reckoned is None:
        return None
    return TableAnswer(stored, grid, reckoned, sentence_of(reckoned, grid, language))


def _plans(question: str, table: Table, context: str) -> list[tuple[TablePlan, Grid]]:
    found = ((plan_cells(question, grid, context), grid) for grid in read_areas(table))
    return [(plan, grid) for plan, grid in found if plan]


def _agree(plans: Sequence[TablePlan]) -> bool:
    """Whether those that are the surest say the same."""
    most = max(plan.confidence for plan in plans)
    return len({_told(plan) for plan in plans if plan.confidence == most}) == 1


def _told(plan: TablePlan) -> tuple[str, ...]:
    return tuple(cell.text for cell in plan.cells)


def _context(stored: StoredTable) -> str:
    return " ".join([stored.title, *stored.headings, stored.table.caption, stored.table.place])
