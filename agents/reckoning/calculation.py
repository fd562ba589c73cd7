"""What a calculation gives: the value, as it is shown and how it was asked. Pure."""

from dataclasses import dataclass

from agents.reckoning.amounts import Amount, Value, convert
from agents.reckoning.showing import is_shown_exactly, number_of, show
from core.units import dimension_of, size_of


@dataclass(frozen=True, slots=True)
class Calculation:
    """What was worked out: `asked` as it was read, `shown` the value for people, `number` for
    scripts, `unit` a name of core/units.py or empty."""

    asked: str
    shown: str
    number: str
    unit: str
    is_exact: bool
    steps: int

    @property
    def text(self) -> str:
        """`18% of 2340 = 421.2`."""
        return f"{self.asked} {'=' if self.is_exact else '≈'} {self.shown}"


def calculation(asked: str, value: Value, steps: int, language: str) -> Calculation:
    """The calculation of a value in so many steps."""
    value = _in_whole_units(value)
    unit = value.unit if isinstance(value, Amount) else ""
    return Calculation(asked, show(value, language), number_of(value), unit, is_shown_exactly(value), steps)


def _in_whole_units(value: Value) -> Value:
    """4 hours and a sixth as 250 minutes: a broken span of time in the largest unit that it is whole in."""
    if (
        isinstance(value, Amount)
        and value.unit
        and dimension_of(value.unit) == "time"
        and not is_shown_exactly(value)
    ):
        smaller = (convert(value, unit) for unit in _SPANS if size_of(unit) < size_of(value.unit))
        return next((span for span in smaller if span.value.denominator == 1), value)
    return value


_SPANS = ("day", "hour", "minute", "second")
