"""What a user writes to narrow a search, made into typed conditions.

Knows the fields and their shapes, for REST and the command line alike; knows nothing of
how a store looks for them. Fields are joined by *and*, the values of one field by *or*.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core import conditions as c
from core.conditions import Condition
from core.errors import InputError
from core.types import ElementKind


def conditions_of(given: Mapping[str, Any] | None) -> list[Condition]:
    """The conditions of a filter such as `{"kind": ["table"], "uri_prefix": "file:///a"}`.

    Raises:
        InputError: an unknown field, or a value that it cannot have; names the known ones.
    """
    conditions = []
    for field, value in (given or {}).items():
        if field not in FIELDS:
            raise InputError(
                f"a filter has no field {str(field)[:40]!r}", remedy=f"known fields: {', '.join(FIELDS)}"
            )
        conditions.append(FIELDS[field](value))
    return conditions


def _texts(field: str, value: object) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, Sequence) or not all(isinstance(one, str) for one in values):
        raise InputError(f"the filter {field!r} takes a text or a list of texts")
    return tuple(values)


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"the filter {field!r} takes one text")
    return value


def _kinds(value: object) -> Condition:
    known = [kind.value for kind in ElementKind]
    kinds = _texts("kind", value)
    if unknown := [kind for kind in kinds if kind not in known]:
        raise InputError(
            f"there is no kind of passage {unknown[0][:40]!r}", remedy=f"known: {', '.join(known)}"
        )
    wanted = [*map(ElementKind, kinds)]
    if ElementKind.TABLE in wanted:
        wanted.append(ElementKind.ROWS)
    return c.OfKinds(tuple(dict.fromkeys(wanted)))


def _pages(value: object) -> Condition:
    pages = [value, value] if isinstance(value, int) else value
    numbers = isinstance(pages, Sequence) and all(type(page) is int for page in pages)
    if not numbers or len(pages) != 2:
        raise InputError("the filter 'page' takes a number, or the first and the last page as a list")
    return c.OnPages(pages[0], pages[1])


FIELDS: Mapping[str, Callable[[object], Condition]] = {
    "document": lambda value: c.OfDocuments(_texts("document", value)),
    "uri_prefix": lambda value: c.UnderUri(_text("uri_prefix", value)),
    "kind": _kinds,
    "language": lambda value: c.InLanguage(_text("language", value)),
    "page": _pages,
}
