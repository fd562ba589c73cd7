"""Amounts and what may be done with them: a number, a number with a unit, a share, a day.

Numbers are fractions, so that 0.1 + 0.2 is 0.3; only a root makes one that is not exact. Every
operation is bounded: no input can make a number of more than MAX_BITS. Pure.
"""

import calendar
import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from core.errors import InputError
from core.units import dimension_of, size_of

MAX_BITS = 4_096
MAX_EXPONENT = 1_000
PERCENT = "percent"
TEMPERATURES = {
    "degree": (Fraction(1), Fraction(0)),
    "kelvin": (Fraction(1), Fraction(-27315, 100)),
    "fahrenheit": (Fraction(5, 9), Fraction(-160, 9)),
}
"""Factor and offset to degrees Celsius."""
CURRENCIES = frozenset({"us dollar", "euro", "pound sterling", "yen", "hk dollar", "yuan"})


@dataclass(frozen=True, slots=True)
class Amount:
    """`value` counts `unit`, a name of core/units.py; empty: a plain number."""

    value: Fraction
    unit: str = ""
    is_exact: bool = True

    @property
    def is_share(self) -> bool:
        """Whether it is in per cent."""
        return self.unit == PERCENT

    @property
    def plain(self) -> "Amount":
        """A share as the number that it is."""
        return replace(self, value=self.value / 100, unit="") if self.is_share else self


Value = Amount | date


def add(one: Value, other: Value, sign: int = 1) -> Value:
    """The sum; with `sign` of -1 the difference. A share is taken of what it is added to: 200 + 10%
    is 220. Raises InputError."""
    if isinstance(one, date) or isinstance(other, date):
        return _with_dates(one, other, sign)
    if other.is_share and not one.is_share:
        return multiply(one, bounded(Fraction(1) + sign * other.value / 100, "", other.is_exact))
    if one.is_share and not other.is_share:
        one = one.plain
    same = convert(other, one.unit) if one.unit and other.unit else other
    if bool(one.unit) != bool(other.unit):
        raise InputError(
            f"only one of both has a unit: {one.unit or other.unit}", remedy="give both the same unit"
        )
    return bounded(one.value + sign * same.value, one.unit, one.is_exact and same.is_exact)


def multiply(one: Value, other: Value) -> Amount:
    """Raises InputError where the product is no measure that is known here."""
    one, other = _amounts(one, other)
    one, other = one.plain, other.plain
    exact = one.is_exact and other.is_exact
    if one.unit and other.unit:
        if dimension_of(one.unit) == dimension_of(other.unit) == "length":
            value = one.value * size_of(one.unit) * other.value * size_of(other.unit)
            return bounded(value, "square metre", exact)
        raise InputError(f"{one.unit} times {other.unit} is no known measure", remedy="leave one unit out")
    _no_temperature(one, other)
    return bounded(one.value * other.value, one.unit or other.unit, exact)


def divide(one: Value, other: Value) -> Amount:
    """Raises InputError for a division by zero, and where the quotient is no known measure."""
    one, other = _amounts(one, other)
    one, other = one.plain, other.plain
    exact = one.is_exact and other.is_exact
    if not other.value:
        raise InputError("nothing can be divided by zero", remedy="write another divisor")
    _no_temperature(one, other)
    if other.unit:
        if not one.unit:
            raise InputError(f"a number by {other.unit} is no known measure", remedy="leave the unit out")
        return bounded(convert(one, other.unit).value / other.value, "", exact)
    return bounded(one.value / other.value, one.unit, exact)


def remainder(one: Value, other: Value) -> Amount:
    """Of a division of plain numbers. Raises InputError."""
    one, other = plain_numbers(one, other)
    if not other.value:
        raise InputError("nothing can be divided by zero", remedy="write another divisor")
    return bounded(one.value % other.value, "", one.is_exact and other.is_exact)


def power(one: Value, other: Value) -> Amount:
    """Of plain numbers; a whole exponent gives an exact result, another one an approximation.
    Raises InputError where it would be too large, or is no real number."""
    one, other = plain_numbers(one, other)
    if abs(other.value) > MAX_EXPONENT:
        raise InputError(f"exponents go up to {MAX_EXPONENT}", remedy="write a smaller one")
    if not one.value and other.value < 0:
        raise InputError("nothing can be divided by zero", remedy="write another divisor")
    if other.value.denominator == 1:
        bits = max(one.value.numerator.bit_length(), one.value.denominator.bit_length())
        if bits * abs(other.value) > MAX_BITS:
            raise _too_large()
        return bounded(one.value**other.value.numerator, "", one.is_exact and other.is_exact)
    return root(one, other)


