"""A collection gets vectors of another embedder: all at once, or not at all."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConflictError, NotFoundError
from core.paths import DataPaths
from core.seams import IndexRow
from core.settings import MilvusSettings
from core.types import Chunk, ElementKind, Scope, chunk_id
from retrieval import store as store_module
from retrieval.catalogue import Catalogue
from retrieval.connections import open_lite
from retrieval.store import MilvusStore, open_store

pytestmark = pytest.mark.slow

ANN = Scope("default", frozenset({"ann"}))
ROWS = 2500  # more than two pages


def row(order: int, dimensions: int) -> IndexRow:
    document = f"d{order % 7}"
    chunk = Chunk(
        chunk_id(document, order), document, order, f"text {order} 甲", "t", f"file:///{document}",
        ("h",), 2, (), ElementKind.TABLE,
    )  # fmt: skip
    readers = ("ann",) if order % 2 else ("bob",)
    return IndexRow(chunk, unit(order, dimensions), {5: 1.0 + order, 2**32 - 3: 0.5}, readers)


def unit(axis: int, dimensions: int) -> np.ndarray:
    return np.eye(dimensions, dtype=np.float32)[axis % dimensions]


def by_order(dimensions: int):
    return lambda chunks: np.stack([unit(chunk.order + 1, dimensions) for chunk in chunks])


def nothing(done: int, total: int) -> None:
    """Nobody is told."""


def opened(folder: Path) -> MilvusStore:
    paths = DataPaths(folder)
    paths.create()
    return open_store(MilvusSettings(), paths)


@pytest.fixture
def store(tmp_path: Path):
    made = opened(tmp_path)
    made.open_collection("default", 8, "one")
    yield made
    made.close()


def physical(store: MilvusStore) -> list[str]:
    return store._connection.client.list_collections()


def test_all_chunks_get_new_vectors_and_keep_the_rest(store, tmp_path):
    store.upsert("default", [row(i, 8) for i in range(ROWS)])
    before = store.search_lexical(ANN, {5: 1.0}, 20)
    heard = []
    done = store.reembed("default", 16, "two", by_order(16), lambda *step: heard.append(step))
    assert (done.chunks, done.former) == (ROWS, "one")
    assert heard[-1] == (ROWS, ROWS) and len(heard) > 2
    assert store.search_lexical(ANN, {5: 1.0}, 20) == before
    hit = store.search_dense(ANN, unit(4, 16), 1)[0]
    assert hit.chunk.order % 16 == 3 and hit.score == pytest.approx(1.0)
    assert {h.chunk.order % 2 for h in store.search_dense(ANN, unit(4, 16), 50)} == {1}
    assert sum(store.count_chunks("default").values()) == ROWS
    store.check_embedder("default", "two")
    with pytest.raises(ConflictError):
        store.check_embedder("default", "one")
    assert len(physical(store)) == 1
    store.upsert("default", [row(3, 16)])
    assert store.delete_document("default", "d3") > 0
    store.close()
    again = opened(tmp_path)
    try:
        again.check_embedder("default", "two")
        assert again.search_dense(ANN, unit(4, 16), 1)
    finally:
        again.close()


def test_the_old_vectors_are_searched_until_the_new_ones_are_whole(store):
    store.upsert("default", [row(i, 8) for i in range(40)])
    found = []

    def embed(chunks):
        found.append(store.search_dense(ANN, unit(3, 8), 1)[0].score)
        return by_order(16)(chunks)

    store.reembed("default", 16, "two", embed, nothing)
    assert found == [pytest.approx(1.0)]


def test_an_embedder_that_fails_leaves_the_old_index_and_nothing_else(store):
    store.upsert("default", [row(i, 8) for i in range(40)])

    def embed(chunks):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        store.reembed("default", 16, "two", embed, nothing)
    store.check_embedder("default", "one")
    assert len(store.search_dense(ANN, unit(3, 8), 50)) == 20
    assert len(physical(store)) == 1
    assert store.reembed("default", 16, "two", by_order(16), nothing).chunks == 40


def test_vectors_that_are_too_few_are_noticed(store):
    store.upsert("default", [row(i, 8) for i in range(5)])
    with pytest.raises(ValueError):
        store.reembed("default", 8, "two", lambda chunks: by_order(8)(chunks)[:-1], nothing)
    store.check_embedder("default", "one")


def test_who_writes_meanwhile_is_noticed(store):
    store.upsert("default", [row(i, 8) for i in range(5)])

    def embed(chunks):
        # The lock lets its own thread in, as a server lets another process in.
        store.upsert("default", [row(99, 8)])
        return by_order(8)(chunks)

    with pytest.raises(ConflictError, match="same chunks"):
        store.reembed("default", 8, "two", embed, nothing)
    store.check_embedder("default", "one")
    assert sum(store.count_chunks("default").values()) == 6


def test_a_row_that_did_not_arrive_is_noticed(store):
    store.upsert("default", [row(i, 8) for i in range(5)])

    def lose_one(done, total):
        newest = max(physical(store))
        store._connection.client.delete(newest, filter='document_id == "d1"')

    with pytest.raises(ConflictError, match="same chunks"):
        store.reembed("default", 8, "two", by_order(8), lose_one)
    store.check_embedder("default", "one")


def test_an_empty_collection_can_be_rebuilt(store):
    assert store.reembed("default", 16, "two", by_order(16), nothing).chunks == 0
    store.check_embedder("default", "two")
    store.upsert("default", [row(0, 16)])


def test_a_collection_that_is_not_there_is_named(store):
    with pytest.raises(NotFoundError, match="nowhere"):
        store.reembed("nowhere", 16, "two", by_order(16), nothing)


def test_what_a_kill_leaves_is_swept_and_never_read(tmp_path):
    connection = open_lite(DataPaths(tmp_path).lite_store)
    catalogue, store = Catalogue(connection), MilvusStore(connection)
    try:
        store.open_collection("default", 8, "one")
        store.upsert("default", [row(1, 8)])
        catalogue.begin_edition("default", 16, "two")  # killed before the switch
        store.check_embedder("default", "one")
        assert store.collections() == ["default"]
        done = store.reembed("default", 16, "three", by_order(16), nothing)
        assert (done.chunks, done.former, len(physical(store))) == (1, "one", 1)
        late = catalogue.begin_edition("default", 8, "four")
        catalogue.switch("default", late)  # killed before the sweep
        fresh = MilvusStore(connection)
        fresh.check_embedder("default", "four")
        assert fresh.drop_collection("default") and physical(fresh) == []
        catalogue.begin_edition("default", 8, "five")  # killed while it was made
        fresh.open_collection("default", 8, "six")
        assert fresh.search_dense(ANN, unit(1, 8), 3) == [] and len(physical(fresh)) == 1
    finally:
        store.close()


def test_a_collection_of_the_first_release_goes_on_working(tmp_path):
    """Without an alias and without the field of tokens."""
    connection = open_lite(DataPaths(tmp_path).lite_store)
    client, store = connection.client, MilvusStore(connection)
    try:
        store.open_collection("default", 8, "one")
        made = store._catalogue.find("default")
        base = made.physical.removesuffix("_v1")
        about = client.describe_collection(made.physical)
        store.drop_collection("default")
        client.create_collection(
            base, schema=first_schema(client), index_params=store_module.schema.build_indexes(client, True, True),
            properties={"attest.memo": about["properties"]["attest.memo"]},
        )  # fmt: skip
        assert store.collections() == ["default"]
        store.open_collection("default", 8, "one")
        store.upsert("default", [row(i, 8) for i in range(6)])
        assert {h.chunk.order % 2 for h in store.search_dense(ANN, unit(1, 8), 9)} == {1}
        store.reembed("default", 8, "two", by_order(8), nothing)
        assert physical(store) == [f"{base}_v1"]
        assert "access" in store._catalogue.find("default").fields
        assert {h.chunk.order % 2 for h in store.search_dense(ANN, unit(1, 8), 9)} == {1}
    finally:
        store.close()


def first_schema(client):
    whole = store_module.schema.build_schema(client, 8, "", True)
    whole.fields[:] = [field for field in whole.fields if field.name not in ("access", "figure")]
    return whole


def test_a_kill_leaves_the_old_index_and_the_next_run_ends_it(tmp_path):
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from tests.retrieval.test_rebuild import ROWS, by_order, opened, row

        store = opened(Path(sys.argv[1]))
        store.open_collection("default", 8, "one")
        store.upsert("default", [row(i, 8) for i in range(ROWS)])
        def die(done, total):
            if done > total / 2:
                os.kill(os.getpid(), signal.SIGKILL)
        store.reembed("default", 16, "two", by_order(16), die)
        """
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, cwd=Path.cwd())
    assert ended.returncode == -9, ended.stderr
    store = opened(tmp_path)
    try:
        store.check_embedder("default", "one")
        assert len(store.search_dense(ANN, unit(1, 8), 5000)) == ROWS // 2
        assert store.reembed("default", 16, "two", by_order(16), nothing).chunks == ROWS
        assert len(store.search_dense(ANN, unit(1, 16), 5000)) == ROWS // 2
        assert len(physical(store)) == 1
    finally:
        store.close()
