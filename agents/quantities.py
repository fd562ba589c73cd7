"""Whether the numbers of a claim stand in the evidence in the same fact.

A number of a claim may stand in the evidence and still belong to something else there:
`主机 18 个月，电池 6 个月` does not support a battery of 18 months. Pure functions.
"""

import re
from collections.abc import Iterable, Sequence

from agents.keywords import segments
from core.units import quantities
from core.wording import plain_numbers
from retrieval.terms import split_terms

_FACT_END = re.compile(r"[，；、,;。.](?=\s|[^\d\s]|$)|\s(?:and|but|while)\s|(?:而|和|以及)(?=[^，；]{2,}为)")
MARGIN = 0.15


def differing_units(claim: str, evidence: Sequence[str]) -> set[tuple[float, str]]:
    """Quantities of the claim whose value the evidence only holds with another unit."""
    held = set().union(*(quantities(text) for text in evidence)) if evidence else set()
    by_value: dict[float, set[str]] = {}
    for value, unit in held:
        by_value.setdefault(value, set()).add(unit)
    return {
        (value, unit)
        for value, unit in quantities(claim)
        if value in by_value and unit not in by_value[value]
    }


def crossed_numbers(claim: str, facts: Iterable[str]) -> set[float]:
    """Numbers of the claim that stand in the evidence, but in a fact about something else:
    another fact, with another number, shares clearly more of the claim's words."""
    known = [(set(split_terms(fact)), plain_numbers(fact)) for fact in facts]
    known = [(terms, values) for terms, values in known if values]
    terms = {term for segment in segments(claim) for term in split_terms(segment)}
    words = {term for term in terms if not term.replace(".", "").isdigit()}
    if not words:
        return set()
    crossed = set()
    for value in plain_numbers(claim):
        own = max((_share(words, terms) for terms, held in known if value in held), default=None)
        other = max((_share(words, terms) for terms, held in known if value not in held), default=0.0)
        if own is not None and other > own + MARGIN:
            crossed.add(value)
    return crossed


def split_facts(quote: str, header: str = "") -> list[str]:
    """The facts of a quote: its clauses, or of a table's row each cell with the row's label
    and the column's name."""
    if header:
        cells = [cell.strip() for cell in quote.strip().strip("|").split("|")]
        columns = [cell.strip() for cell in header.strip().strip("|").split("|")]
        pairs = zip(columns[1:], cells[1:], strict=False)
        return [f"{cells[0]} {column} {cell}" for column, cell in pairs]
    return [piece.strip() for piece in _FACT_END.split(quote) if piece and piece.strip()]


def _share(words: set[str], terms: set[str]) -> float:
    return len(words & terms) / len(words)
