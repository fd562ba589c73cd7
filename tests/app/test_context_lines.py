"""The setting reaches the write path: a file through real parsers and a real store, its lines
by a small chat server."""

import re

import pytest

from app.library import IngestOrder, Library
from app.services import Services
from core.settings import Settings
from core.types import Scope
from tests.contracts.chat_server import ChatServerStandIn
from tests.ingest.test_samples_in_milvus import HashEmbedder

pytestmark = pytest.mark.slow
CHUNK = re.compile(r"<chunk-([0-9a-f]{10})>\n(.*)\n</chunk-\1>", re.DOTALL)


@pytest.fixture
def server():
    made = ChatServerStandIn(lambda asked: f"About Acme: {CHUNK.search(asked)[2][:9]}")
    yield made
    made.close()


def opened(tmp_path, server, context_line: str) -> Services:
    settings = Settings(
        data=tmp_path / "data",
        chat={"base_url": server.base_url, "model": "m"},
        ingest={"context_line": context_line},
        retrieval={"reranker": "none"},
    )
    return Services(settings, {"embedder": HashEmbedder()})


def lines_after_ingest(services: Services, path) -> list[str]:
    """The lines of all chunks after one ingest of a file."""
    try:
        report = Library(services).ingest(IngestOrder((path,), "default"))
        assert (report["failed"], report["warnings"]) == (0, [])
        return [c.context_line for c in services.store().find_chunks(Scope("default"), [], 9)]
    finally:
        services.close()


def test_with_the_setting_each_chunk_has_its_line_and_without_none(tmp_path, server):
    path = tmp_path / "a.md"
    path.write_text(
        "# Report\n\n## People\n\nIt has forty.\n\n## Place\n\nIt is in Bergen.\n", encoding="utf-8"
    )
    assert lines_after_ingest(opened(tmp_path, server, "off"), path) == ["", ""] and server.requests == []
    wanted = ["About Acme: It has fo", "About Acme: It is in"]
    assert lines_after_ingest(opened(tmp_path, server, "model"), path) == wanted
    assert lines_after_ingest(opened(tmp_path, server, "model"), path) == wanted and len(server.requests) == 2
