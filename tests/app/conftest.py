"""An API over fakes."""

import threading
import time
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient

from app.api import create_app
from app.services import Services
from app.serving import bind_port
from core.settings import Settings
from tests.app.fakes import TOKEN, FakeAsker, FakeIngestor, FakeLedger, FakeRetriever, FakeStore, ledger_row


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker()


@pytest.fixture
def retriever() -> FakeRetriever:
    return FakeRetriever()


@pytest.fixture
def ingestor() -> FakeIngestor:
    return FakeIngestor([ledger_row("/docs/a.md"), ledger_row("/docs/hr.md", ("hr",))])


@pytest.fixture
def services(tmp_path: Path, asker, retriever, ingestor) -> Services:
    settings = Settings(_env_file=None, data=tmp_path / "data", cache=tmp_path / "weights")
    store = FakeStore()
    parts = {"asker": asker, "retriever": retriever, "ingestor": ingestor, "store": store, "index": store}
    return Services(settings, parts | {"ledger": FakeLedger(ingestor)})


@pytest.fixture
def client(services) -> TestClient:
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:
        yield client


@pytest.fixture
def live_url(services):
    """The address of the same API, really listening."""
    config = uvicorn.Config(create_app(services, TOKEN), log_level="warning", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    with bind_port("127.0.0.1", 0, "X") as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()
