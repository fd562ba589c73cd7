"""Rows with awkward names, searches over them made by chance, and what each must find.

Knows the typed conditions and what they mean, in plain Python: the oracle that a store's
answer is held against. Knows nothing of expressions or of Milvus.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core import conditions as c
from core.conditions import Condition
from core.seams import IndexRow
from core.text import detect_language
from core.types import EVERYONE, Chunk, ElementKind, Scope

DIMENSIONS = 4
ROWS = 60

READERS = (
    EVERYONE, "ann", "anna", "an", "Ann", "ａｎｎ", "ann ", "a_n", "an%", "%", "_", "%ann%", "__",
    "everyone%", "Everyone", "everyone|ann", "研发部", "研发", "caf\u00e9", "cafe\u0301", "or", "and", "not",
    "true", "in", "null", "readers", "access", "like", "exists", "[]", "(", ")", "{ann}", "group:hr@x.com",
    "$meta", "#", "0", "1 or 1 == 1", "ann,bob", "x" * 128, "🙂", "ก", "ann/*", "ann--", "\u00df", "ss",
    "s", "\u017f", "K", "\u212a",
)  # fmt: skip
"""Names that may be given; many alike, many that mean something to a query language."""

NO_READERS = (
    "", " ", "\u3000", "\t", "x" * 129, "ann\x00", "ann\n", "an\u200bn", "\u202enna", "\ud800", "\ufeffann",
    '"', "'", "\\", "`", 'ann"]) or true or array_contains_any(readers, ["x', "x' or id != '",
    'x" or id != "', "ann\\", '\\"', "ann' --", "ann\u2028", "\x1b[0m", "ann\u00a0x\u200d",
)  # fmt: skip
"""Names that must be refused."""

TEXTS = (
    "d", "d1", "d10", "a'b", 'a"b', "a\\b", "a\\", '\\"', "a\nb", "a\tb", "a\rb", "\x00", "\x08\x0c", "a%",
    "%", "_", "a_b", "é", "e\u0301", "文档", "文", "\ud7ff", "\ue000", "\U0010ffff", "🙂a",
    '"] or id != "" or id in ["', '" or true or "', "' or 1 == 1 or '",
    "id", "true", "\u2028", "{x}", "$meta", "file:///a", "file:///a/b",
    "file:///A", "file:///a%20b", " ", "  d", "d ", "\\n", "\\u0041", "\\x41", "\\101", "x" * 40,
)  # fmt: skip
"""Document ids and uris, quotes and controls among them."""


@dataclass(frozen=True, slots=True)
class Case:
    """One search. `valid` tells whether the scope holds only names that may be given."""

    scope: Scope
    where: tuple[Condition, ...]
    valid: bool


def make_rows(chance: random.Random) -> list[IndexRow]:
    """The rows of the collection, alike for the same state of `chance`."""
    return [_row(chance, at) for at in range(ROWS)]


def _row(chance: random.Random, at: int) -> IndexRow:
    document = chance.choice(TEXTS) + chance.choice(["", "", chance.choice(TEXTS)[:8]])
    text = chance.choice(["plain words", "一些中文的句子", "table | cell"])
    kind, page = chance.choice(list(ElementKind)), chance.choice([None, 1, 2, 3, 70])
    chunk = Chunk(
        f"c{at:04d}", document, chance.randrange(6), text, "t", chance.choice(TEXTS), (), page, (), kind
    )
    readers = tuple(sorted(set(chance.choices(READERS, k=chance.choice([1, 1, 2, 5])))))
    dense = np.eye(DIMENSIONS, dtype=np.float32)[at % DIMENSIONS]
    return IndexRow(chunk, dense, {7: 1.0 + at}, readers)


def make_case(chance: random.Random, collection: str) -> Case:
    """One search by chance: about one in ten with a name that must be refused."""
    names = chance.choices(READERS, k=chance.choice([0, 1, 1, 2, 4]))
    valid = chance.random() > 0.1
    if not valid:
        names.append(chance.choice(NO_READERS))
    where = tuple(_condition(chance, 2) for _ in range(chance.choice([0, 1, 1, 2])))
    return Case(Scope(collection, frozenset(names)), where, valid)


def _condition(chance: random.Random, depth: int) -> Condition:
    if depth and chance.random() < 0.4:
        parts = tuple(_condition(chance, depth - 1) for _ in range(chance.choice([1, 2, 3])))
        return chance.choice([c.AllOf(parts), c.AnyOf(parts), c.Not(parts[0])])
    first, more = chance.randrange(6), chance.randrange(4)
    return chance.choice(
        [
            lambda: c.OfDocuments(_texts(chance)),
            lambda: c.WithIds((*(f"c{chance.randrange(ROWS):04d}" for _ in range(5)), *_texts(chance))),
            lambda: c.UnderUri(_texts(chance)[0][: chance.choice([1, 2, 40])]),
            lambda: c.OfKinds(tuple(chance.choices(list(ElementKind), k=2))),
            lambda: c.InLanguage(chance.choice(c.LANGUAGES)),
            lambda: c.OnPages(first + 1, first + 1 + more),
            lambda: c.WithinOrder(_texts(chance)[0], first, first + more),
        ]
    )()


def _texts(chance: random.Random) -> tuple[str, ...]:
    """Known values, values beside them, and any characters at all."""
    return tuple(_text(chance) for _ in range(chance.choice([1, 2, 4])))


def _text(chance: random.Random) -> str:
    if chance.random() < 0.7:
        return chance.choice(TEXTS) + chance.choice(["", "", "", chance.choice(TEXTS)[:8]])
    points = (chance.choice([chance.randrange(128), chance.randrange(0xD800)]) for _ in range(6))
    return "".join(map(chr, points))


def expected(rows: Sequence[IndexRow], case: Case) -> set[str]:
    """The ids of the chunks that the case must find: readable, and let through by all of
    its conditions."""
    names = case.scope.readers | {EVERYONE}
    return {
        row.chunk.id
        for row in rows
        if names & set(row.readers) and all(holds(condition, row.chunk) for condition in case.where)
    }


def holds(condition: Condition, chunk: Chunk) -> bool:
    """What a condition means."""
    match condition:
        case c.AllOf(conditions):
            return all(holds(part, chunk) for part in conditions)
        case c.AnyOf(conditions):
            return any(holds(part, chunk) for part in conditions)
        case c.Not(part):
            return not holds(part, chunk)
        case c.OfDocuments(ids):
            return chunk.document_id in ids
        case c.WithIds(ids):
            return chunk.id in ids
        case c.UnderUri(prefix):
            return chunk.uri.startswith(prefix)
        case c.OfKinds(kinds):
            return chunk.kind in kinds
        case c.InLanguage(language):
            return detect_language(chunk.text) == language
        case c.OnPages(first, last):
            return first <= (chunk.page or 0) <= last
        case c.WithinOrder(document_id, first, last):
            return chunk.document_id == document_id and first <= chunk.order <= last
