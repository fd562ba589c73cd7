"""Typed conditions and the one place where they become Milvus expressions.

A value reaches an expression only through `_literal`, which escapes it; fields are named
in code, never by a caller. Knows nothing of who asks.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InputError
from core.types import Scope

MAX_NAME_CHARS = 128


@dataclass(frozen=True, slots=True)
class ReadableBy:
    """Chunks that one of these readers may read."""

    principals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfDocument:
    """Chunks of one document version."""

    document_id: str


@dataclass(frozen=True, slots=True)
class WithIds:
    """Chunks by id."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InLanguage:
    """Chunks written mostly in one language."""

    language: str


Condition = ReadableBy | OfDocument | WithIds | InLanguage


def readable(scope: Scope) -> ReadableBy:
    """The condition that stands in every read."""
    return ReadableBy(tuple(check_name("reader", name) for name in scope.principals))


def to_expression(conditions: Sequence[Condition]) -> str:
    """All conditions joined by `and`. Raises ValueError without any: an empty filter is
    never what a caller means."""
    if not conditions:
        raise ValueError("a filter needs at least one condition")
    return " and ".join(f"({_render(condition)})" for condition in conditions)


def check_name(what: str, name: str) -> str:
    """The name of a reader or a collection, or an InputError that says what is wrong with it.

    Quotes, backslashes and control characters have no place in a name; refusing them at
    the border is the first line, escaping in `_literal` the second.
    """
    if not name or len(name) > MAX_NAME_CHARS:
        raise InputError(f"a {what} name has 1 to {MAX_NAME_CHARS} characters, not {len(name)}")
    if not name.isprintable() or any(char in "\"'\\`" for char in name):
        raise InputError(
            f"the {what} name {name!r} holds a quote, a backslash or an unprintable character",
            remedy="choose a name without them",
        )
    return name


def _render(condition: Condition) -> str:
    if isinstance(condition, ReadableBy):
        return f"array_contains_any(readers, {_literals(condition.principals)})"
    if isinstance(condition, OfDocument):
        return f"document_id == {_literal(condition.document_id)}"
    if isinstance(condition, InLanguage):
        return f"language == {_literal(condition.language)}"
    return f"id in {_literals(condition.ids)}"


def _literals(values: Sequence[str]) -> str:
    return "[" + ", ".join(map(_literal, values)) + "]"


def _literal(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
