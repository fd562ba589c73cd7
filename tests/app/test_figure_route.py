"""Pictures of documents over REST: to their readers alone, by their own names alone."""

import io
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.api import create_app
from app.keys import Role
from app.rendering import render_citation, render_hit
from app.services import Services
from core.paths import DataPaths
from core.settings import Settings
from core.types import Chunk, Citation, Document, Figure, Hit, Stage
from ingest.figure_store import FigureStore
from tests.app.fakes import TOKEN, FakeIngestor, FakeLedger, FakeStore, ledger_row
from tests.ingest.pictures import CHART

OPEN, CLOSED, FORMER = "a" * 64, "b" * 64, "c" * 64
FIGURE = Figure(CHART, "image/png", 700, 420)


@pytest.fixture
def figure_client(tmp_path):
    settings = Settings(_env_file=None, data=tmp_path / "data")
    DataPaths(settings.data).create()
    for document_id in (OPEN, CLOSED, FORMER):
        document = Document(document_id, "", "", "", 1, "default")
        FigureStore(DataPaths(settings.data).figures).write_document(document, [FIGURE])
    rows = [
        replace(ledger_row("/docs/a.docx"), document_id=OPEN),
        replace(ledger_row("/docs/hr.docx", ("hr",)), document_id=CLOSED),
        replace(ledger_row("/docs/figures/plan.pdf"), document_id="e" * 64),
    ]
    ingestor = FakeIngestor(rows)
    parts = {"store": FakeStore(), "ingestor": ingestor, "ledger": FakeLedger(ingestor)}
    services = Services(settings, parts)
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:
        client.services = services
        yield client


def bearer(client, name: str, *groups: str) -> dict:
    key, _ = client.services.keys().create(name, list(groups), Role.READER)
    return {"Authorization": f"Bearer {key}"}


def test_hits_and_citations_name_the_picture_and_others_none():
    chunk = Chunk("x-0", OPEN, 0, "Figure 1", "T", "/docs/a.docx", figure=FIGURE.name)
    path = f"/v1/documents/{OPEN}/figures/{FIGURE.name}"
    assert render_hit(Hit(chunk, 1.0, Stage.FUSED))["figure"] == path
    assert render_hit(Hit(replace(chunk, figure=""), 1.0, Stage.FUSED))["figure"] is None
    cited = Citation(1, chunk.id, OPEN, "T", chunk.uri, "Figure", 0, 6, figure=chunk.figure)
    assert render_citation(cited)["figure"] == path


@pytest.mark.parametrize("reference", [OPEN, "/docs/a.docx"])
def test_a_picture_comes_as_it_is_kept(figure_client, reference):
    headers = bearer(figure_client, "li")
    reply = figure_client.get(f"/v1/documents/{reference}/figures/{FIGURE.name}", headers=headers)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "image/png" and reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "private, no-store"
    assert Image.open(io.BytesIO(reply.content)).size == (700, 420)


def test_a_document_whose_uri_looks_like_a_picture_is_shown(figure_client):
    uri = f"/docs/figures/{FIGURE.name}"
    figure_client.services.ingestor().rows.append(ledger_row(uri))
    reply = figure_client.get(f"/v1/documents/{uri}", headers=bearer(figure_client, "li"))
    assert reply.status_code == 200 and reply.json()["uri"] == uri


def test_it_is_shown_to_readers_of_its_document_alone(figure_client):
    path = f"/v1/documents/{CLOSED}/figures/{FIGURE.name}"
    assert figure_client.get(path, headers=bearer(figure_client, "li")).status_code == 404
    assert figure_client.get(path).status_code == 401
    assert figure_client.get(path, headers=bearer(figure_client, "wu", "hr")).status_code == 200


@pytest.mark.parametrize(
    ("document_id", "name"),
    [
        (OPEN, "0" * 32 + ".png"),
        (OPEN, "..%2F..%2Fattest.db"),
        (FORMER, FIGURE.name),
        ("d" * 64, FIGURE.name),
    ],
)
def test_what_is_not_there_or_of_no_row_is_not_found(figure_client, document_id, name):
    headers = bearer(figure_client, "li")
    assert figure_client.get(f"/v1/documents/{document_id}/figures/{name}", headers=headers).status_code == 404


def test_a_document_of_a_folder_that_is_called_figures_is_shown(figure_client):
    reply = figure_client.get("/v1/documents//docs/figures/plan.pdf", headers=bearer(figure_client, "li"))
    assert reply.status_code == 200 and reply.json()["document_id"] == "e" * 64
