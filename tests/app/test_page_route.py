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
from ingest.ledger import FileStatus
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
    assert page_client.get("/v1/documents//docs/a.pdf/pages/0.png").status_code == 404
    reply = page_client.get("/v1/documents//docs/a.md/pages/1.png")
    assert (reply.status_code, reply.json()["code"]) == (422, "no_pages")


@pytest.mark.parametrize("uri", ["/docs/pages/3.png", "/docs/pages/003.png", "/pages/cover.png", "/a/pages/0.png"])
def test_a_document_whose_uri_looks_like_a_page_is_shown(page_client, uri):
    page_client.services.ingestor().rows.append(ledger_row(uri))
    found = page_client.get(f"/v1/documents/{uri}")
    assert found.status_code == 200 and found.json()["uri"] == uri


@pytest.mark.slow
def test_a_page_of_a_document_goes_before_a_document_that_looks_like_it(page_client):
    ingestor = page_client.services.ingestor()
    ingestor.rows += [ledger_row(f"/docs/a.pdf/pages/{n}.png") for n in (1, 2)]
    assert page_client.get("/v1/documents//docs/a.pdf/pages/1.png").headers["content-type"] == "image/png"
    assert page_client.get("/v1/documents/id-/docs/a.pdf/pages/1.png").json()["uri"].endswith("/pages/1.png")
    assert page_client.get("/v1/documents//docs/a.pdf/pages/2.png").json()["uri"].endswith("/pages/2.png")


def test_a_document_that_looks_like_a_page_is_shown_to_its_readers_alone(page_client):
    page_client.services.ingestor().rows.append(ledger_row("/docs/pages/3.png", ("hr",)))
    key, _ = page_client.services.keys().create("li", [], Role.READER)
    headers = {"Authorization": f"Bearer {key}"}
    reply = page_client.get("/v1/documents//docs/pages/3.png", headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


def test_a_page_is_shown_to_readers_of_its_document_alone(page_client):
    key, _ = page_client.services.keys().create("li", [], Role.READER)
    headers = {"Authorization": f"Bearer {key}"}
    assert page_client.get("/v1/documents//docs/hr.pdf/pages/1.png", headers=headers).status_code == 404
    assert page_client.get("/v1/documents//docs/a.pdf/pages/1.png").status_code == 401


def served(page_client, **changes):
    """The page of the first document after its row is changed."""
    ingestor = page_client.services.ingestor()
    ingestor.rows[0] = replace(ingestor.rows[0], **changes)
    return page_client.get("/v1/documents//docs/a.pdf/pages/1.png")


def set_policy(page_client, **policy):
    settings = page_client.services.settings
    ingest = settings.ingest.model_copy(update=policy)
    page_client.services.settings = settings.model_copy(update={"ingest": ingest})


def test_pages_with_masked_data_are_not_shown(page_client):
    reply = served(page_client, warnings=(("pii_masked", "personal data masked: 1 phone"),))
    assert (reply.status_code, reply.json()["code"]) == (403, "access_denied")
    assert "pii_show_originals" in reply.json()["remedy"]


@pytest.mark.parametrize("changes", [{"fingerprint": "another policy"}, {"status": FileStatus.FAILED}])
def test_under_mask_pages_that_nobody_looked_at_are_not_shown(page_client, changes):
    set_policy(page_client, pii="mask")
    assert served(page_client, **{"fingerprint": "now"} | changes).status_code == 403


@pytest.mark.slow
def test_pages_are_shown_when_nothing_is_masked_or_it_is_allowed(page_client):
    set_policy(page_client, pii="mask")
    assert served(page_client, fingerprint="now").status_code == 200
    set_policy(page_client, pii="mask", pii_show_originals=True)
    assert served(page_client, warnings=(("pii_masked", "1 phone"),)).status_code == 200
