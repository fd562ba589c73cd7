"""PATCH /v1/documents/{id} and `attest documents edit` over a real store: what is searched, and by whom."""

import pytest
from fastapi.testclient import TestClient

from app.api import create_app
from app.cli.local_backend import LocalBackend
from app.keys import Role
from app.library import IngestOrder, Library
from app.services import Services
from core.errors import NotFoundError
from core.settings import RetrievalSettings, Settings
from ingest.parsing import DirectParserRunner
from tests.app.fakes import TOKEN, FakeAsker
from tests.retrieval.test_context_line_kept import PlainHash


@pytest.fixture
def services(tmp_path):
    plain = RetrievalSettings(reranker="none", rerank_limit=0)
    settings = Settings(_env_file=None, data=tmp_path / "data", retrieval=plain)
    parts = {"embedder": PlainHash(), "parser_runner": DirectParserRunner(), "asker": FakeAsker()}
    made = Services(settings, parts)
    for name, readers in (("offer.txt", ("everyone",)), ("pay.txt", ("hr",))):
        (tmp_path / name).write_text(f"The words of {name} are long.", encoding="utf-8")
        ingest(made, tmp_path / name, readers)
    yield made
    made.close()


def ingest(services, path, readers=("everyone",)):
    return Library(services).ingest(IngestOrder((path,), "default", readers))


@pytest.fixture
def client(services):
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:
        yield client


@pytest.fixture
def keys(services):
    """Headers of ann (hr, editor), bob (it, editor), eve (hr, reader) and the admin."""
    users = {"ann": (["hr"], Role.EDITOR), "bob": (["it"], Role.EDITOR), "eve": (["hr"], Role.READER)}
    made = {name: services.keys().create(name, *about)[0] for name, about in users.items()}
    made["root"] = services.keys().create("root", [], Role.ADMIN)[0]
    return {name: {"Authorization": f"Bearer {key}"} for name, key in made.items()}


def uri(client, headers, name):
    rows = client.get("/v1/documents", headers=headers).json()["documents"]
    return next(row["uri"] for row in rows if row["uri"].endswith(name))


def patch(client, reference, headers, **body):
    return client.patch(f"/v1/documents/{reference}", json=body, headers=headers)


def found(client, headers, query="the long words of the offer"):
    reply = client.post("/v1/search", json={"query": query}, headers=headers)
    assert reply.status_code == 200, reply.text
    return {hit["title"] for hit in reply.json()["hits"]}


def test_other_readers_hold_for_search_lists_and_filters_at_once(client, keys, tmp_path, services):
    offer = uri(client, keys["ann"], "offer.txt")
    assert found(client, keys["bob"]) == {"offer"}
    changed = patch(client, offer, keys["ann"], readers=["hr"], meta={"team": "hr"})
    assert changed.status_code == 200, changed.text
    body = changed.json()
    assert (body["readers"], body["meta"], body["amended"]) == (["hr"], {"team": "hr"}, ["meta", "readers"])
    assert found(client, keys["bob"]) == set() and found(client, keys["eve"]) == {"offer", "pay"}
    assert client.get(f"/v1/documents/{offer}", headers=keys["bob"]).status_code == 404
    only = {"query": "long words", "filter": {"document": [body["document_id"]]}}
    hits = client.post("/v1/search", json=only, headers=keys["eve"]).json()["hits"]
    assert {hit["document_id"] for hit in hits} == {body["document_id"]}
    # The same ingestion again does not give it back to everyone.
    assert ingest(services, tmp_path / "offer.txt")["skipped"] == 1
    assert found(client, keys["bob"]) == set()
    faults = client.post("/v1/verify", json={}, headers=keys["root"]).json()["faults"]
    assert faults == []


def test_a_title_is_found_by_its_words(client, keys):
    offer = uri(client, keys["ann"], "offer.txt")
    for title, told, by_words in (("Zeppelin", "Zeppelin", True), (None, "offer", False)):
        assert patch(client, offer, keys["ann"], title=title).json()["title"] == told
        [hit] = client.post("/v1/search", json={"query": "Zeppelin"}, headers=keys["bob"]).json()["hits"]
        assert (hit["title"], "lexical" in hit["ranks"]) == (told, by_words)


def test_nobody_changes_what_is_not_theirs(client, keys):
    pay = uri(client, keys["ann"], "pay.txt")
    assert patch(client, pay, keys["bob"], title="Mine").status_code == 404
    assert patch(client, pay, keys["eve"], title="Mine").status_code == 403
    assert patch(client, pay, keys["ann"], readers=["hr", "it"]).status_code == 403
    assert patch(client, pay, keys["ann"], readers=["ann"]).status_code == 200
    assert found(client, keys["eve"]) == {"offer"}
    assert patch(client, pay, keys["root"], readers=["it", "ann"]).status_code == 404, "the admin is no reader"
    # A reader whom the caller is not may stay.
    owner = {"Authorization": f"Bearer {TOKEN}"}
    assert patch(client, pay, owner, readers=["it", "hr"]).status_code == 200
    assert patch(client, pay, keys["ann"], readers=["it", "hr", "ann"]).status_code == 200


def test_changes_stand_in_the_log_of_admins(client, keys):
    offer = uri(client, keys["ann"], "offer.txt")
    patch(client, offer, keys["ann"], readers=["hr"])
    calls = client.get("/v1/tools/calls", params={"tool": "document.edit"}, headers=keys["root"]).json()["calls"]
    [call] = calls
    assert (call["owner"], call["outcome"], call["arguments"]["readers"]) == ("ann", "done", ["hr"])
    assert call["arguments"]["uri"] == offer


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"titel": "x"}, 422), ({"readers": []}, 422), ({"readers": None}, 422), ({"meta": None}, 422),
        ({"title": "a\nb"}, 400), ({"title": "x" * 301}, 400), ({"readers": ["a\u0000"]}, 400),
        ({"meta": {"": "x"}}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_changes_nothing(client, keys, body, status):
    offer = uri(client, keys["ann"], "offer.txt")
    before = client.get(f"/v1/documents/{offer}", headers=keys["ann"]).json()
    reply = patch(client, offer, keys["ann"], **body)
    assert (reply.status_code, reply.json()["status"]) == (status, status)
    assert client.get(f"/v1/documents/{offer}", headers=keys["ann"]).json() == before


def test_the_command_of_the_owner_changes_all_at_once(services, tmp_path):
    path = (tmp_path / "offer.txt").resolve().as_posix()
    backend = LocalBackend(services.settings, services)
    row = backend.edit_document("default", path, {"title": "Our offer", "readers": ["it", "hr"]}, None)
    assert (row["title"], row["readers"], row["status"]) == ("Our offer", ["hr", "it"], "done")
    with pytest.raises(NotFoundError):
        backend.edit_document("default", path, {"title": "Mine"}, ["li"])
