"""Whether the numbers of a claim stand in the evidence in the same fact.

A number of a claim may stand in the evidence and still belong to something else there:
`主机 18 个月，电池 6 个月` does not support a battery of 18 months. Pure functions.
"""

import math
import re
from collections.abc import Iterable, Sequence

from agents.keywords import segments
from core.units import quantities, same_amount, same_dimension
from core.wording import plain_numbers
from retrieval.terms import split_terms

_FACT_END = re.compile(r"[，；、,;。.](?=\s|[^\d\s]|$)|\s(?:and|but|while)\s|(?:而|和|以及)(?=[^，；]{2,}为)")
MARGIN = 0.15
MOST_NUMBERS = 12
_AFTERNOON = re.compile(r"下午|晚上|傍晚|中午|凌晨|\d\s*[ap]\.?m\b", re.IGNORECASE)
_ABOUT = re.compile(
    r"约|大概|左右|近(?=\d)|上下|\b(?:about|around|roughly|nearly|almost|approximately|some)\b", re.IGNORECASE
)
_RECKONED = re.compile(
    r"合计|总共|总计|共计|一共|总和|相差|差额|多出|少了|增长了?|增加了|减少了|下降了|占|比例|倍|平均"
    r"|\b(?:total|sum|altogether|together|combined|difference|grew by"
    r"|rose by|fell by|increase of|decrease of|times|twice|average|share of)\b",
    re.IGNORECASE,
)


def differing_units(claim: str, evidence: Sequence[str]) -> set[tuple[float, str]]:
    """Quantities of the claim whose value the evidence only holds with another unit. What comes
    to the same in another unit (1.5 km, 1,500 m) is held."""
    held = set().union(*(quantities(text) for text in evidence)) if evidence else set()
    values = {value for value, _ in held}
    return {
        own
        for own in quantities(claim)
        if own[0] in values and not any(same_amount(own, other) for other in held)
    }


def explained_numbers(claim: str, values: Iterable[float], evidence: Sequence[str]) -> set[float]:
    """Those of the values that the evidence does not spell but holds: in another unit, rounded,
    on a clock of twelve hours, or, where the claim says that it reckons, as a sum, a difference
    or a share of two of its numbers."""
    amounts = set().union(*(quantities(text) for text in evidence)) if evidence else set()
    held = set().union(*(plain_numbers(text) for text in evidence)) if evidence else set()
    own = quantities(claim)
    afternoon = bool(_AFTERNOON.search("\n".join([claim, *evidence])))
    explained = set()
    for value in values:
        units = [amount for amount in own if amount[0] == value]
        if (
            any(same_amount(amount, other) for amount in units for other in amounts)
            or _is_rounded(value, held, bool(_ABOUT.search(claim)))
            or (afternoon and {value + 12, value - 12} & held and value <= 24)
            or (_RECKONED.search(claim) and _is_computed(value, held, amounts, units))
        ):
            explained.add(value)
    return explained


def _is_rounded(value: float, held: Iterable[float], is_about: bool) -> bool:
    """Whether a number of the evidence is this one at the precision to which it is said."""
    digits = f"{value:.10g}".replace(".", "").strip("0")
    if "e" in digits or not ((value >= 1000 and len(digits) >= 2) or (is_about and value >= 10)):
        return False
    step = 10.0 ** (math.floor(math.log10(value)) - len(digits) + 1)
    return any(value != other and abs(value - other) <= 0.5 * step and other >= 1 for other in held)


def _is_computed(
    value: float,
    held: Iterable[float],
    amounts: Iterable[tuple[float, str]],
    units: Sequence[tuple[float, str]],
) -> bool:
    """Sum or difference of two numbers, which have the claim's unit where that is known; the sum of all; or
    the share or growth of one against another, as percent."""
    percent = any(unit == "percent" for _, unit in units)
    like = {a for a, unit in amounts if any(same_dimension(unit, own) for _, own in units)}
    numbers = sorted(like if units and not percent else held)[:MOST_NUMBERS]
    reached = {sum(numbers)} if len(numbers) > 2 else set()
    for at, one in enumerate(numbers):
        for other in numbers[at + 1 :]:
            reached |= {one + other, other - one}
            if percent and one:
                reached |= {100 * one / other, 100 * (other - one) / one, 100 * (other - one) / other}
            elif one:
                reached.add(other / one)
    return any(abs(value - found) <= max(0.005 * abs(value), 1e-9) for found in reached)


def crossed_numbers(claim: str, facts: Iterable[str], least: float = 0.0) -> set[float]:
    """Numbers of the claim that stand in the evidence, but in a fact about something else:
    another fact, with another number, shares clearly more of the claim's words, and `least` of them."""
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
        if own is not None and other > own + MARGIN and other >= least:
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
