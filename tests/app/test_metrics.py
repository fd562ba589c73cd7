"""/metrics: what it counts, who may read it, and that it names nobody."""

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from agents.events import Failed
from app.api import create_app
from app.keys import Role
from app.services import Services
from core.errors import SettingsError, StoreError
from core.settings import Settings
from tests.app.fakes import TOKEN

SCRAPE = "scrape-me-0123456789"


@pytest.fixture
def numbers(client):
    """Samples by name and labels, as they stand now."""

    def read(name: str, **labels: str) -> float | None:
        reply = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert reply.status_code == 200 and reply.headers["content-type"].startswith("text/plain")
        samples = [s for family in text_string_to_metric_families(reply.text) for s in family.samples]
        return next((s.value for s in samples if s.name == name and s.labels == labels), None)

    return read


@pytest.mark.parametrize("stream", [True, False])
def test_questions_are_counted_by_how_they_end(client, asker, numbers, stream):
    for _ in range(2):
        client.post("/v1/ask", json={"question": "年假几天？", "stream": stream})
    assert numbers("attest_questions_total", status="answered", route="search") == 2
    assert numbers("attest_sentences_total", fate="released", verdict="supported") == 2
    assert numbers("attest_questions_in_progress") == 0
    asker.events = (Failed("model_unavailable", "no model", "start it"),)
    client.post("/v1/ask", json={"question": "q", "stream": stream})
    asker.events = (Failed("what a stranger's code says", "", ""),)
    client.post("/v1/ask", json={"question": "q", "stream": stream})
    assert numbers("attest_questions_total", status="failed", route="") == 2
    assert numbers("attest_question_failures_total", code="model_unavailable") == 1
    assert numbers("attest_question_failures_total", code="other") == 1


def test_completions_searches_and_requests_are_counted_too(client, numbers):
    body = {"model": "attest", "messages": [{"role": "user", "content": "q"}]}
    for stream in (True, False):
        assert client.post("/v1/chat/completions", json=body | {"stream": stream}).status_code == 200
    client.post("/v1/search", json={"query": "q"})
    client.get("/v1/documents//docs/hr.md")
    client.request("BREW", "/nowhere/at/all")
    assert numbers("attest_questions_total", status="answered", route="search") == 2
    assert numbers("attest_search_seconds_count") == 1
    shown = {"method": "GET", "path": "/v1/documents/{reference:path}", "status": "200"}
    assert numbers("attest_http_requests_total", **shown) == 1
    assert numbers("attest_http_requests_total", method="other", path="", status="404") == 1


def test_uploads_are_counted_when_they_end(client, numbers):
    files = [("file", ("a.txt", b"x")), ("file", ("b.txt", b"y"))]
    assert client.post("/v1/documents", files=files).status_code == 200
    assert numbers("attest_ingest_jobs_ended_total", state="done") == 1
    assert numbers("attest_ingest_files_total", outcome="added") == 2
    assert numbers("attest_ingest_jobs", state="running") == 0
    assert numbers("attest_ingest_queue_files") == 0


def test_a_queue_that_cannot_be_read_hides_no_other_number(client, ingestor, numbers):
    def broken():
        raise StoreError("the ledger does not answer")

    ingestor.size = broken
    assert str(numbers("attest_ingest_queue_files")) == "nan"
    assert numbers("attest_questions_in_progress") == 0


def test_no_name_of_anybody_or_anything_is_told(client, services):
    key, _ = services.keys().create("secret-user", ["secret-group"], Role.ADMIN)
    headers = {"Authorization": f"Bearer {key}"}
    client.post("/v1/ask", json={"question": "secret-question"}, headers=headers)
    client.get("/v1/documents/secret-file.pdf?collection=secret-collection", headers=headers)
    client.post("/v1/documents", files={"file": ("secret-name.txt", b"x")}, headers=headers)
    client.get("/secret-path", headers=headers)
    client.request("SECRET", "/v1/ask", headers=headers)
    assert "secret" not in client.get("/metrics", headers=headers).text.lower()


def test_only_admins_read_them(client, services):
    assert client.get("/metrics").status_code == 200, "the owner, as long as there are no keys"
    for role, status in ((Role.READER, 403), (Role.EDITOR, 403), (Role.ADMIN, 200)):
        key, _ = services.keys().create(role.value, [], role)
        assert client.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code == status
    assert client.get("/metrics").status_code == 401


@pytest.fixture
def scraped(tmp_path, ingestor, asker):
    settings = Settings(_env_file=None, data=tmp_path / "d", server={"metrics_token": SCRAPE})
    services = Services(settings, {"ingestor": ingestor, "asker": asker})
    services.keys().create("li", [], Role.ADMIN)
    with TestClient(create_app(services, TOKEN), base_url="http://localhost") as client:
        yield client


def test_the_token_of_the_scraper_opens_metrics_and_nothing_else(scraped):
    headers = {"Authorization": f"Bearer {SCRAPE}"}
    assert scraped.get("/metrics", headers=headers).status_code == 200
    for method, path in (("GET", "/v1/documents"), ("POST", "/v1/ask"), ("GET", "/metrics/"), ("GET", "/health/ready")):
        assert scraped.request(method, path, headers=headers).status_code == 401
    for wrong in (SCRAPE[:-1], f"{SCRAPE}x", ""):
        assert scraped.get("/metrics", headers={"Authorization": f"Bearer {wrong}"}).status_code == 401


def test_a_token_that_could_be_guessed_is_refused_at_the_start(tmp_path):
    settings = Settings(_env_file=None, data=tmp_path / "d", server={"metrics_token": "short"})
    with pytest.raises(SettingsError, match="metrics_token"):
        create_app(Services(settings), TOKEN)
