"""HyDE in a whole turn: a real client of a small chat server, sessions in real SQLite."""

import pytest

from agents.asker import open_asker
from agents.asking import Ask, Effort
from agents.events import Finished, Retrieved
from agents.hyde import is_wanted
from agents.prompt_library import LANGUAGES, PromptLibrary
from core.chat import OpenAIChatModel
from core.settings import Settings
from core.types import Hit, Scope, Stage, Status
from retrieval.retriever import SearchResult
from tests.agents.doubles import chunk, letter_models, with_letters
from tests.contracts.chat_server import ChatServerStandIn

pytestmark = pytest.mark.anyio
MANUAL = chunk("TM-20 主机的保修期为 18 个月。", 0, "售后问答")
QUESTION = "TM-20 主机的保修期是多久？"
PASSAGE = "TM-20 主机自购买之日起保修 99 个月，凭紫色发票办理。"
ANSWER = "TM-20 主机的保修期为 18 个月。[1]"


class Shelf:
    """A retriever that keeps what it was asked and notes a passage as the real one does."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def search(self, query, scope, limit, where=(), passage=""):
        self.asked.append((query, passage))
        notes = ("hyde: searched with a hypothetical passage too",) if passage else ()
        hits = (Hit(MANUAL, 0.9, Stage.RERANKED, {"reranked": 1}),)
        return SearchResult(hits, (query,), {"dense": 1.0}, {"similarity": 0.9}, notes)


@pytest.fixture
def server():
    made = ChatServerStandIn(lambda asked: ANSWER if "<evidence-" in asked else PASSAGE)
    yield made
    made.close()


async def turn(tmp_path, server, hyde: str, effort: Effort) -> tuple[list, Shelf]:
    """The events of one question, and the shelf that was searched."""
    shelf = Shelf()
    settings = Settings(data=tmp_path, guard={"sufficient_at": 0.0}, retrieval={"hyde": hyde})
    chat = OpenAIChatModel(server.base_url, "m", timeout_s=60)
    asker = with_letters(await open_asker(shelf, letter_models(), chat, settings, tmp_path / "sessions.db"))
    try:
        ask = Ask(QUESTION, Scope("default"), "ann", "s", effort)
        return [event async for event in asker.ask(ask)], shelf
    finally:
        await asker.close()
        await chat.close()


async def test_the_passage_is_searched_with_and_goes_no_further(tmp_path, server):
    events, shelf = await turn(tmp_path, server, "deep", Effort.DEEP)
    assert shelf.asked == [(QUESTION, PASSAGE)]
    answer = events[-1].answer
    assert answer.status is Status.ANSWERED and answer.text == ANSWER
    assert len(server.requests) == 2 and "紫色发票" not in str(server.requests[1])
    assert "紫色发票" not in str(events), "no event may hold what the model made up"
    assert answer.looked_for == (QUESTION,) and [c.quote for c in answer.citations] == [MANUAL.text]
    [retrieved] = [event for event in events if isinstance(event, Retrieved)]
    assert retrieved.notes == ("hyde: searched with a hypothetical passage too",)
    assert answer.usage.model_calls == 2 and answer.usage.prompt_tokens == 20
    assert answer.timings_ms["hyde"] > 0


@pytest.mark.parametrize(("hyde", "effort"), [("off", Effort.DEEP), ("deep", Effort.STANDARD)])
async def test_where_it_is_not_wanted_nothing_is_asked_for(tmp_path, server, hyde, effort):
    events, shelf = await turn(tmp_path, server, hyde, effort)
    assert shelf.asked == [(QUESTION, "")] and len(server.requests) == 1
    assert "hyde" not in events[-1].answer.timings_ms


async def test_a_model_that_fails_leaves_the_search_as_it_is(tmp_path, server):
    good = server.reply
    server.reply = lambda asked: good(asked) if "<evidence-" in asked else 400
    events, shelf = await turn(tmp_path, server, "standard", Effort.STANDARD)
    assert shelf.asked == [(QUESTION, "")] and isinstance(events[-1], Finished)
    assert events[-1].answer.text == ANSWER
    [retrieved] = [event for event in events if isinstance(event, Retrieved)]
    assert retrieved.notes[0].startswith("hyde: no passage, the model server at http://127.0.0.1")


def test_efforts_that_want_it():
    wanted = {name: {e.value for e in Effort if is_wanted(name, e)} for name in ("off", "deep", "standard")}
    assert wanted == {"off": set(), "deep": {"deep"}, "standard": {"standard", "deep"}}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_prompt_asks_in_the_language_of_the_passage(language):
    system, user = PromptLibrary().hyde("How\nlong {x}?", language)
    assert "How long {x}?" in user.content and "{question}" not in system.content + user.content
    assert ("in English" if language == "en" else "用中文写") in user.content
