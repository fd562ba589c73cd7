"""Columns of some rows, and which rows a typed condition lets through.

The evaluator of core/conditions.py in NumPy: a mask, one bool a row. It must let through
what retrieval/filters.py lets through in Milvus; a fuzz test holds both against the same
oracle. Knows nothing of vectors or texts.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core import conditions as c
from core.conditions import Condition


class Coded:
    """A column whose values repeat: each distinct value once, and its number for every row."""

    def __init__(self, values: Iterable[Hashable]) -> None:
        self._numbers: dict[Hashable, int] = {}
        number = self._numbers
        self._codes = np.array([number.setdefault(value, len(number)) for value in values], np.int32)

    def values(self, kept: np.ndarray) -> list:
        """The values of the rows for which `kept` is true."""
        distinct = list(self._numbers)
        return [distinct[code] for code in self._codes[kept].tolist()]

    def among(self, values: Iterable[Hashable]) -> np.ndarray:
        """Rows that have one of the values."""
        wanted = np.zeros(len(self._numbers), bool)
        wanted[[self._numbers[value] for value in values if value in self._numbers]] = True
        return wanted[self._codes]

    def where(self, holds: Callable[..., bool]) -> np.ndarray:
        """Rows whose value `holds`."""
        wanted = np.fromiter(map(holds, self._numbers), bool, len(self._numbers))
        return wanted[self._codes]


@dataclass(frozen=True, slots=True)
class Columns:
    """What conditions look at. `places` are the rows by chunk id; `readers` are tuples of
    names; `pages` are 0 where there is none."""

    places: dict[str, int]
    documents: Coded
    uris: Coded
    kinds: Coded
    languages: Coded
    readers: Coded
    orders: np.ndarray
    pages: np.ndarray

    def readable(self, principals: Sequence[str]) -> np.ndarray:
        """Rows that one of these names may read."""
        names = frozenset(principals)
        return self.readers.where(lambda readers: not names.isdisjoint(readers))

    def mask(self, condition: Condition) -> np.ndarray:
        """Rows for which the condition holds."""
        return _MASKS[type(condition)](self, condition)


def _with_ids(columns: Columns, condition: c.WithIds) -> np.ndarray:
    found = np.zeros(len(columns.orders), bool)
    found[[columns.places[one] for one in condition.ids if one in columns.places]] = True
    return found


def _within_order(columns: Columns, condition: c.WithinOrder) -> np.ndarray:
    of_document = columns.documents.among((condition.document_id,))
    return of_document & _between(columns.orders, condition.first, condition.last)


def _between(numbers: np.ndarray, first: int, last: int) -> np.ndarray:
    return (numbers >= first) & (numbers <= last)


_MASKS: dict[type, Callable[..., np.ndarray]] = {
    c.OfDocuments: lambda rows, on: rows.documents.among(on.ids),
    c.WithIds: _with_ids,
    c.UnderUri: lambda rows, on: rows.uris.where(lambda uri: uri.startswith(on.prefix)),
    c.OfKinds: lambda rows, on: rows.kinds.among([kind.value for kind in on.kinds]),
    c.InLanguage: lambda rows, on: rows.languages.among((on.language,)),
    c.OnPages: lambda rows, on: _between(rows.pages, on.first, on.last),
    c.WithinOrder: _within_order,
    c.AllOf: lambda rows, on: np.logical_and.reduce([rows.mask(one) for one in on.conditions]),
    c.AnyOf: lambda rows, on: np.logical_or.reduce([rows.mask(one) for one in on.conditions]),
    c.Not: lambda rows, on: ~rows.mask(on.condition),
}
