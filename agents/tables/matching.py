"""Which rows and columns of a grid a question speaks of.

A label counts by the words that it shares with the question, the rare ones of its own axis more, against
those that the question does not have. Pure.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.tables.coverage import terms_of
from agents.tables.grid import Cell, Grid, Line
from agents.tables.periods import same_words
from agents.tables.question import TableQuestion, label_words, units_of

SURE_RECALL = 0.9
LEAST_RECALL = 0.5
FURTHER_RECALL = 0.75
LEAST_FRESH = 0.25
_MISSING = 0.45
_CONTEXT, _LEAST_CONTEXT, _CONTEXT_MISSING = 0.6, 0.2, 0.05
_CONDITION = 0.9
TIE = 0.05
_SAID = 0.35
_SHARE_UNASKED = 0.5
_WHOLE = 0.1
_PHRASE = 0.5
_NOTED = re.compile(r"\s*\(\d{1,2}\)$")
_AND = re.compile(r"\s*(?:以?及|和|与|、|,? and\b)")


@dataclass(frozen=True, slots=True)
class Match:
    """A line with how well the question speaks of it; `recall` is the share of its own label that the
    question says; `conditions` are cells of the row that the question names."""

    line: Line
    score: float
    recall: float
    terms: frozenset[str]
    conditions: tuple[Cell, ...] = ()

    @property
    def told(self) -> frozenset[tuple[int, str]]:
        """What its conditions say of which columns."""
        return frozenset((cell.column, cell.text) for cell in self.conditions)


def match_columns(
    grid: Grid, question: TableQuestion, said: frozenset[str] = frozenset(), with_labels: bool = False
) -> list[Match]:
    """All columns, the one that is most spoken of first. What the question says of a row already (`said`)
    counts less. `with_labels`: those that name rows may be asked for as well."""
    columns = [*grid.columns, *grid.labels] if with_labels else grid.columns
    weights = _weigh(columns)
    weights = {term: weight * (_SAID if term in said else 1.0) for term, weight in weights.items()}
    return _ranked([_match(line, question, weights) for line in columns])


def match_rows(grid: Grid, question: TableQuestion) -> list[Match]:
    """All rows likewise; a cell that the question names speaks for its row too, and in a form for all that
    is told of the same thing: what stands beside a label there is the answer, no condition."""
    weights = _weigh(grid.rows)
    named = named_cells(grid, question)
    rarity = Counter(normal for normal, _ in named)
    things = {context for _, cell in named if (context := grid.row_of(cell).context)} if grid.is_form else ()
    found = []
    for line in grid.rows:
        match = _match(line, question, weights)
        if grid.is_form:
            found.append(replace(match, score=match.score + _CONDITION * (line.context in things)))
            continue
        label = label_words(line.label)
        own = [(normal, cell) for normal, cell in named if cell.row == line.at and normal not in label]
        bonus = sum(_CONDITION * math.log(1 + len(grid.rows) / rarity[normal]) for normal, _ in own)
        terms = match.terms.union(*(terms_of(normal) for normal, _ in own)) if own else match.terms
        found.append(Match(line, match.score + bonus, match.recall, terms, tuple(cell for _, cell in own)))
    return _ranked(found)


def select(matches: Sequence[Match], question: TableQuestion) -> list[Match]:
    """The line that is spoken of, and the further ones that the question names beside it, as it names them;
    none when no label is named."""
    named = [match for match in matches if match.recall >= LEAST_RECALL and match.score > 0]
    if not named:
        return []
    best = named[0]
    chosen, covered = [best], set(best.terms)
    weights = _weigh([match.line for match in matches])
    for match in named[1:]:
        total = sum(weights.get(t, 1.0) for t in match.terms) or 1.0
        fresh = sum(weights.get(t, 1.0) for t in match.terms - covered)
        is_listed = match.recall >= SURE_RECALL and _is_listed(match.line, best.line, question)
        is_twin = match.line.label == best.line.label
        if (match.recall >= FURTHER_RECALL or is_twin) and (fresh / total >= LEAST_FRESH or is_listed):
            chosen.append(match)
            covered |= match.terms
    return sorted(chosen, key=lambda match: _first_said(match, question)) if len(chosen) > 1 else chosen


def group_said(matches: Sequence[Match], question: TableQuestion) -> list[Match]:
    """All lines of the group that the question names by its whole name, where it names none of them."""
    groups = {match.line.context for match in matches if match.line.context}
    said = [group for group in groups if terms_of(label_words(group)) <= question.terms]
    if len(said) != 1:
        return []
    return sorted((m for m in matches if m.line.context == said[0]), key=lambda match: match.line.at)


def _is_listed(line: Line, best: Line, question: TableQuestion) -> bool:
    """Whether the question names the label as a member of a list (期末余额和比例), and the list is no label
    itself."""
    label = label_words(line.label)
    return _goes_on(question.text, label) and not _goes_on(label_words(best.label), label)


def _goes_on(text: str, label: str) -> bool:
    return label in text and bool(_AND.match(text, text.find(label) + len(label)))


def is_tied(matches: Sequence[Match], chosen: Sequence[Match]) -> bool:
    """Whether a line that was not chosen is spoken of as much as the best that was."""
    best = max(match.score for match in chosen)
    taken = {match.line.at for match in chosen}
    return any(m.line.at not in taken and m.score >= best - TIE for m in matches)


def _match(line: Line, question: TableQuestion, weights: dict[str, float]) -> Match:
    own = units_of(label_words(line.label))
    held = missing = 0.0
    hit: set[str] = set()
    for unit in own:
        # A Chinese word of two characters weighs as much as an English one.
        share = 1.0 if min(unit).isascii() else 0.5
        weight = share * max(weights.get(term, 0.0) for term in unit)
        if common := unit & question.terms:
            held, hit = held + weight, hit | common
        else:
            missing += weight
    context = (terms_of(label_words(line.context)) if line.context else frozenset()).difference(*own)
    around = context & question.terms
    score = held - _MISSING * missing
    recall = held / (held + missing) if held + missing else 0.0
    # What a line stands under tells it from others of its name, and names no other line.
    weight = _CONTEXT * (_LEAST_CONTEXT + (1 - _LEAST_CONTEXT) * recall)
    score += weight * sum(weights[t] for t in around) - _CONTEXT_MISSING * len(context - around)
    if recall >= SURE_RECALL and terms_of(same_words(line.label)) <= question.terms:
        score += _WHOLE
    if own and _NOTED.sub("", same_words(line.label)) in question.text:
        score += _PHRASE
    if "%" in line.label and not question.asks_share:
        score -= _SHARE_UNASKED
    return Match(line, score, recall, frozenset(hit | around))


def _weigh(lines: Sequence[Line]) -> dict[str, float]:
    held = Counter(
        term
        for line in lines
        for term in terms_of(label_words(line.label)) | terms_of(label_words(line.context))
    )
    return {term: 0.15 + math.log((len(lines) + 1) / count) for term, count in held.items()}


def named_cells(grid: Grid, question: TableQuestion) -> list[tuple[str, Cell]]:
    """Cells beside the labels whose whole text stands in the question, not only as a part of another's."""
    found = []
    for line in grid.rows:
        for column in grid.columns:
            cell = grid.cell(line, column)
            normal = same_words(cell.text)
            if len(normal) < 2 or normal not in question.text:
                continue
            if normal.isascii() and not re.search(rf"(?<![a-z0-9.]){re.escape(normal)}", question.text):
                continue
            if cell.quantity is None or len(normal) >= 4:
                found.append((normal, cell))
    texts = {normal for normal, _ in found}
    return [(n, cell) for n, cell in found if not any(n != other and n in other for other in texts)]


def _first_said(match: Match, question: TableQuestion) -> tuple[int, int]:
    label = label_words(match.line.label)
    at = question.text.find(label)
    if at < 0:
        places = [question.text.find(term) for term in match.terms if term in question.text]
        at = min(places, default=len(question.text))
    return at, match.line.at


def _ranked(matches: list[Match]) -> list[Match]:
    return sorted(matches, key=lambda match: (-match.score, match.line.at))