def root(one: Amount, exponent: Amount) -> Amount:
    """One to a broken power. A square root that is a fraction is exact."""
    if one.value < 0:
        raise InputError("a negative number has no real root", remedy="write a positive one")
    if exponent.value == Fraction(1, 2):
        top, bottom = math.isqrt(one.value.numerator), math.isqrt(one.value.denominator)
        if Fraction(top, bottom) ** 2 == one.value:
            return replace(one, value=Fraction(top, bottom))
    try:
        return bounded(Fraction(float(one.value) ** float(exponent.value)), "", False)
    except OverflowError as exc:
        raise _too_large() from exc


def convert(one: Amount, unit: str) -> Amount:
    """The same amount in another unit of its dimension; a plain number in per cent. Raises
    InputError."""
    if one.unit == unit:
        return one
    if unit == PERCENT and not one.unit:
        return replace(one, value=one.value * 100, unit=PERCENT)
    if one.unit in TEMPERATURES and unit in TEMPERATURES:
        factor, offset = TEMPERATURES[one.unit]
        own, own_offset = TEMPERATURES[unit]
        return replace(one, value=(one.value * factor + offset - own_offset) / own, unit=unit)
    if one.unit in CURRENCIES and unit in CURRENCIES:
        raise InputError(
            f"the rate of {one.unit} to {unit} is not known here", remedy="say the rate in the question"
        )
    if not one.unit or not unit or dimension_of(one.unit) != dimension_of(unit):
        raise InputError(
            f"{one.unit or 'a plain number'} cannot be made {unit or 'a plain number'}",
            remedy="choose a unit that measures the same",
        )
    return bounded(one.value * size_of(one.unit) / size_of(unit), unit, one.is_exact)


def plain_numbers(one: Value, other: Value) -> tuple[Amount, Amount]:
    """Both as numbers. Raises InputError when one has a unit or is a day."""
    one, other = _amounts(one, other)
    one, other = one.plain, other.plain
    if one.unit or other.unit:
        raise InputError(
            f"this is done with numbers alone, not with {one.unit or other.unit}", remedy="leave the unit out"
        )
    return one, other


def bounded(value: Fraction, unit: str, is_exact: bool) -> Amount:
    """Raises InputError when the number is larger than any that is of use."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise _too_large()
    return Amount(value, unit, is_exact)


def shift_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last. Raises InputError beyond the calendar."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if not date.min.year <= year <= date.max.year:
        raise _no_calendar()
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def months_between(first: date, last: date) -> tuple[int, int]:
    """Whole months from the first day to the last, and the days that are left."""
    months = (last.year - first.year) * 12 + last.month - first.month
    if shift_months(first, months) > last:
        months -= 1
    return months, (last - shift_months(first, months)).days


def _with_dates(one: Value, other: Value, sign: int) -> Value:
    if isinstance(one, date) and isinstance(other, date):
        if sign > 0:
            raise InputError("two days cannot be added", remedy="write the one minus the other")
        return Amount(Fraction((one - other).days), "day")
    if isinstance(other, date):
        if sign < 0:
            raise InputError("a day cannot be taken off a span of time", remedy="write the day first")
        one, other = other, one
    return _shifted(one, other, sign)


def _shifted(day: date, span: Amount, sign: int) -> date:
    dimension = dimension_of(span.unit) if span.unit else ""
    if dimension not in ("time", "months"):
        raise InputError("to a day a span of time can be added", remedy="write days, weeks, months or years")
    count = span.value * size_of(span.unit) * sign
    if count.denominator != 1:
        raise InputError("a day is shifted by whole days or months", remedy="write a whole number")
    if dimension == "months":
        return shift_months(day, count.numerator)
    try:
        return day + timedelta(days=count.numerator)
    except OverflowError as exc:
        raise _no_calendar() from exc


def _amounts(one: Value, other: Value) -> tuple[Amount, Amount]:
    if isinstance(one, date) or isinstance(other, date):
        raise InputError(
            "a day can only be shifted or compared", remedy="write a day plus or minus a span of time"
        )
    return one, other


def _no_temperature(one: Amount, other: Amount) -> None:
    if found := TEMPERATURES.keys() & {one.unit, other.unit}:
        raise InputError(
            f"{found.pop()}: a temperature is not multiplied or divided", remedy="convert it instead"
        )


def _too_large() -> InputError:
    return InputError("the result would be too large", remedy="write smaller numbers")


def _no_calendar() -> InputError:
    return InputError("that day is outside of the calendar", remedy="stay within the years 1 to 9999")
