"""A new collection is loaded when its indexes are ready, and not a moment later."""

from collections import deque

import pytest

from core.errors import StoreError
from core.paths import DataPaths
from retrieval.catalogue import Catalogue
from retrieval.connections import Connection, open_lite
from retrieval.index_building import make_indexes
from retrieval.schema import build_indexes


class Server:
    """What a Milvus server says of the state of each index, one after another; the last again and
    again. Keeps what it was asked."""

    def __init__(self, **states: list[str | None]) -> None:
        self._states = {name: deque(said) for name, said in states.items()}
        self.asked: list[str] = []
        self.made: list[tuple[list[str], bool]] = []

    def create_index(self, physical: str, indexes, sync: bool = True) -> None:
        self.made.append(([index.index_name for index in indexes], sync))

    def describe_index(self, physical: str, name: str) -> dict | None:
        self.asked.append(name)
        said = self._states[name]
        state = said.popleft() if len(said) > 1 else said[0]
        return state and {"index_name": name, "state": state}


class Passing:
    """The client of a real store behind a state of its indexes; keeps the order of the calls."""

    def __init__(self, client, server: Server) -> None:
        self._client, self._server = client, server
        self.calls: list[str] = []

    def __getattr__(self, name: str):
        self.calls.append(name)
        return getattr(self._server if name == "describe_index" else self._client, name)


@pytest.fixture
def lite(tmp_path):
    connection = open_lite(DataPaths(tmp_path).lite_store)
    yield connection
    connection.close()


@pytest.fixture
def indexes(lite):
    return build_indexes(lite.client, is_lite=True, has_sparse=True)


def test_it_waits_for_every_index_and_leaves_the_waiting_to_nobody_else(indexes):
    server = Server(dense=["Unissued", "InProgress", "Finished"], lexical=[None, "Finished"])
    make_indexes(server, "c", indexes)
    assert server.made == [(["dense", "lexical"], False)]
    assert server.asked == ["dense"] * 3 + ["lexical"] * 2


def test_an_index_that_failed_is_named(indexes):
    server = Server(dense=["Finished"], lexical=["InProgress", "Failed"])
    with pytest.raises(StoreError, match="the index lexical of c: its state is Failed"):
        make_indexes(server, "c", indexes)


@pytest.mark.parametrize(("said", "word"), [("InProgress", "InProgress"), (None, "unknown")])
def test_an_index_that_is_never_ready_is_an_error_and_no_endless_wait(indexes, said, word):
    with pytest.raises(StoreError, match=f"the index dense of c: its state is {word}"):
        make_indexes(Server(dense=[said], lexical=["Finished"]), "c", indexes, within_s=0)


def test_a_collection_is_loaded_only_when_its_indexes_are_ready(lite):
    client = Passing(lite.client, Server(dense=["InProgress", "Finished"], lexical=["Finished"]))
    watched = Connection(client, lite.version, lite.lite_path, engine=lite.engine)
    Catalogue(watched).create("default", 8, "one")
    made = client.calls[client.calls.index("create_index") :]
    assert made[:5] == ["create_index"] + ["describe_index"] * 3 + ["load_collection"]
    assert client.calls.count("load_collection") == 1


def test_a_collection_whose_index_failed_is_not_made_live(lite):
    broken = Passing(lite.client, Server(dense=["Failed"], lexical=["Finished"]))
    with pytest.raises(StoreError):
        Catalogue(Connection(broken, lite.version, lite.lite_path, engine=lite.engine)).create("a", 8, "one")
    catalogue = Catalogue(lite)
    assert catalogue.find("a") is None and "load_collection" not in broken.calls
    assert catalogue.create("a", 8, "one").physical.endswith("_v1"), "the next attempt sweeps first"


def test_every_index_has_a_name_to_ask_for(lite):
    for is_lite in (True, False):
        for index in build_indexes(lite.client, is_lite, has_sparse=True):
            assert index.index_name == index.field_name
