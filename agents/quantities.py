"""Numbers with their units, and the facts of an evidence sentence in which they stand.

A number of a claim may stand in the evidence and still belong to something else there:
`主机 18 个月，电池 6 个月` does not support a battery of 18 months. Pure functions.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from agents.keywords import segments
from agents.wording import fold, numbers, plain_numbers
from core.text import detect_language
from retrieval.lexical import split_terms

_UNITS = {
    "day": "天|日(?!元)|days?|working days?|工作日|个工作日",
    "week": "周|星期|weeks?",
    "month": "个月|months?",
    "year": "年|years?",
    "hour": "小时|个小时|hours?|hrs?|h(?![a-z])",
    "minute": "分钟|minutes?|min(?![a-z])",
    "second": "秒|seconds?|s(?![a-z])",
    "percent": "%|％|percent",
    "kg": "公斤|千克|kg",
    "degree": "°c|℃|度|degrees?",
    "metre": "米|metres?|meters?|m(?![a-z²³/])",
    "millimetre": "毫米|mm",
}
_QUANTITY = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)[\s-]*(?:"
    + "|".join(f"(?P<{name}>{pattern})" for name, pattern in _UNITS.items())
    + ")"
)
_FACT_END = re.compile(r"[，；、,;。.](?=\s|[^\d\s]|$)|\s(?:and|but|while)\s|(?:而|和|以及)(?=[^，；]{2,}为)")
MARGIN = 0.15


def quantities(text: str) -> set[tuple[float, str]]:
    """(value, unit) for every number that is followed by a known unit of measure."""
    folded = fold(_spell_digits(text))
    found = set()
    for match in _QUANTITY.finditer(folded):
        unit = next(name for name in _UNITS if match[name])
        found.add((float(match["number"]), unit))
    return found


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


def _spell_digits(text: str) -> str:
    """Chinese numerals before a unit as digits: 十八个月 as 18个月."""
    def spell(match: re.Match) -> str:
        values = numbers(match.group())
        return f"{values.pop():g}" if len(values) == 1 else match.group()

    text = unicodedata.normalize("NFKC", text)
    if detect_language(text) != "zh":
        return _ENGLISH_NUMBER.sub(spell, text)
    return _CHINESE_NUMBER.sub(spell, text)


_CHINESE_NUMBER = re.compile("[零一二两三四五六七八九十百壹贰叁肆伍陆柒捌玖拾佰]+(?=个?[工月年天日小分周])")
_ENGLISH_NUMBER = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen|eighteen"
    r"|twenty|thirty|sixty|ninety)\b(?=[\s-])",
    re.IGNORECASE,
)
