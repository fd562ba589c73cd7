"""What a cell says: a number with its unit, a date, or words. Pure."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = re.compile(
    r"(?P<open>[(（])?\s*(?P<sign>[+\-−–]?)\s*(?P<before>[$€£¥￥]|US\$|HK\$|NT\$|RMB|CNY|USD|EUR)?\s*"
    r"(?P<minus>[-−]?)(?P<digits>(?:\d{1,3}(?:[,，]\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)\s*"
    r"(?P<after>%|％|‰|°C|℃|[^\W\d_]{1,3}[²³23]?|[€元¥])?\s*(?P<close>[)）])?"
)
# `$(5.6)` and `(5.6)%` say the same as `($5.6)` and `(5.6%)`.
_BRACKETED = re.compile(r"([$€£¥￥]?)\s*[(（]\s*([\d.,]+)\s*[)）]\s*([%％]?)")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_NOTHING = frozenset({"", "-", "–", "—", "--", "/", "n/a", "na", "无", "null", "none", "…", "...", "－"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as written: `value` in its `unit` (percent stays percent: 12.5 in `%`)."""

    value: Decimal
    unit: str
    is_plain: bool
    """Whether nothing but an integer is written: such may also be a code."""


def read_quantity(text: str) -> Quantity | None:
    """A number, with thousands separators, brackets for minus, and a unit; None for else.
    What begins with zeros (`007`) or has more than 18 digits is a code, no number."""
    match = _NUMBER.fullmatch(_BRACKETED.sub(r"(\1\2\3)", text.strip()))
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    digits = match["digits"].replace(",", "").replace("，", "")
    whole = re.split(r"[.eE]", digits)[0]
    if (len(whole) > 1 and whole[0] == "0") or len(re.sub(r"\D", "", digits)) > 18:
        return None
    negative = bool(match["open"]) != (match["sign"] in ("-", "−", "–") or bool(match["minus"]))
    value = -Decimal(digits) if negative else Decimal(digits)
    unit = (match["before"] or "") + (match["after"] or "").replace("％", "%")
    return Quantity(value, unit, text.strip().isdigit())


def read_date(text: str) -> dt.date | dt.datetime | None:
    """A date of year, month and day, with its time when one is written."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, *time = match.groups()
    try:
        if time[0] is None:
            return dt.date(int(year), int(month), int(day))
        return dt.datetime(int(year), int(month), int(day), *(int(part or 0) for part in time))
    except ValueError:
        return None


def is_nothing(text: str) -> bool:
    """Whether a cell says that there is no value: a dash, `n/a`, 无."""
    return text.strip().casefold() in _NOTHING


def is_data(text: str) -> bool:
    """Whether a cell holds a number or a date, as data do and headers seldom."""
    return read_quantity(text) is not None or read_date(text) is not None


def is_year(text: str) -> bool:
    """Whether a cell could be the year that heads a column."""
    return bool(re.fullmatch(r"(?:19|20)\d{2}年?", text.strip()))
