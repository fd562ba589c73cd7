"""The contract of `VectorStore`, run against real Milvus Lite."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.conditions import InLanguage, Not, OfDocuments, OfKinds, UnderUri, WithinOrder
from core.errors import ConflictError, InputError, NotFoundError, StoreLockedError
from core.paths import DataPaths
from core.seams import IndexRow, VectorStore
from core.settings import MilvusSettings
from core.types import Box, Chunk, Document, ElementKind, Scope, Stage, chunk_id
from retrieval.store import open_store

DIMENSIONS = 8
EVERYBODY = Scope("default")
ANN = Scope("default", frozenset({"ann"}))


def row(document: str, order: int, readers: tuple[str, ...] = ("everyone",), term: int = 5) -> IndexRow:
    """A row whose vector points along its order."""
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[order % DIMENSIONS] = 1
    chunk = Chunk(
        chunk_id(document, order), document, order, f'text "{order}" 甲\n', "title", "file:///a",
        ("h1", "二"), 3, (Box(3, 1, 2, 3, 4, 0, 8),),
    )  # fmt: skip
    return IndexRow(chunk, vector, {term: 1.0 + order, 2**32 - 3: 0.5}, readers)


def along(axis: int) -> np.ndarray:
    """A unit vector."""
    return np.eye(DIMENSIONS, dtype=np.float32)[axis]


class VectorStoreContract:
    """What every store must do."""

    def test_rows_come_back_whole(self, store: VectorStore):
        wanted = row("d1", 2)
        store.upsert("default", [wanted, row("d1", 3)])
        hits = store.search_dense(EVERYBODY, along(2), 5)
        assert hits[0].chunk == wanted.chunk
        assert hits[0].stage is Stage.DENSE and hits[0].ranks == {"dense": 1}
        assert hits[0].score == pytest.approx(1.0) and hits[0].score > hits[1].score

    def test_lexical_scores_are_inner_products(self, store: VectorStore):
        store.upsert("default", [row("d1", 0), row("d1", 1), row("d1", 2, term=9)])
        hits = store.search_lexical(EVERYBODY, {5: 2}, 5)
        assert [(h.chunk.order, h.score) for h in hits] == [(1, 4.0), (0, 2.0)]
        assert store.search_lexical(EVERYBODY, {}, 5) == []

    def test_the_same_id_is_replaced(self, store: VectorStore):
        store.upsert("default", [row("d1", 0)])
        store.upsert("default", [row("d1", 0)])
        assert store.count_chunks("default") == {"d1": 1}

    def test_several_documents_are_deleted_at_once(self, store: VectorStore):
        store.upsert("default", [row("d1", 0), row("d1", 1), row("d2", 0), row("d3", 0)])
        assert store.delete_documents("default", ["d1", "d2", "none"]) == 3
        assert store.count_chunks("default") == {"d3": 1}
        assert store.delete_documents("default", []) == 0

    def test_a_copy_keeps_words_and_vectors_under_another_id(self, store: VectorStore):
        store.upsert("default", [row("d1", 0), row("d1", 1)])
        wanted = Document("d2", "file:///b", "title", "text/plain", 1, "default", ("ann",))
        assert store.copy_document(wanted, "d1") == 2
        assert store.count_chunks("default") == {"d1": 2, "d2": 2}
        store.delete_documents("default", ["d1"])
        assert store.search_dense(EVERYBODY, along(1), 5) == []
        found = store.search_dense(ANN, along(1), 1)[0]
        old = row("d1", 1).chunk
        assert found.chunk == replace(old, id=chunk_id("d2", 1), document_id="d2", uri="file:///b")
        assert found.score == pytest.approx(1.0)
        assert store.search_lexical(ANN, {5: 1.0}, 1)[0].score == pytest.approx(2.0)
        assert store.copy_document(wanted, "none") == 0

    def test_a_copy_under_the_same_id_only_renames(self, store: VectorStore):
        store.upsert("default", [row("d1", 0)])
        assert store.copy_document(Document("d1", "file:///c", "", "", 1, "default"), "d1") == 1
        assert store.count_chunks("default") == {"d1": 1}
        assert [c.uri for c in store.find_chunks(EVERYBODY, [], 5)] == ["file:///c"]

    def test_no_chunk_stands_there_twice(self, store: VectorStore):
        for _ in range(3):
            store.upsert("default", [row("d1", 0), row("d1", 1)])
        assert store.repeated_ids("default") == []
        assert store.uris_of_chunks("default") == {"d1": {row("d1", 0).chunk.uri}}

    def test_nobody_sees_what_is_not_theirs(self, store: VectorStore):
        store.upsert("default", [row("open", 0), row("anns", 1, ("ann",)), row("bobs", 2, ("bob", "eve"))])
        for scope, seen in ((EVERYBODY, {"open"}), (ANN, {"open", "anns"})):
            assert {h.chunk.document_id for h in store.search_dense(scope, along(1), 9)} == seen
            assert {h.chunk.document_id for h in store.search_lexical(scope, {5: 1.0}, 9)} == seen
            ids = [chunk_id("open", 0), chunk_id("anns", 1), chunk_id("bobs", 2)]
            assert {c.document_id for c in store.get_chunks(scope, ids)} == seen

    def test_each_group_gets_its_best(self, store: VectorStore):
        rows = [row("d1", i) for i in range(4)] + [row("d2", 1), row("bobs", 1, ("bob",))]
        store.upsert("default", rows)
        groups = [[OfDocuments(("d1",))], [], [InLanguage("en")], [OfDocuments(("d2", "bobs"))]]
        found = store.search_dense_each(EVERYBODY, along(1), 2, groups)
        assert found == [store.search_dense(EVERYBODY, along(1), 2, where) for where in groups]
        assert [len(hits) for hits in found] == [2, 2, 0, 1]
        assert store.search_dense_each(EVERYBODY, along(1), 2, []) == []

    def test_who_loses_a_right_finds_nothing_more(self, store: VectorStore):
        store.upsert("default", [row("d1", 0, ("ann",)), row("d1", 1, ("ann",))])
        assert len(store.search_dense(ANN, along(0), 9)) == 2
        store.upsert("default", [row("d1", 0, ("bob",))])
        assert [h.chunk.order for h in store.search_dense(ANN, along(0), 9)] == [1]
        assert [h.chunk.order for h in store.search_lexical(ANN, {5: 1.0}, 9)] == [1]
        store.delete_document("default", "d1")
        assert store.search_dense(ANN, along(0), 9) == store.search_lexical(ANN, {5: 1.0}, 9) == []
        assert store.find_chunks(ANN, [OfDocuments(("d1",))], 9) == []

    def test_a_reader_named_like_an_expression_sees_nothing_more(self, store: VectorStore):
        store.upsert("default", [row("bobs", 2, ("bob",))])
        for name in ('x" or document_id != "', "']) or true or (['"):
            with pytest.raises(InputError):
                store.search_dense(Scope("default", frozenset({name})), along(1), 9)
            with pytest.raises(InputError):
                store.find_chunks(Scope("default", frozenset({name})), [InLanguage("en")], 9)
        assert store.search_dense(Scope("default", frozenset({"bo"})), along(1), 9) == []

    def test_deleting_a_document_leaves_the_others(self, store: VectorStore):
        store.upsert("default", [row("d1", i) for i in range(3)] + [row("d2", 0)])
        assert store.delete_document("default", "d1") == 3
        assert store.delete_document("default", "d1") == 0
        assert store.count_chunks("default") == {"d2": 1}

    def test_chunks_come_in_the_order_asked(self, store: VectorStore):
        store.upsert("default", [row("d1", i) for i in range(3)])
        asked = [chunk_id("d1", 2), chunk_id("d1", 7), chunk_id("d1", 0)]
        assert [c.order for c in store.get_chunks(EVERYBODY, asked)] == [2, 0]

    def test_neighbours_are_found_by_document_and_order(self, store: VectorStore):
        store.upsert("default", [row("d1", i) for i in range(6)] + [row("bobs", 3, ("bob",))])
        near = WithinOrder("d1", 2, 4)
        assert [c.order for c in store.find_chunks(EVERYBODY, [near], 10)] == [2, 3, 4]
        assert store.find_chunks(EVERYBODY, [WithinOrder("bobs", 0, 9)], 10) == []
        assert len(store.find_chunks(EVERYBODY, [near], 2)) == 2

    def test_conditions_narrow_both_legs(self, store: VectorStore):
        store.upsert("default", [row("d1", i) for i in range(3)] + [row("d2", 0), row("bobs", 1, ("bob",))])
        for where, seen in (
            ([OfDocuments(("d2", "bobs"))], {"d2"}),
            ([Not(OfDocuments(("d2",)))], {"d1"}),
            ([UnderUri("file:///"), InLanguage("zh")], {"d1", "d2"}),
            ([InLanguage("en")], set()),
            ([UnderUri("file:///b")], set()),
            ([OfKinds((ElementKind.TABLE,))], set()),
        ):
            dense = store.search_dense(EVERYBODY, along(1), 9, where)
            assert {h.chunk.document_id for h in dense} == seen
            lexical = store.search_lexical(EVERYBODY, {5: 1.0}, 9, where)
            assert {h.chunk.document_id for h in lexical} == seen

    @pytest.mark.parametrize("limit", [0, -1, 16_385])
    def test_more_than_the_store_can_give_is_refused(self, store: VectorStore, limit: int):
        with pytest.raises(InputError, match="16384"):
            store.search_dense(EVERYBODY, along(0), limit)

    def test_the_largest_limit_works(self, store: VectorStore):
        store.upsert("default", [row("d1", 0)])
        assert len(store.search_dense(EVERYBODY, along(0), 16_384)) == 1
        assert len(store.search_lexical(EVERYBODY, {5: 1.0}, 16_384)) == 1
        assert len(store.find_chunks(EVERYBODY, [OfDocuments(("d1",))], 16_384)) == 1

    def test_a_collection_remembers_its_embedder(self, store: VectorStore):
        store.open_collection("default", DIMENSIONS, "one")
        with pytest.raises(ConflictError, match="embedder one"):
            store.open_collection("default", DIMENSIONS, "another")
        with pytest.raises(ConflictError, match="attest rebuild --embed-only --collection default"):
            store.check_embedder("default", "another")
        store.check_embedder("default", "one")

    def test_names_in_any_script_do_not_collide(self, store: VectorStore):
        for name in ("研发", "研究", "a-b", "a_b"):
            store.open_collection(name, DIMENSIONS, "one")
        assert set(store.collections()) >= {"研发", "研究", "a-b", "a_b"}
        assert store.drop_collection("研发") and not store.drop_collection("研发")
        assert "研究" in store.collections()

    def test_an_unknown_collection_is_named(self, store: VectorStore):
        with pytest.raises(NotFoundError, match="nowhere"):
            store.search_dense(Scope("nowhere"), along(0), 3)

    def test_a_vector_that_is_not_finite_is_refused(self, store: VectorStore):
        broken = row("d1", 0)
        broken.dense[0] = np.nan
        with pytest.raises(InputError, match="not finite"):
            store.upsert("default", [broken])

    def test_too_many_readers_are_refused(self, store: VectorStore):
        for readers in ((), tuple(f"r{i}" for i in range(257))):
            with pytest.raises(InputError, match="readers"):
                store.upsert("default", [row("d1", 0, readers)])
        store.upsert("default", [row("d1", 0, tuple(f"r{i}" for i in range(256)))])
        assert len(store.search_dense(Scope("default", frozenset({"r255"})), along(0), 3)) == 1


def opened(folder: Path, settings: MilvusSettings):
    paths = DataPaths(folder)
    paths.create()
    store = open_store(settings, paths)
    store.open_collection("default", DIMENSIONS, "one")
    return store


@pytest.mark.slow
class TestMilvusLiteAlone(VectorStoreContract):
    """Milvus Lite in this process, asked for everything."""

    @pytest.fixture
    def store(self, tmp_path: Path):
        store = opened(tmp_path, MilvusSettings(mirror_chunks=0))
        yield store
        store.close()


@pytest.mark.slow
class TestMilvusLite(VectorStoreContract):
    """Milvus Lite in this process, read from its mirror."""

    @pytest.fixture
    def store(self, tmp_path: Path):
        store = opened(tmp_path, MilvusSettings())
        yield store
        store.close()

    def test_a_second_owner_is_told(self, store: VectorStore, tmp_path: Path):
        with pytest.raises(StoreLockedError, match="another attest process"):
            open_store(MilvusSettings(), DataPaths(tmp_path))

    def test_rows_are_there_after_reopening(self, store: VectorStore, tmp_path: Path):
        store.upsert("default", [row("d1", i) for i in range(3)])
        store.close()
        again = open_store(MilvusSettings(), DataPaths(tmp_path))
        try:
            assert len(again.search_dense(EVERYBODY, along(1), 9)) == 3
        finally:
            again.close()
