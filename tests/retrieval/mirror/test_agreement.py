"""The mirror finds what Milvus Lite finds and what plain Python finds, whatever was written.

Vectors and weights are small multiples of ½, so that sums are exact, scores are often level
and nothing is left to rounding.
"""

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bench.filter_cases import TEXTS, Case, expected, make_case, make_rows
from core.paths import DataPaths
from core.seams import IndexRow
from core.types import Chunk, Hit, Scope
from retrieval.connections import open_lite
from retrieval.store import MilvusStore

pytestmark = pytest.mark.slow

COLLECTION = "default"
DIMENSIONS = 4
QUERY = {7: 1.5, 8: 0.5, 9: 1.0}


class Library:
    """One Lite, written through a store with a mirror, read by it and by Lite alone; and
    what ought to be in it."""

    def __init__(self, connection) -> None:
        self.mirrored = MilvusStore(connection, mirror_chunks=10_000)
        self.connection = connection
        self.rows: dict[str, IndexRow] = {}
        self.mirrored.drop_collection(COLLECTION)
        self.mirrored.open_collection(COLLECTION, DIMENSIONS, "one")

    def upsert(self, chance: random.Random) -> None:
        rows = [spread(row, chance) for row in chance.sample(make_rows(chance), chance.choice([1, 3, 20]))]
        self.mirrored.upsert(COLLECTION, rows)
        self.rows |= {row.chunk.id: row for row in rows}

    def delete(self, chance: random.Random) -> None:
        held = [row.chunk.document_id for row in self.rows.values()]
        gone = chance.choice([*held, *held, chance.choice(TEXTS)])
        before = len(self.rows)
        self.rows = {one: row for one, row in self.rows.items() if row.chunk.document_id != gone}
        assert self.mirrored.delete_document(COLLECTION, gone) == before - len(self.rows)

    def rebuild(self, chance: random.Random) -> None:
        turned = {one: vector(chance) for one in self.rows}

        def embed(chunks: Sequence[Chunk]) -> np.ndarray:
            return np.stack([turned[chunk.id] for chunk in chunks])

        self.mirrored.reembed(COLLECTION, DIMENSIONS, "one", embed, lambda done, total: None)
        self.rows = {
            one: IndexRow(row.chunk, turned[one], row.lexical, row.readers) for one, row in self.rows.items()
        }

    def start_again(self, chance: random.Random) -> None:
        """As after a restart: what the mirror holds comes from Milvus alone."""
        self.mirrored = MilvusStore(self.connection, mirror_chunks=10_000)

    def empty(self, chance: random.Random) -> None:
        self.mirrored.drop_collection(COLLECTION)
        self.mirrored.open_collection(COLLECTION, DIMENSIONS, "one")
        self.rows = {}

    def compare(self, case: Case, limit: int, asked: np.ndarray) -> None:
        """All ways of reading, against Lite and against plain Python."""
        alone, rows = MilvusStore(self.connection), list(self.rows.values())
        allowed = expected(rows, case)
        scope, where = case.scope, case.where
        dense = {one: float(self.rows[one].dense @ asked) for one in allowed}
        terms = {one: words(self.rows[one]) for one in allowed if words(self.rows[one]) > 0}
        for name, query, truth in (("search_dense", asked, dense), ("search_lexical", QUERY, terms)):
            found = getattr(self.mirrored, name)(scope, query, limit, where)
            check(found, truth, limit)
            same(found, getattr(alone, name)(scope, query, limit, where), limit)
        groups = [where, (), where[:1]]
        found = self.mirrored.search_dense_each(scope, asked, limit, groups)
        assert found == [self.mirrored.search_dense(scope, asked, limit, one) for one in groups]
        assert {chunk.id for chunk in self.mirrored.find_chunks(scope, where, 1000)} == allowed
        assert self.mirrored.find_chunks(scope, where, 1000) == alone.find_chunks(scope, where, 1000)
        chosen = list(self.rows)[:5]
        assert self.mirrored.get_chunks(scope, chosen) == alone.get_chunks(scope, chosen)


def vector(chance: random.Random) -> np.ndarray:
    return np.array([chance.randrange(-4, 5) / 2 for _ in range(DIMENSIONS)], np.float32)


def spread(row: IndexRow, chance: random.Random) -> IndexRow:
    lexical = {term: chance.choice([0.5, 1.0, 2.5]) for term in (7, 8, 9, 10) if chance.random() < 0.6}
    return IndexRow(row.chunk, vector(chance), lexical, row.readers)


def words(row: IndexRow) -> float:
    return sum(weight * row.lexical.get(term, 0.0) for term, weight in QUERY.items())


def check(found: Sequence[Hit], truth: dict[str, float], limit: int) -> None:
    """Exactly the best of `truth`, level ones by id."""
    best = sorted(truth.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
    assert [(hit.chunk.id, hit.score) for hit in found] == best


def same(found: Sequence[Hit], by_lite: Sequence[Hit], limit: int) -> None:
    """Alike, but for which of those level at the cut Lite happens to take."""
    assert [hit.score for hit in found] == [hit.score for hit in by_lite]
    last = found[-1].score if len(found) == limit else -np.inf
    above = [hit for hit in found if hit.score > last]
    assert above == [hit for hit in by_lite if hit.score > last]


STEPS: list[Callable] = [
    Library.upsert, Library.upsert, Library.upsert, Library.upsert, Library.delete, Library.delete,
    Library.rebuild, Library.start_again, Library.empty,
]  # fmt: skip


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    paths = DataPaths(tmp_path_factory.mktemp("agreement"))
    paths.create()
    opened = open_lite(paths.lite_store)
    yield opened
    opened.close()


# A smaller seed is not a simpler case, so nothing is gained by looking for one.
@settings(max_examples=15, deadline=None, phases=[Phase.reuse, Phase.generate])
@given(seed=st.integers(0, 2**32), steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=8))
def test_the_mirror_agrees_with_lite_and_with_python(connection, seed: int, steps: list[Callable]):
    chance, library = random.Random(seed), Library(connection)
    for step in steps:
        step(library, chance)
        cases = [case for _ in range(3) if (case := make_case(chance, COLLECTION)).valid]
        for case in [Case(Scope(COLLECTION), (), True), *cases]:
            library.compare(case, chance.choice([1, 3, 10, 100]), vector(chance))
