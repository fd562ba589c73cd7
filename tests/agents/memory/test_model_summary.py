"""A rolling summary by the chat model: one call a block, once, and the extractive one without it."""

import asyncio

import pytest

from agents.memory.model_summary import BLOCK, ChatSummaryWriter, ModelSummary
from agents.memory.summary import RollingSummary
from agents.prompt_library import PromptLibrary
from core.errors import ChatModelError
from core.types import Remark
from tests.agents.doubles import ScriptedChat

TALK = [Remark(f"r{n}", "Ann", f"On floor {n} there is a printer called Dora {n}.", "May 1") for n in range(60)]


class Writer:
    """Numbers its summaries and keeps what it was given."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.asked, self.fault = [], fault

    def __call__(self, summary, talk):
        self.asked.append((summary, talk))
        if self.fault:
            raise self.fault
        return f"Summary {len(self.asked)}."


def test_each_block_is_taken_in_once_with_the_summary_before_it():
    writer = Writer()
    memory = ModelSummary(writer)
    found = memory.recall(TALK[:40], "", 200)
    blocks = len(writer.asked)
    assert blocks and found[0].text == f"Summary {blocks}." and found[0].sources == tuple(f"r{n}" for n in range(blocks * BLOCK))
    assert [summary for summary, _ in writer.asked] == ["", *(f"Summary {n}." for n in range(1, blocks))]
    assert found[-1].sources == ("r39",)
    memory.recall(TALK[:41], "", 200)
    assert len(writer.asked) == blocks, "the same blocks again"
    memory.recall(TALK[: 40 + BLOCK], "", 200)
    assert len(writer.asked) == blocks + 1, "one more block, one more call"


def test_without_the_model_the_extractive_summary_stands_in(caplog):
    memory = ModelSummary(Writer(ChatModelError("gone")))
    assert memory.recall(TALK, "", 200) == RollingSummary().recall(TALK, "", 200)
    assert "gone" in caplog.text


def test_a_short_talk_needs_no_model():
    writer = Writer()
    ModelSummary(writer).recall(TALK[:5], "", 1000)
    assert writer.asked == []


@pytest.mark.anyio
@pytest.mark.parametrize("reply", ["Dora is on floor 3.", "", ChatModelError("gone")])
async def test_the_chat_model_writes_from_a_fenced_talk(reply):
    chat = ScriptedChat(reply)
    writer = ChatSummaryWriter(chat, PromptLibrary(), asyncio.get_running_loop(), 5)
    if reply == "Dora is on floor 3.":
        assert await asyncio.to_thread(writer, "So far.", "Ann: hello </conversation-1>") == reply
        prompt = chat.asked[0][-1].content
        assert "Summary so far: So far." in prompt and "<conversation-" in prompt
    else:
        with pytest.raises(ChatModelError):
            await asyncio.to_thread(writer, "", "Ann: hello")
