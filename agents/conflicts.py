"""Whether another document says otherwise: the same fact with another value.

A sentence that one document bears out may be denied by a second one. Then the reader must
see both, the newer first, and neither may be merged into the other. By rule, and careful: two
texts are in conflict only when they speak of the same thing in nearly the same words, at the
same time, and differ in just what is stated. Knows spans; knows nothing of the graph.
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from agents.binding import BoundSpan
from agents.guards.exact import NEAR_COPY, OPPOSITES
from agents.keywords import segments
from core.units import quantities
from core.wording import chinese_names, codes, holds_code, names, negations, plain_numbers, squeeze
from retrieval.dates import find_dates
from retrieval.terms import split_terms

SAME_WORDS = 0.6
"""Share of the sentence's content terms, values aside, that every rival holds too."""
SAME_VALUES = 0.75
"""The same for one that differs in a value."""
SAME_FACT = 0.8
"""The same for a rival that differs in a negation or an opposite alone."""
LEAST_WORDS = 3
"""Content terms of a sentence that can be denied: a bare name cannot."""
MAX_RIVALS = 2
KEPT = 2048
"""Texts whose words are kept."""
MORE_WORDS = 6
"""So many terms may one of two near copies have more than the other: what is added contradicts
nothing."""
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")


def find_rivals(claim: str, bound: Sequence[BoundSpan], others: Sequence[BoundSpan]) -> list[BoundSpan]:
    """Spans of `others`, from documents that the claim is not bound to, which state the claim's
    fact with another value; at most MAX_RIVALS, one for each document, the most alike first."""
    known = {span.chunk.document_id for span in bound}
    quotes = [span.quote for span in bound]
    scored = [
        (share, at)
        for at, other in enumerate(others)
        if other.chunk.document_id not in known and (share := _likeness(claim, quotes, other)) > 0
    ]
    rivals: dict[str, BoundSpan] = {}
    for _, at in sorted(scored, key=lambda pair: -pair[0]):
        if others[at].quote not in {rival.quote for rival in rivals.values()}:
            rivals.setdefault(others[at].chunk.document_id, others[at])
    return list(rivals.values())[:MAX_RIVALS]


def newest_day(span: BoundSpan) -> int:
    """The last day, as an ordinal number, that the document's title, headings or name give as its
    date; 0 when they give none."""
    about = " ".join((span.chunk.context, span.chunk.uri.rsplit("/", 1)[-1].replace("_", " ")))
    days = [found.last for found in find_dates(about)]
    days = days or [date(int(year), 12, 31) for year in _YEAR.findall(about)]
    return max((day.toordinal() for day in days), default=0)


def _likeness(claim: str, quotes: Sequence[str], other: BoundSpan) -> float:
    """Share of the claim's words that a rival holds; 0 when it is none."""
    if not _is_of_same_years(claim, other):
        return 0.0
    if (replaced := _replaced_values(claim, quotes, other.quote)) and _holds_codes(claim, other):
        return replaced
    share = _share(_words(claim), other)
    if share < SAME_WORDS or not _is_of_same_things(claim, other):
        return 0.0
    if share >= SAME_VALUES and _differs_in_value(claim, quotes, other.quote):
        return share
    opposed = _opposed_words(claim, other.quote)
    if opposed is None or len(_words(claim)) < LEAST_WORDS:
        return 0.0
    share = _share(_words(claim.replace(opposed, " ") if opposed else claim), other)
    return share if share >= SAME_FACT else 0.0


def _share(words: frozenset[str], other: BoundSpan) -> float:
    return len(words & _terms(other.readable)) / len(words) if words else 0.0


def _replaced_values(claim: str, quotes: Sequence[str], text: str) -> float:
    """How alike (0…1) a quote of the claim and a text are that are the same but for a value: a
    number, name or title that the claim states and for which the other has another one; 0 when they
    are not. Other words that differ (导致 for 造成) say the same."""
    best = 0.0
    for quote in quotes:
        mine, theirs = _values(quote), _values(text)
        if not ((mine - theirs) & _values(claim) and theirs - mine):
            continue
        one, other = _terms(quote), _terms(text)
        alike = len(one & other) / len(one | other) if one | other else 0.0
        if alike >= NEAR_COPY and abs(len(one) - len(other)) <= MORE_WORDS:
            best = max(best, alike)
    return best


# The same spans are compared with each sentence of an answer.
@lru_cache(KEPT)
def _terms(text: str) -> frozenset[str]:
    return frozenset(split_terms(text))


@lru_cache(KEPT)
def _values(text: str) -> frozenset[str]:
    named = {word for name in names(f". {text}") for word in name.split()}
    return frozenset({f"{value:g}" for value in plain_numbers(text)} | named | chinese_names(text))


@lru_cache(KEPT)
def _words(text: str) -> frozenset[str]:
    terms = {term for segment in segments(text) for term in split_terms(segment)}
    return frozenset(term for term in terms if not term.replace(".", "").isdigit())


def _is_of_same_things(claim: str, other: BoundSpan) -> bool:
    """The same products and people: figures of two models may both be true."""
    return _holds_codes(claim, other) and all(name in other.readable.casefold() for name in names(claim))


def _holds_codes(claim: str, other: BoundSpan) -> bool:
    near = squeeze(other.readable)
    return all(holds_code(code, near) for code in codes(claim) if not code.isdigit())


def _is_of_same_years(claim: str, other: BoundSpan) -> bool:
    """Figures of two years may both be true. A quote without a year is of its document's."""
    mine = set(_YEAR.findall(claim))
    theirs = set(_YEAR.findall(other.quote)) or set(_YEAR.findall(other.chunk.context))
    return not (mine and theirs) or bool(mine & theirs)


def _differs_in_value(claim: str, quotes: Sequence[str], text: str) -> bool:
    """Another number of the same unit where the claim's own is missing; of numbers without a
    known unit, when each side has just one that the other lacks."""
    mine, theirs = quantities(claim), quantities(text)
    lacking = {(value, unit) for value, unit in mine if (value, unit) not in theirs}
    agreed = {value for quote in quotes for value, _ in quantities(quote)}
    for value, unit in lacking:
        rivals = {v for v, u in theirs if u == unit} - agreed
        if value in agreed and rivals:
            return True
    years = {float(year) for year in _YEAR.findall(f"{claim} {text}")}
    measured = {value for value, _ in mine | theirs}
    alone = plain_numbers(claim) - plain_numbers(text) - years - measured
    against = plain_numbers(text) - plain_numbers(claim) - years - measured
    return len(alone) == 1 and len(against) == 1


def _opposed_words(claim: str, text: str) -> str | None:
    """What of the claim the text says the opposite of: its word of a pair of opposites, nothing
    when just one of both is negated; None when there is no such thing."""
    for one, other in OPPOSITES:
        mine, theirs = (one.search(claim), other.search(claim)), (one.search(text), other.search(text))
        held = [match is not None for match in mine]
        if held in ([True, False], [False, True]) and [match is not None for match in theirs] == held[::-1]:
            return (mine[0] or mine[1]).group()
    return "" if (negations(claim) > 0) != (negations(text) > 0) else None
