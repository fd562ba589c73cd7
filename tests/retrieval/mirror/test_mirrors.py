"""When a mirror is trusted: only while it is certain that it holds what Milvus holds."""

import threading

import numpy as np
import pytest

from core.errors import StoreError
from core.paths import DataPaths
from core.seams import IndexRow
from core.types import Chunk, Scope, chunk_id
from retrieval.connections import Connection, open_lite
from retrieval.mirror.mirrors import Mirrors
from retrieval.store import MilvusStore

pytestmark = pytest.mark.slow

SCOPE = Scope("default")
NORTH = np.array([1, 0], np.float32)


def row(document: str, order: int = 0, text: str = "text") -> IndexRow:
    chunk = Chunk(chunk_id(document, order), document, order, text, "t", "file:///a")
    return IndexRow(chunk, NORTH, {5: 1.0}, ("everyone",))


class Faulty:
    """A client whose next `flush` fails, after the rows are written, or whose next drop of a
    collection does, after the name by which it is read has gone."""

    def __init__(self, client) -> None:
        self._client = client
        self.fails = False
        self.fails_to_drop = False

    def __getattr__(self, name: str):
        return getattr(self._client, name)

    def flush(self, name: str) -> None:
        from pymilvus.exceptions import MilvusException

        if self.fails:
            self.fails = False
            raise MilvusException(message="the disk is full")
        self._client.flush(name)

    def drop_collection(self, name: str) -> None:
        from pymilvus.exceptions import MilvusException

        if self.fails_to_drop:
            self.fails_to_drop = False
            raise MilvusException(message="the disk is full")
        self._client.drop_collection(name)


class DeadEngine:
    """A Lite that can no longer read."""

    def get_collection(self, name: str):
        from milvus_lite.exceptions import MilvusLiteError

        raise MilvusLiteError("the file is gone")


@pytest.fixture
def connection(tmp_path):
    paths = DataPaths(tmp_path)
    paths.create()
    lite = open_lite(paths.lite_store)
    yield Connection(Faulty(lite.client), lite.version, lite.lite_path, engine=lite.engine)
    lite.close()


def opened(connection: Connection, mirror_chunks: int = 100) -> MilvusStore:
    store = MilvusStore(connection, mirror_chunks)
    store.open_collection("default", 2, "one")
    return store


def mirror_of(store: MilvusStore):
    return store._mirrors.of(store._catalogue.find("default").physical)


def texts(store: MilvusStore) -> list[str]:
    return [hit.chunk.text for hit in store.search_dense(SCOPE, NORTH, 9)]


def test_after_a_write_that_failed_the_rows_come_from_milvus(connection):
    store = opened(connection)
    store.upsert("default", [row("d1", text="old")])
    assert texts(store) == ["old"]
    before = mirror_of(store)
    connection.client.fails = True
    with pytest.raises(StoreError, match="disk is full"):
        store.upsert("default", [row("d1", text="new")])
    assert mirror_of(store) is not before
    assert texts(store) == texts(MilvusStore(connection)) == ["new"]


def test_rows_that_cannot_be_read_are_an_error_and_no_empty_result(connection):
    store = opened(connection)
    store.upsert("default", [row("d1")])
    broken = Connection(connection.client, connection.version, connection.lite_path, engine=DeadEngine())
    with pytest.raises(StoreError, match="file is gone"):
        texts(MilvusStore(broken, 100))


def test_a_collection_over_the_bound_is_read_by_milvus(connection):
    store = opened(connection, mirror_chunks=2)
    store.upsert("default", [row("d1"), row("d2")])
    assert len(mirror_of(store)) == 2
    store.upsert("default", [row("d3")])
    assert mirror_of(store) is None and len(texts(store)) == 3
    assert mirror_of(opened(connection, mirror_chunks=2)) is None
    assert mirror_of(opened(connection, mirror_chunks=0)) is None
    assert len(mirror_of(opened(connection, mirror_chunks=3))) == 3


def test_a_new_collection_of_an_old_name_begins_empty(connection):
    store = opened(connection)
    store.upsert("default", [row("d1")])
    assert len(texts(store)) == 1
    store.drop_collection("default")
    store.open_collection("default", 2, "one")
    assert texts(store) == []


def test_what_was_dropped_half_way_is_not_searchable_again(connection):
    store = opened(connection)
    store.upsert("default", [row("d1")])
    assert len(texts(store)) == 1
    connection.client.fails_to_drop = True
    with pytest.raises(StoreError, match="disk is full"):
        store.drop_collection("default")
    store.open_collection("default", 2, "one")
    assert texts(store) == texts(MilvusStore(connection)) == []


def test_an_edition_read_while_it_went_does_not_come_back(connection):
    store = opened(connection)
    store.upsert("default", [row("d1")])
    former = store._catalogue.find("default").physical
    late = mirror_of(store)
    store.drop_collection("default")
    store._mirrors._mirrors[former] = late  # as a reader leaves it that began before the drop
    store.open_collection("default", 2, "one")
    assert store._catalogue.find("default").physical == former and texts(store) == []


def test_a_server_has_no_mirrors():
    assert Mirrors(Connection(None, "2.4"), 100).of("any") is None


def test_a_vector_of_another_size_is_refused_by_milvus(connection):
    store = opened(connection)
    store.upsert("default", [row("d1")])
    with pytest.raises(StoreError):
        store.search_dense(SCOPE, np.ones(3, np.float32), 9)


def test_a_read_beside_writes_sees_a_document_whole_or_not_at_all(connection):
    store = opened(connection, mirror_chunks=1000)
    store.upsert("default", [row("kept", order) for order in range(3)])
    mirror_of(store)
    stopped, seen = threading.Event(), []

    def read() -> None:
        while not stopped.is_set():
            seen.append(len(store.search_lexical(SCOPE, {5: 1.0}, 99)))

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(6):
        store.upsert("default", [row(f"d{turn}", order) for order in range(10)])
        store.delete_document("default", f"d{turn}")
    stopped.set()
    reader.join()
    assert set(seen) <= {3, 13} and seen
