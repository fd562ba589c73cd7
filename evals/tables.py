"""Measures answers from tables: is what rules, or a model's plan, read and reckon the known answer?

Knows rows of questions and the product's planners; knows no files. A set that rules were made on is parted
by `stable_hash` of its ids: the even half was looked at, the odd half was not.
"""

import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from agents.tables.answering import plan_table
from agents.tables.areas import read_areas
from agents.tables.cues import Operation
from agents.tables.grid import Grid
from agents.tables.periods import years_of
from agents.tables.planning import TablePlan
from agents.tables.reckoning import Reckoned, reckon
from agents.tables.sandbox import SqlLimits
from agents.tables.wording import lines_told
from core.text import normalise
from core.types import Table
from evals.datasets.table_questions import TableQuestionRow
from evals.splitting import stable_hash
from evals.table_derivations import read_derivation

Planner = Callable[[str, Table], tuple[TablePlan, Grid] | None]
LIMITS = SqlLimits()
OTHERS = 3
_SIGNS = re.compile(r"[$€£¥￥%％,，\s]")
_BRACKETS = re.compile(r"[(（]([\d.]+)[)）]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_LABEL_GIVEN = (Operation.HIGHEST, Operation.LOWEST, Operation.FILTER, Operation.NAMES)


@dataclass(frozen=True, slots=True)
class Judged:
    """One question and what a route made of it. `exact` is None where the derivation is not the SQL's own, or
    none is known; else whether both give the same number."""

    row: TableQuestionRow
    confidence: float
    given: tuple[str, ...]
    right: bool
    exact: bool | None
    sql: str
    ms: float


def is_held_out(row: TableQuestionRow) -> bool:
    """Whether nobody looked at the row while the rules were made."""
    return stable_hash(row.id) % 2 == 1


def judge(rows: Sequence[TableQuestionRow], planner: Planner = plan_table) -> list[Judged]:
    """Every question by one route."""
    return [_judge(row, planner) for row in rows]


def report_of(judged: Sequence[Judged], sure_at: float) -> dict:
    """Of one route. `exact_match` counts all questions, those without an answer as wrong; `precision` those
    that were answered. From `sure_at` on a plan is an answer; `planned` counts every plan."""
    answered = [one for one in judged if one.confidence >= sure_at]
    checked = [one.exact for one in judged if one.exact is not None]
    kinds = sorted({one.row.kind for one in judged})
    return {
        "n": len(judged),
        **_shares(judged, answered),
        "planned": _shares(judged, [one for one in judged if one.confidence >= 0]),
        "reckoned_as_people_did": len(checked),
        "numeric_exactness": round(sum(checked) / len(checked), 4) if checked else None,
        "p50_ms": round(statistics.median(one.ms for one in judged), 2),
        "kinds": {
            kind: {"n": len(own), **_shares(own, [one for one in own if one.confidence >= sure_at])}
            for kind in kinds
            if (own := [one for one in judged if one.row.kind == kind])
        },
    }


def answered_elsewhere(rows: Sequence[TableQuestionRow], sure_at: float) -> dict:
    """How many questions rules would answer from tables that are not theirs: of each three other tables of
    its set."""
    tables = list(dict.fromkeys(row.table for row in rows))
    asked = sure = 0
    for at, row in enumerate(rows):
        for step in range(1, OTHERS + 1):
            table = tables[(tables.index(row.table) + step * (at % 7 + 1)) % len(tables)]
            if table == row.table or not read_areas(table):
                continue
            found = plan_table(row.question, table)
            asked += 1
            sure += found is not None and found[0].confidence >= sure_at
    return {"n": asked, "answered": round(sure / asked, 4) if asked else None}


def rows_of(judged: Sequence[Judged], sure_at: float) -> dict:
    """As `attest compare` reads them."""
    return {
        one.row.id: {
            "right": float(one.right and one.confidence >= sure_at),
            "answered": float(one.confidence >= sure_at),
            "confidence": one.confidence,
            "given": list(one.given),
            "sql": one.sql,
        }
        for one in judged
    }


def _shares(judged: Sequence[Judged], answered: Sequence[Judged]) -> dict:
    right = sum(one.right for one in answered)
    return {
        "exact_match": round(right / len(judged), 4),
        "answered": round(len(answered) / len(judged), 4),
        "precision": round(right / len(answered), 4) if answered else None,
    }


def _judge(row: TableQuestionRow, planner: Planner) -> Judged:
    begun = time.perf_counter()
    plan, grid = planner(row.question, row.table) or (None, None)
    reckoned = reckon(plan, grid, LIMITS) if plan else None
    ms = (time.perf_counter() - begun) * 1000
    if reckoned is None:
        return Judged(row, -1.0, (), False, None, "", ms)
    given = given_answer(reckoned, grid)
    right = is_right(given, row)
    return Judged(row, plan.confidence, given, right, _is_exact(reckoned, row), reckoned.sql, ms)


def given_answer(reckoned: Reckoned, grid: Grid) -> tuple[str, ...]:
    """The number, the cells, or, of the highest of several, the labels by which they differ."""
    if reckoned.value is not None:
        return (f"{reckoned.value:f}",)
    if reckoned.plan.operation not in _LABEL_GIVEN:
        return tuple(cell.text for cell in reckoned.found)
    return tuple(line.label for line in lines_told(reckoned, grid))


def is_right(given: Sequence[str], row: TableQuestionRow) -> bool:
    """Exact match: the same values, whatever their order; numbers to the places of the known answer, without
    signs of money and percent. Of a set with sentences, whether each value stands in the sentence."""
    if row.reference:
        said = normalise(row.reference)
        return bool(given) and all(normalise(value) in said for value in given)
    known = row.answers
    if len(given) == len(known) == 1 and (wanted := _number(known[0])) is not None:
        found = _number(given[0])
        if found is not None:
            return _rounded(found, wanted) == wanted
    if all(re.fullmatch(r"(?:19|20)\d\d", value) for value in known):
        given = [
            next(iter(years_of(value)), value) if len(years_of(value)) == 1 else value for value in given
        ]
    return sorted(map(_plain, given)) == sorted(map(_plain, known))


def _rounded(found: Decimal, wanted: Decimal) -> Decimal:
    places = max(0, -int(wanted.as_tuple().exponent))
    return round(found, places)


def _plain(text: str) -> str:
    number = _number(text)
    return "".join(normalise(text).split()) if number is None else f"{number.normalize():f}"


def _number(text: str) -> Decimal | None:
    plain = _BRACKETS.sub(r"-\1", _SIGNS.sub("", text))
    try:
        return Decimal(plain) if _NUMBER.fullmatch(plain) else None
    except InvalidOperation:
        return None


def _is_exact(reckoned: Reckoned, row: TableQuestionRow) -> bool | None:
    """Where the SQL does the same with the same numbers as people did: does it give the same?"""
    plan, people = reckoned.plan, read_derivation(row.derivation) if row.derivation else None
    if people is None or reckoned.value is None:
        return None
    operation = Operation.RATIO if plan.operation is Operation.SHARE else plan.operation
    own = [cell.value for cell in plan.cells]
    theirs = list(people.operands)
    if operation in (Operation.SUM, Operation.AVERAGE):
        own, theirs = sorted(own), sorted(theirs)
    if operation is not people.operation or own != theirs:
        return None
    factor = 100 if plan.operation in (Operation.SHARE, Operation.PERCENT_CHANGE) else 1
    expected = people.value * factor
    return abs(reckoned.value - expected) <= Decimal("1e-9") * max(abs(expected), Decimal(1))
