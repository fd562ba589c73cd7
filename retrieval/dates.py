"""Dates that a question names, as ranges of days. Chinese and English, by rules.

Pure; knows no calendar but the Gregorian. What can be read in two ways (03/04/2024) is
read in none.
"""

import calendar
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
# Not from the calendar module, whose names follow the locale of the process.
MONTHS = {short: at for at, name in enumerate(_NAMES, start=1) for short in (name, name[:3])} | {"sept": 9}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DAY = r"(?P<day>\d{1,2})"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?<!\d){_YEAR}\s*年\s*(?:(?P<month>\d{{1,2}})\s*月\s*(?:{_DAY}\s*[日号])?|第?(?P<quarter>[一二三四1-4])\s*季度)?",
        rf"(?<![\w.-]){_YEAR}(?P<mark>[-/.])(?P<month>\d{{1,2}})(?:(?P=mark){_DAY})?(?![\w-]|\.\d)",
        rf"\b{_DAY}(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<name>{_MONTH})\.?,?\s+{_YEAR}\b",
        rf"\b(?P<name>{_MONTH})\.?\s+(?:{_DAY}(?:st|nd|rd|th)?,?\s+)?{_YEAR}\b",
        rf"\bQ(?P<quarter>[1-4])\s*(?:of\s*)?{_YEAR}\b|\b(?P<year2>(?:19|20)\d\d)\s*Q(?P<quarter2>[1-4])\b",
        rf"\b(?:in|of|since|by|during|until|before|after|year|fy)\s+{_YEAR}\b(?![-/.]\d)",
    )
)
_QUARTERS = {mark: at % 4 + 1 for at, mark in enumerate("一二三四1234")}


@dataclass(frozen=True, slots=True)
class DateRange:
    """From the first to the last day, both included."""

    first: date
    last: date


def find_dates(text: str) -> list[DateRange]:
    """The years, quarters, months and days that a text names with their year, in order. A
    day that no calendar has is passed over."""
    folded = unicodedata.normalize("NFKC", text)
    found: list[tuple[int, int, DateRange]] = []
    for form in _FORMS:
        for match in form.finditer(folded):
            taken = any(match.start() < end and start < match.end() for start, end, _ in found)
            if not taken and (span := _read(match.groupdict())) is not None:
                found.append((match.start(), match.end(), span))
    return [span for _, _, span in sorted(found, key=lambda entry: entry[0])]


def _read(parts: dict[str, str | None]) -> DateRange | None:
    year = int(parts.get("year") or parts["year2"])
    if quarter := parts.get("quarter") or parts.get("quarter2"):
        last = _QUARTERS[quarter] * 3
        return DateRange(date(year, last - 2, 1), _last_day(year, last))
    month = MONTHS[parts["name"].casefold()] if parts.get("name") else int(parts.get("month") or 0)
    if not month:
        return DateRange(date(year, 1, 1), date(year, 12, 31))
    if month > 12:
        return None
    if not parts.get("day"):
        return DateRange(date(year, month, 1), _last_day(year, month))
    day = int(parts["day"])
    if not 1 <= day <= _last_day(year, month).day:
        return None
    return DateRange(date(year, month, day), date(year, month, day))


def _last_day(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
