"""The columns of a table with types, for SQL: integers, decimals, dates, moments, or text.

Knows what cells say (`core.cells`); knows nothing of Parquet files or documents.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.cells import is_nothing, read_date, read_quantity
from core.types import Table

_INT64_DIGITS = 18
_DECIMAL_DIGITS = 38

Value = int | Decimal | dt.date | dt.datetime | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its label. `kind` is integer, decimal, date, timestamp or text; `unit` is
    what all its numbers carry: with `%`, 12.5 stands for 12.5 %. `texts` are the cells as
    they are shown. `scale` is the number of decimal places."""

    name: str
    label: str
    kind: str
    values: tuple[Value, ...]
    texts: tuple[str, ...]
    unit: str = ""
    scale: int = 0


def typed_columns(table: Table) -> list[Column]:
    """The columns of the rows below the header; names are unique whatever the case.

    A column has a type only when every cell of it that says something agrees, and all
    numbers have one unit: a sum over it then leaves nothing out.
    """
    cells = list(zip(*table.body, strict=True)) or [() for _ in table.header]
    names = _unique(table.header)
    return [
        _column(name, label, texts) for name, label, texts in zip(names, table.header, cells, strict=True)
    ]


def _unique(labels: Sequence[str]) -> list[str]:
    names: list[str] = []
    taken: set[str] = set()
    for at, label in enumerate(labels, start=1):
        plain = " ".join(label.split()) or f"column {at}"
        name, number = plain, 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain} ({number})"
        taken.add(name.casefold())
        names.append(name)
    return names


def _column(name: str, label: str, texts: Sequence[str]) -> Column:
    told = [text for text in texts if not is_nothing(text)]
    shown = tuple(texts)
    if told and all(read_date(text) is not None for text in told):
        return _dates(name, label, shown)
    quantities = [read_quantity(text) for text in told]
    known = [quantity for quantity in quantities if quantity is not None]
    if not told or len(known) < len(quantities) or len({quantity.unit for quantity in known}) > 1:
        return Column(name, label, "text", tuple(text or None for text in texts), shown)
    scale = max(max(0, -int(quantity.value.as_tuple().exponent)) for quantity in known)
    whole = max(quantity.value.adjusted() + 1 for quantity in known)
    if max(whole, 1) + scale > _DECIMAL_DIGITS or (not scale and whole > _INT64_DIGITS):
        return Column(name, label, "text", tuple(text or None for text in texts), shown)
    values = tuple(None if is_nothing(text) else _value(text, scale) for text in texts)
    return Column(name, label, "decimal" if scale else "integer", values, shown, known[0].unit, scale)


def _value(text: str, scale: int) -> Value:
    quantity = read_quantity(text)
    if quantity is None:
        return None
    return quantity.value if scale else int(quantity.value)


def _dates(name: str, label: str, texts: tuple[str, ...]) -> Column:
    found = [None if is_nothing(text) else read_date(text) for text in texts]
    if not any(isinstance(value, dt.datetime) for value in found):
        return Column(name, label, "date", tuple(found), texts)
    moments = tuple(
        dt.datetime.combine(value, dt.time()) if type(value) is dt.date else value for value in found
    )
    return Column(name, label, "timestamp", moments, texts)
