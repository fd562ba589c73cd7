"""One run of `attest eval tables`: questions from a file or from public sets, by rules and, where asked for,
by a model's plan.

The composition root of that measurement. Knows settings and files; knows nothing of figures.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agents.prompt_library import PromptLibrary
from agents.tables.areas import read_areas
from agents.tables.grid import Grid
from agents.tables.model_plan import plan_by_model
from agents.tables.planning import TablePlan
from app.services import Services
from core.errors import InputError
from core.settings import Settings
from core.types import Table
from evals.datasets.table_questions import SETS, TableQuestionRow, read_file, read_set
from evals.indexing import settings_fingerprint
from evals.retrieval import sample
from evals.tables import Judged, answered_elsewhere, is_held_out, judge, report_of, rows_of

ALL = "all"
HALVES = {
    "all": lambda row: True,
    "held-out": is_held_out,
    "looked-at": lambda row: not is_held_out(row),
}


@dataclass(frozen=True, slots=True)
class TablesJob:
    """What to ask: a file, or sets by name from the folder `data`; of sets one half or all."""

    file: Path | None
    sets: tuple[str, ...]
    data: Path | None
    half: str = "held-out"
    limit: int | None = None
    with_model: bool = False


def run_tables(job: TablesJob, settings: Settings, on_progress: Callable[[str], None]) -> dict:
    """The report: `exact_match` of all questions by the rules, and everything of each set and route.

    Raises:
        InputError: nothing is named, or it cannot be read.
    """
    named = _read(job)
    sure_at = settings.tables.sure_at
    reports, everything = {}, []
    for name, rows in named.items():
        on_progress(f"{name}: {len(rows)} questions")
        judged = judge(rows)
        everything += judged
        reports[name] = {
            "routes": {"rules": report_of(judged, sure_at)},
            "elsewhere": answered_elsewhere(rows, sure_at),
        }
        if job.with_model:
            reports[name]["routes"] |= _by_model(rows, judged, settings, on_progress)
    whole = report_of(everything, sure_at)
    return {
        "kind": "tables",
        "exact_match": whole["exact_match"],
        "numeric_exactness": whole["numeric_exactness"],
        "n": len(everything),
        "half": job.half if job.file is None else "all",
        "sure_at": sure_at,
        "sets": reports,
        "settings_fingerprint": settings_fingerprint(settings.tables.model_dump(mode="json")),
        "queries": rows_of(everything, sure_at),
    }


def _by_model(
    rows: list[TableQuestionRow],
    by_rules: list[Judged],
    settings: Settings,
    on_progress: Callable[[str], None],
) -> dict:
    """The chat model's plans alone, and where rules are not sure."""
    services, prompts = Services(settings), PromptLibrary()
    with asyncio.Runner() as runner:
        chat_model = services.chat_model()

        def planner(question: str, table: Table) -> tuple[TablePlan, Grid] | None:
            on_progress(f"{chat_model.name}: {question}")
            grids = read_areas(table)
            plan = runner.run(plan_by_model(chat_model, prompts, question, grids[0])).plan if grids else None
            return (plan, grids[0]) if plan else None

        try:
            judged = judge(rows, planner)
        finally:
            runner.run(services.aclose())
    sure_at = settings.tables.sure_at
    both = [one if one.confidence >= sure_at else other for one, other in zip(by_rules, judged, strict=True)]
    return {
        f"model ({chat_model.name})": report_of(judged, sure_at),
        "rules, then model": report_of(both, sure_at),
    }


def _read(job: TablesJob) -> dict[str, list[TableQuestionRow]]:
    if job.half not in HALVES:
        raise InputError(f"there is no half {job.half!r}", remedy=f"choose: {', '.join(HALVES)}")
    if job.file is not None:
        return {job.file.name: sample(read_file(job.file), job.limit)}
    names = SETS if ALL in job.sets else job.sets
    if not names or job.data is None:
        known = ", ".join([*SETS, ALL])
        raise InputError("no questions are named", remedy=f"name a file, or --data DIR and --set: {known}")
    keep = HALVES[job.half]
    return {name: sample([row for row in read_set(name, job.data) if keep(row)], job.limit) for name in names}
