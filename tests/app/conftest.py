"""Fakes behind the seams, and an API over them."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from agents.events import Event, Finished, Retrieved, SentenceReleased, StatusChanged
from app.api import create_app
from app.services import Services
from core.settings import Settings
from core.types import Answer, Chunk, Citation, Hit, Label, Sentence, Stage, Status, Turn, Verdict

TOKEN = "the-local-token"
CHUNK = Chunk("doc1-00000", "doc1", 0, "年假为15天。", "员工手册", "/docs/handbook.md", page=3)
HIT = Hit(CHUNK, 0.9, Stage.RERANKED, {"dense": 1, "lexical": 2, "fused": 1, "reranked": 1})
VERDICT = Verdict(Label.SUPPORTED, 0.97, "words")
SENTENCE = Sentence("年假为15天。[1]", (1,), VERDICT)
CITATION = Citation(1, CHUNK.id, "doc1", CHUNK.title, CHUNK.uri, CHUNK.text, 0, 8, page=3)
ANSWER = Answer(
    "a1", Status.ANSWERED, "年假为15天。[1]", (SENTENCE,), (CITATION,), trace_id="t1", session_id="s1"
)
EVENTS = (
    StatusChanged("searching"),
    Retrieved((HIT,), ("年假",)),
    SentenceReleased(SENTENCE, (CITATION,)),
    Finished(ANSWER),
)


class FakeAsker:
    """Plays a queue of events (an exception in it is raised) and keeps what it was asked."""

    def __init__(self, events: Sequence[Event | Exception] = EVENTS) -> None:
        self.events = events
        self.asked = []
        self.forgotten = []
        self.closed = False

    async def ask(self, ask):
        self.asked.append(ask)
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event

    async def sessions(self, owner):
        session = {"session_id": "s1", "title": "年假", "turns": 1, "updated": "2026-01-01"}
        return [session] if owner == "local" else []

    async def history(self, owner, session_id):
        known = owner == "local" and session_id == "s1"
        return [Turn("年假几天？", "15天。", Status.ANSWERED)] if known else []

    async def forget(self, owner, session_id):
        self.forgotten.append((owner, session_id))
        return owner == "local" and session_id == "s1"

    async def close(self):
        self.closed = True


class SearchResult:
    """What a retriever gives."""

    def __init__(self, hits) -> None:
        self.hits, self.queries = tuple(hits), ("q",)
        self.timings_ms, self.signals = {"dense": 1.23456}, {"coverage": 1.0}


class FakeRetriever:
    """Always finds one hit and keeps how it was asked."""

    def __init__(self) -> None:
        self.searched = []

    def search(self, query, scope, limit):
        self.searched.append((query, scope, limit))
        return SearchResult([HIT])


class FakeStore:
    """Knows names of collections only."""

    def __init__(self, names: Sequence[str] = ("default",)) -> None:
        self.names = list(names)

    def collections(self):
        return list(self.names)

    def close(self):
        pass


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker()


@pytest.fixture
def retriever() -> FakeRetriever:
    return FakeRetriever()


@pytest.fixture
def services(tmp_path: Path, asker, retriever) -> Services:
    settings = Settings(_env_file=None, data=tmp_path / "data")
    parts = {"asker": asker, "retriever": retriever, "store": FakeStore(), "embedder": object()}
    return Services(settings, parts)


@pytest.fixture
def client(services) -> TestClient:
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:
        yield client
