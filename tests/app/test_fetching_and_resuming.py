"""What a server does beside its requests: other people's slow servers, and work left behind."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi.testclient import TestClient

import app.api
from app.api import create_app
from core.errors import StoreError
from tests.app.fakes import TOKEN

OWNER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def slow_site():
    """A page that comes when `go_on` is set; `asked` is set when somebody waits for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.set()
            self.server.go_on.wait(240)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<p>words</p>")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.go_on = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()


def test_an_upload_does_not_wait_for_a_page_that_is_slow_to_come(services, ingestor, slow_site):
    ingest = services.settings.ingest.model_copy(update={"allow_private_addresses": True})
    services.settings = services.settings.model_copy(update={"ingest": ingest})
    address = f"http://127.0.0.1:{slow_site.server_address[1]}/a"
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:
        answered = []

        def fetch():
            body = {"addresses": [address], "job_id": "fetch"}
            answered.append(client.post("/v1/ingest", json=body, headers=OWNER).status_code)

        fetching = threading.Thread(target=fetch)
        fetching.start()
        assert slow_site.asked.wait(120)
        reply = client.post("/v1/documents", files={"file": ("a.txt", b"words")}, headers=OWNER)
        assert reply.status_code == 200 and ingestor.contents == {"upload:a.txt": b"words"}
        assert client.get("/v1/jobs/fetch", headers=OWNER).json()["state"] == "running"
        assert not answered
        slow_site.go_on.set()
        fetching.join(120)
        assert answered == [200]
    [request] = [call[1] for call in ingestor.calls if call[0] == "ingest" and call[1].fetched]
    assert [candidate.uri for candidate in request.fetched] == [address]


@pytest.mark.parametrize("error", [StoreError("down"), RuntimeError("a mistake of our own")])
async def test_the_server_goes_on_with_what_waits_after_any_error(
    services, ingestor, error, monkeypatch, caplog
):
    results = [error, 1, 0]
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def resume():
        result = results.pop(0)
        if not results:
            loop.call_soon_threadsafe(ended.set)
        if isinstance(result, Exception):
            raise result
        return result

    ingestor.resume = resume
    monkeypatch.setattr(app.api, "RESUME_EVERY_S", 0.01)
    resuming = asyncio.create_task(app.api._resume(create_app(services, TOKEN)))
    await asyncio.wait_for(ended.wait(), 120)
    resuming.cancel()
    await asyncio.gather(resuming, return_exceptions=True)
    assert results == [] and str(error) in caplog.text
