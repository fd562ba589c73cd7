"""Pages as pictures over REST: the right size, readers, and what has no pages."""

import hashlib
import io
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from app.api import create_app
from app.keys import Role
from app.services import Services
from core.paths import DataPaths
from core.settings import Settings
from ingest.originals import Originals
from tests.app.fakes import TOKEN, FakeIngestor, FakeLedger, FakeStore, ledger_row


@pytest.fixture
def page_client(tmp_path):
    settings = Settings(_env_file=None, data=tmp_path / "data")
    path = tmp_path / "a.pdf"
    canvas = Canvas(str(path), pagesize=(300, 400))
    canvas.drawString(50, 200, "word")
    canvas.showPage()
    canvas.save()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    DataPaths(settings.data).create()
    Originals(DataPaths(settings.data).originals).keep(path, digest, digest)
    rows = [
        replace(ledger_row("/docs/a.pdf"), document_id=digest, media_type="application/pdf"),
        replace(ledger_row("/docs/hr.pdf", ("hr",)), document_id=digest, media_type="application/pdf"),
        replace(ledger_row("/docs/a.md"), document_id=digest, media_type="text/markdown"),
    ]
    ingestor = FakeIngestor(rows)
    parts = {"store": FakeStore(), "ingestor": ingestor, "ledger": FakeLedger(ingestor)}
    services = Services(settings, parts)
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:
        client.services = services
        yield client


@pytest.mark.slow
def test_a_page_comes_as_a_picture_with_its_size_in_points(page_client):
    reply = page_client.get("/v1/documents//docs/a.pdf/pages/1.png")
    assert reply.status_code == 200, reply.text
    assert (reply.headers["x-page-width"], reply.headers["x-page-height"]) == ("300", "400")
    assert Image.open(io.BytesIO(reply.content)).size == (600, 800)


@pytest.mark.slow
def test_what_has_no_such_page_says_so(page_client):
    assert page_client.get("/v1/documents//docs/a.pdf/pages/2.png").status_code == 404
    assert page_client.get("/v1/documents//docs/a.pdf/pages/0.png").status_code == 422
    reply = page_client.get("/v1/documents//docs/a.md/pages/1.png")
    assert (reply.status_code, reply.json()["code"]) == (422, "no_pages")


def test_a_page_is_shown_to_readers_of_its_document_alone(page_client):
    key, _ = page_client.services.keys().create("li", [], Role.READER)
    headers = {"Authorization": f"Bearer {key}"}
    assert page_client.get("/v1/documents//docs/hr.pdf/pages/1.png", headers=headers).status_code == 404
    assert page_client.get("/v1/documents//docs/a.pdf/pages/1.png").status_code == 401
