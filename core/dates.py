"""Dates in a text, however they are written: 2017年7月21日, July 21, 2017, 21/7/2017, 2017-07-21.

Pure; a date may lack its year or its day. `03/04/2024` may be read both ways.
"""

import re
import unicodedata
from dataclasses import dataclass

_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTHS = {short: at for at, name in enumerate(_NAMES, start=1) for short in (name, name[:3])} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"(?P<year>1\d{3}|20\d\d)"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_ZH_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?<!\d)(?:{_YEAR}\s*年\s*)?(?P<month>\d{{1,2}})\s*月(?:\s*(?P<day>\d{{1,2}})\s*[日号號])?",
        rf"(?<!\d){_YEAR}(?P<mark>[-/.])(?P<month>\d{{1,2}})(?:(?P=mark)(?P<day>\d{{1,2}}))?(?!\d)",
        rf"\b{_DAY}\s+(?:of\s+)?(?P<name>{_MONTH})\b\.?(?:,?\s+{_YEAR}\b)?",
        rf"\b(?P<name>{_MONTH})\b\.?\s+{_DAY}\b(?!\d)(?:,?\s+{_YEAR}\b)?",
        rf"\b(?P<name>{_MONTH})\b\.?,?\s+{_YEAR}\b",
        rf"(?<!\d)(?P<first>\d{{1,2}})(?P<mark>[/.])(?P<second>\d{{1,2}})(?P=mark){_YEAR}(?!\d)",
    )
)
_ZH_NUMERAL = re.compile("[〇零一二三四五六七八九十]{1,4}(?=\\s*[年月日号號])")


@dataclass(frozen=True, slots=True)
class CalendarDate:
    """What a text says of a date; None is not said. At least two of the three are."""

    year: int | None
    month: int | None
    day: int | None

    def agrees(self, other: "CalendarDate") -> bool:
        """Whether nothing that both say differs."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(one == two for one, two in pairs if one is not None and two is not None)


def find_dates(text: str) -> list[CalendarDate]:
    """The dates of a text that name a month with a day or a year, in no certain order."""
    plain = _ZH_NUMERAL.sub(_digits, unicodedata.normalize("NFKC", text))
    matches = [match for form in _FORMS for match in form.finditer(plain)]
    # Of "21 June 2019" the part "June 2019" is no date of its own.
    whole = [m for m in matches if not any(o is not m and _is_within(m, o) for o in matches)]
    return list(dict.fromkeys(date for match in whole for date in _read(match.groupdict())))


def _is_within(match: re.Match, other: re.Match) -> bool:
    (start, end), (first, last) = match.span(), other.span()
    return first <= start and end <= last and (start, end) != (first, last)


def _read(parts: dict[str, str | None]) -> list[CalendarDate]:
    year = int(parts["year"]) if parts.get("year") else None
    if parts.get("first"):
        one, two = int(parts["first"]), int(parts["second"])
        return [
            CalendarDate(year, m, d) for m, d in {(one, two), (two, one)} if 1 <= m <= 12 and 1 <= d <= 31
        ]
    month = _MONTHS[parts["name"].lower()] if parts.get("name") else int(parts["month"])
    day = int(parts["day"]) if parts.get("day") else None
    if not 1 <= month <= 12 or (day is not None and not 1 <= day <= 31) or (year is None and day is None):
        return []
    return [CalendarDate(year, month, day)]


def _digits(match: re.Match) -> str:
    word = match.group()
    if "十" not in word:
        return word.translate(_ZH_DIGITS)
    tens, _, ones = word.partition("十")
    return str(int(tens.translate(_ZH_DIGITS) or 1) * 10 + int(ones.translate(_ZH_DIGITS) or 0))
