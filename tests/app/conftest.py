"""An API over fakes."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.api import create_app
from app.services import Services
from core.settings import Settings
from tests.app.fakes import TOKEN, FakeAsker, FakeIngestor, FakeRetriever, FakeStore, ledger_row


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
    return Services(settings, parts)


@pytest.fixture
def client(services) -> TestClient:
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:
        yield client
