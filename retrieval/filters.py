"""Typed conditions made into Milvus expressions, in the one place where that happens.

A value reaches an expression only through `_literal`, which escapes it; fields are named
in code, never by a caller. The condition on readers holds names in no form at all where
the engine allows it: see `access_token`. Knows nothing of who asks.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from core import conditions as c
from core.conditions import Condition
from core.errors import InputError
from core.types import Scope

MAX_NAME_CHARS = 128
ALL_ROWS = 'id != ""'


class Readership(StrEnum):
    """Which field the condition on readers looks at.

    Milvus Lite evaluates array functions row by row in Python, over every column of the
    table: 220 ms at 10,000 rows, where LIKE on one string column takes 1 ms. A server has
    an index on the array instead."""

    TOKENS = "access"
    NAMES = "readers"


def principals_of(scope: Scope) -> list[str]:
    """The names that the caller goes by, each of them checked.

    Raises:
        InputError: a name that no reader can have.
    """
    return [check_name("reader", name) for name in scope.principals]


def readable(scope: Scope, readership: Readership) -> str:
    """The expression that stands in every read: one of the caller's names may read.

    Raises:
        InputError: a name that no reader can have.
    """
    names = principals_of(scope)
    if readership is Readership.NAMES:
        return f"array_contains_any(readers, {_literals(names)})"
    return " or ".join(f'access like "%{access_token(name)}%"' for name in names)


def read_expression(scope: Scope, where: Sequence[Condition], readership: Readership) -> str:
    """What `scope` may read and `where` lets through; all of `where` must hold."""
    parts = [readable(scope, readership), *map(render, where)]
    return " and ".join(f"({part})" for part in parts)


def render(condition: Condition) -> str:
    """The expression of one condition, without anything about readers."""
    return _RENDERERS[type(condition)](condition)


def behind(chunk_id: str) -> str:
    """The expression of the rows whose ids come after one: where the next page begins."""
    return f"id > {_literal(chunk_id)}"


def access_token(name: str) -> str:
    """What stands for a reader in the field `access`: 32 hexadecimal digits, so that neither
    a wildcard nor a quote nor a part of another name can ever be in it."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def access_field(readers: Iterable[str]) -> str:
    """The tokens of all who may read a chunk, as one string."""
    return "|".join(sorted(access_token(name) for name in set(readers)))


def check_name(what: str, name: str) -> str:
    """The name of a reader or a collection, or an InputError that says what is wrong with it.

    Quotes, backslashes and control characters have no place in a name; refusing them at
    the border is the first line, escaping in `_literal` the second.
    """
    if not name.strip() or len(name) > MAX_NAME_CHARS:
        raise InputError(f"a {what} name has 1 to {MAX_NAME_CHARS} characters, not {len(name.strip())}")
    if not name.isprintable() or any(char in "\"'\\`" for char in name):
        raise InputError(
            f"the {what} name {name!r} holds a quote, a backslash or an unprintable character",
            remedy="choose a name without them",
        )
    return name


def _under_uri(condition: c.UnderUri) -> str:
    """A range instead of LIKE, whose wildcards cannot be escaped everywhere."""
    least = f"uri >= {_literal(condition.prefix)}"
    beyond = _after_prefix(condition.prefix)
    return f"{least} and uri < {_literal(beyond)}" if beyond else least


def _after_prefix(prefix: str) -> str:
    """The first string, by code points, behind all that begin with `prefix`; empty when
    there is none. UTF-8 keeps the order of code points, so stores agree."""
    last = len(prefix) - 1
    while last >= 0 and prefix[last] == "\U0010ffff":
        last -= 1
    if last < 0:
        return ""
    # Surrogates are no characters: the next one is behind them.
    following = 0xE000 if prefix[last] == "\ud7ff" else ord(prefix[last]) + 1
    return prefix[:last] + chr(following)


def _within_order(condition: c.WithinOrder) -> str:
    document = f"document_id == {_literal(condition.document_id)}"
    return f"{document} and {_between('ordinal', condition.first, condition.last)}"


def _joined(operator: str, conditions: Sequence[Condition]) -> str:
    return f" {operator} ".join(f"({render(condition)})" for condition in conditions)


_RENDERERS: dict[type, Callable[..., str]] = {
    c.OfDocuments: lambda on: f"document_id in {_literals(on.ids)}",
    c.WithIds: lambda on: f"id in {_literals(on.ids)}",
    c.UnderUri: _under_uri,
    c.OfKinds: lambda on: f"kind in {_literals([kind.value for kind in on.kinds])}",
    c.InLanguage: lambda on: f"language == {_literal(on.language)}",
    c.OnPages: lambda on: _between("page", on.first, on.last),
    c.WithinOrder: _within_order,
    c.AllOf: lambda on: _joined("and", on.conditions),
    c.AnyOf: lambda on: _joined("or", on.conditions),
    c.Not: lambda on: f"not ({render(on.condition)})",
}

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def _between(field: str, first: int, last: int) -> str:
    return f"{field} >= {int(first)} and {field} <= {int(last)}"


def _literals(values: Sequence[str]) -> str:
    return "[" + ", ".join(map(_literal, values)) + "]"


def _literal(value: str) -> str:
    """A string literal. Lite knows these five escapes alone, and takes every other
    character as it is; so does a server."""
    return f'"{value.translate(_ESCAPES)}"'
