"""Passages for measuring HyDE: asked for once, and handed to the search of their question."""

import pytest

from core.chat import OpenAIChatModel
from core.types import Scope
from evals.hyde import PassageWriter, SearchWithPassages
from tests.contracts.chat_server import ChatServerStandIn

pytestmark = pytest.mark.anyio


class Keeping:
    """A retriever that keeps its passages."""

    def __init__(self) -> None:
        self.asked = []

    def search(self, query, scope, limit, where=(), passage=""):
        self.asked.append((query, passage))


@pytest.fixture
def server():
    made = ChatServerStandIn(lambda asked: f"A passage of {len(asked)} letters.")
    yield made
    made.close()


async def test_a_passage_is_asked_for_once_over_runs(tmp_path, server):
    for _ in range(2):
        chat = OpenAIChatModel(server.base_url, "m", timeout_s=60)
        writer = PassageWriter(chat, tmp_path / "passages.json")
        made = await writer.write("How long?", "en")
        await chat.close()
    assert len(server.requests) == 1 and made.passage.startswith("A passage of")
    assert (made.prompt_tokens, made.completion_tokens) == (10, 5)
    chat = OpenAIChatModel(server.base_url, "another", timeout_s=60)
    await PassageWriter(chat, tmp_path / "passages.json").write("How long?", "en")
    await chat.close()
    assert len(server.requests) == 2


def test_each_question_is_searched_with_its_own():
    kept = Keeping()
    wrapped = SearchWithPassages(kept, {"a": "of a"})
    wrapped.search("a", Scope("default"), 5)
    wrapped.search("warm up", Scope("default"), 5)
    assert kept.asked == [("a", "of a"), ("warm up", "")]
