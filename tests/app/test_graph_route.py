"""/v1/graph and `attest entities` over a real store: what an entity is told of, and to whom."""

import json

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.api import create_app
from app.cli.local_backend import LocalBackend
from app.cli.main import app as cli
from app.entity_view import EntityWish
from app.keys import Role
from app.library import IngestOrder, Library
from app.services import Services
from core.errors import ConflictError
from core.settings import IngestSettings, RetrievalSettings, Settings
from ingest.parsing import DirectParserRunner
from tests.app.fakes import TOKEN, FakeAsker
from tests.retrieval.test_context_line_kept import PlainHash

PUBLIC = "Acme Robotics supplies the TM-20L. It is sold by the dozen."
BOARD = "Rotterdam Port bought the TM-20L for its cranes in 2021. Secret Falcon is built by Acme Robotics."


def open_services(tmp_path, entities: str = "rules") -> Services:
    settings = Settings(
        _env_file=None,
        data=tmp_path / "data",
        ingest=IngestSettings(entities=entities),
        retrieval=RetrievalSettings(reranker="none", rerank_limit=0),
    )
    return Services(settings, {"embedder": PlainHash(), "parser_runner": DirectParserRunner(), "asker": FakeAsker()})


@pytest.fixture
def services(tmp_path):
    made = open_services(tmp_path)
    library = Library(made)
    for name, text, readers in (("a.md", PUBLIC, ("everyone",)), ("b.md", BOARD, ("board",))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        library.ingest(IngestOrder((tmp_path / name,), "default", readers))
    yield made
    made.close()


@pytest.fixture
def client(services):
    return TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765")


def test_an_entity_is_shown_with_its_relations_and_their_sentences(client):
    found = client.get("/v1/graph", params={"entity": "acme robotics"}).json()
    [entity] = found["entities"]
    assert (entity["name"], entity["documents"], entity["chunks"]) == ("Acme Robotics", 1, 1)
    [link] = found["links"]
    assert link["names"] == ["Acme Robotics", "TM-20L"] and link["kind"] == "supplies"
    [told] = link["evidence"]
    assert told["text"] == "Acme Robotics supplies the TM-20L." and told["uri"].endswith("a.md")


def test_only_those_who_may_read_a_document_hear_what_it_says(client, services):
    way = {"entity": "Acme Robotics", "to": "Rotterdam Port"}
    assert client.get("/v1/graph", params=way).status_code == 404
    assert client.get("/v1/graph", params={"entity": "Secret Falcon"}).status_code == 404
    found = client.get("/v1/graph", params=way | {"readers": ["board"]}).json()
    assert [link["names"] for link in found["links"]] == [["Acme Robotics", "TM-20L"], ["Rotterdam Port", "TM-20L"]]
    assert {told["document_id"] for link in found["links"] for told in link["evidence"]} and len(found["entities"]) == 2
    key, _ = services.keys().create("li", ["sales"], Role.READER)
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/v1/graph", params=way, headers=headers).status_code == 404
    assert client.get("/v1/graph", params=way | {"readers": ["board"]}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 422),
        ({"entity": " "}, 400),
        ({"entity": "x" * 201}, 400),
        ({"entity": "Acme", "limit": 0}, 400),
        ({"entity": "\x00\"'%; drop"}, 404),
        ({"entity": "Nobody Known"}, 404),
        ({"entity": "Acme", "collection": "elsewhere"}, 404),
    ],
)
def test_what_cannot_be_shown_is_a_problem_document(client, params, status):
    reply = client.get("/v1/graph", params=params)
    assert reply.status_code == status and reply.json()["status"] == status


def test_without_entities_it_is_told_how_to_get_them(tmp_path):
    services = open_services(tmp_path, "off")
    with pytest.raises(ConflictError, match="ingest.entities"):
        LocalBackend(services.settings, services).entity("default", EntityWish("Acme"), None)
    services.close()


def test_the_command_shows_both_ways(services, tmp_path, monkeypatch):
    services.close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATTEST_INGEST__ENTITIES", "rules")
    shown = CliRunner().invoke(cli, ["entities", "Acme Robotics", "--data", str(tmp_path / "data")])
    assert shown.exit_code == 0 and "Acme Robotics — supplies — TM-20L" in shown.output
    flags = ["--to", "Rotterdam Port", "--reader", "board", "--json", "--data", str(tmp_path / "data")]
    found = CliRunner().invoke(cli, ["entities", "Acme Robotics", *flags])
    assert len(json.loads(found.stdout)["links"]) == 2
