"""The store against a Milvus server of another process, when the command `milvus-server` is
there (`pip install milvus`, 2.3.5, in an environment of its own that is on the PATH).

That release has no sparse vectors, so the store refuses to make a collection on it; what it
has (filters, dense search, upsert, delete, aliases) is compared with Milvus Lite here. It
listens on every interface, so it is started for these tests alone.
"""

import shutil
import signal
import socket
import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest

from bench.filter_fuzz import run_server
from core.conditions import WithinOrder
from core.errors import AttestError, SettingsError, StoreError
from core.seams import IndexRow
from core.settings import MilvusSettings
from core.types import Chunk, Scope, chunk_id
from retrieval.catalogue import Catalogue
from retrieval.connections import connect_server
from retrieval.store import MilvusStore

pytestmark = [pytest.mark.milvus_server, pytest.mark.slow]

ANN = Scope("default", frozenset({"ann"}))
STARTS_WITHIN_S = 90


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    command = shutil.which("milvus-server")
    if command is None:
        pytest.skip("there is no command milvus-server (pip install milvus, elsewhere, and mend PATH)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("milvus")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [command, "--data", str(folder / "data"), "--proxy-port", str(port)], stdout=log, stderr=log
        )
        try:
            yield wait_for(f"http://127.0.0.1:{port}", process)
        finally:
            process.send_signal(signal.SIGINT)  # on SIGTERM it leaves its own child behind
            process.wait(60)


def wait_for(address: str, process: subprocess.Popen) -> str:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            connect_server(MilvusSettings(uri=address, timeout_s=3)).close()
            return address
        except StoreError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(1)


@pytest.fixture
def store(uri):
    """A store on the server, with a collection that holds dense vectors alone."""
    connection = connect_server(MilvusSettings(uri=uri))
    catalogue = Catalogue(connection)
    catalogue.drop("default")
    catalogue.create("default", 8, "one")
    opened = MilvusStore(connection)
    yield opened
    opened.drop_collection("default")
    opened.close()


def row(document: str, order: int, readers: tuple[str, ...] = ("everyone",)) -> IndexRow:
    chunk = Chunk(chunk_id(document, order), document, order, f"text {order}", "t", "file:///a")
    return IndexRow(chunk, np.eye(8, dtype=np.float32)[order % 8], {5: 1.0}, readers)


def test_a_server_without_sparse_vectors_is_refused_with_the_version_needed(uri):
    refused = MilvusStore(connect_server(MilvusSettings(uri=uri)))
    try:
        with pytest.raises(SettingsError, match=r"2\.3\.5.*2\.4 or later"):
            refused.open_collection("new", 8, "one")
        assert "new" not in refused.collections()
    finally:
        refused.close()


def test_filters_find_the_same_as_plain_python(uri):
    figures = run_server(uri, through_store=250, seed=11)
    for way in ("query", "dense"):
        assert figures[way]["found_something"] > 60 and figures[way]["names_refused"] > 0


def test_what_is_written_is_read_at_once(store):
    for order in range(3):
        store.upsert("default", [row("d1", order), row("bobs", order, ("bob",))])
        found = store.search_dense(ANN, np.eye(8, dtype=np.float32)[order], 9)
        assert found[0].chunk.order == order and found[0].score == pytest.approx(1.0)
        assert {hit.chunk.document_id for hit in found} == {"d1"}


def test_the_same_id_is_replaced_and_deleting_leaves_the_others(store):
    store.upsert("default", [row("d1", 0), row("d2", 0)])
    store.upsert("default", [row("d1", 0)])
    assert store.count_chunks("default") == {"d1": 1, "d2": 1}
    assert store.delete_document("default", "d1") == 1
    assert store.delete_document("default", "d1") == 0
    assert store.count_chunks("default") == {"d2": 1}
    assert store.find_chunks(ANN, [WithinOrder("d2", 0, 5)], 10)[0].document_id == "d2"


def test_new_vectors_take_the_place_of_the_old_ones(store):
    store.upsert("default", [row("d1", order) for order in range(5)])
    wide = np.eye(16, dtype=np.float32)
    done = store.reembed("default", 16, "two", lambda c: wide[[x.order for x in c]], lambda *_: None)
    assert (done.chunks, done.former) == (5, "one")
    assert store.search_dense(ANN, wide[3], 1)[0].chunk.order == 3
    assert store.collections() == ["default"]
    store.check_embedder("default", "two")
    store.upsert("default", [replace(row("d2", 7), dense=wide[15])])
    assert store.search_dense(ANN, wide[15], 1)[0].chunk.document_id == "d2"


def test_lexical_search_says_what_is_wrong(store):
    with pytest.raises(AttestError):
        store.search_lexical(ANN, {5: 1.0}, 3)
