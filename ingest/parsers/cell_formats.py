"""The value of a spreadsheet cell as people see it: percent, thousands, currency, dates as ISO.

Knows the number formats of ECMA-376 (part 1, 18.8.31) as far as tables of figures use them;
what it does not know is shown plainly, never dropped.
"""

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal

_LITERAL = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)(?:-[^\]]*)?\]')
_SKIPPED = re.compile(r"\[[^\]]*\]|_.|\*.")
_DIGITS = re.compile(r"[#0?][#0?,]*(?:\.[#0?]*)?(?:[eE][+-]0+)?,*")
_MARK = "\ue000"
_EXACT = 15
"""Digits of a binary number that are its own."""


def shown(value: object, number_format: str = "General") -> str:
    """The text of a cell value (None, str, bool, int, float, date, time, timedelta)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, number_format)
    if isinstance(value, dt.datetime):
        return _moment(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return _duration(value)
    return str(value)


def plain_number(value: int | float) -> str:
    """A number without exponent where that is readable, and without `.0`."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    exact = Decimal(value) if isinstance(value, int) else Decimal(f"{value:.{_EXACT}g}")
    if exact and not -10 <= exact.adjusted() < 21:
        return f"{value:.{_EXACT}g}"
    text = f"{exact:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _moment(value: dt.datetime) -> str:
    """A date when there is no time of day in it. Files store seconds as fractions of a day."""
    rounded = (value + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
    return rounded.date().isoformat() if rounded.time() == dt.time() else rounded.isoformat(sep=" ")


def _duration(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _number(value: int | float, number_format: str) -> str:
    pattern, negative_has_own = _section(number_format, value)
    pattern, literals = _take_literals(pattern)
    found = _DIGITS.search(pattern)
    if found is None or "General" in pattern or "/" in pattern or value != value:
        return plain_number(value)
    digits = _digits(abs(value) if negative_has_own else value, found.group(), pattern.count("%"))
    framed = f"{pattern[: found.start()]}{digits}{pattern[found.end() :]}"
    parts = iter(literals)
    text = "".join(next(parts) if char == _MARK else char for char in framed).strip()
    return f"-{text[1:].lstrip('-')}" if text.startswith("--") else text


def _section(number_format: str, value: float) -> tuple[str, bool]:
    """The part of a format for this sign, and whether it writes the minus itself."""
    sections = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', number_format)
    if value < 0 and len(sections) > 1 and sections[1]:
        return sections[1], True
    if value == 0 and len(sections) > 2 and _DIGITS.search(sections[2]):
        return sections[2], False
    return sections[0], False


def _take_literals(pattern: str) -> tuple[str, list[str]]:
    """Quoted words, escaped characters and currencies as marks, so that their letters are
    not taken for digits; colours, conditions and paddings go."""
    literals: list[str] = []

    def keep(match: re.Match) -> str:
        literals.append(next(group for group in match.groups() if group is not None))
        return _MARK

    return _SKIPPED.sub("", _LITERAL.sub(keep, pattern)), literals


def _digits(value: float, pattern: str, percents: int) -> str:
    if "e" in pattern.lower():
        places = len(pattern.lower().split("e")[0].partition(".")[2])
        return f"{value:.{places}E}"
    thousandfold = len(pattern) - len(pattern.rstrip(","))
    whole, _, fraction = pattern.rstrip(",").partition(".")
    number = Decimal(f"{value:.{_EXACT}g}") if isinstance(value, float) else Decimal(value)
    number = number.scaleb(2 * percents - 3 * thousandfold)
    places = len(fraction)
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    text = f"{rounded:,f}" if "," in whole else f"{rounded:f}"
    least = places - fraction.count("#")
    if places > least and "." in text:
        head, _, tail = text.partition(".")
        tail = tail[:least] + tail[least:].rstrip("0")
        text = f"{head}.{tail}" if tail else head
    zeros = whole.replace(",", "").count("0")
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    head, dot, tail = text.partition(".")
    return f"{sign}{head.rjust(zeros, '0')}{dot}{tail}"
