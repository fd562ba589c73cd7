"""What every chat model does, whoever serves it. `test_chat_model.py` runs this against each."""

import asyncio

import pytest

from core.errors import ChatModelError, ChatRequestError
from core.seams import ChatModel, ChatOptions, Message, ToolSpec

SCHEMA = {
    "type": "object",
    "properties": {"route": {"type": "string", "enum": ["search", "chat"]}},
    "required": ["route"],
    "additionalProperties": False,
}
SEARCH = ToolSpec(
    "search",
    "Searches the documents.",
    {
        "type": "object",
        "properties": {"query": {"type": "string", "maxLength": 40}},
        "required": ["query"],
        "additionalProperties": False,
    },
)
CALCULATE = ToolSpec(
    "calculate",
    "Works out an arithmetic expression.",
    {
        "type": "object",
        "properties": {"expression": {"type": "string", "maxLength": 24}},
        "required": ["expression"],
        "additionalProperties": False,
    },
)
STORY = "Tell a very long story about a lighthouse and its keeper."
EVIDENCE = " ".join(f"Rule {number}: room {number * 7} closes at {number % 12} o'clock." for number in range(30))
LONGEST_STORY = 4000
"""Tokens that no server of a test writes before a call after them would time out."""


async def collect(model: ChatModel, text: str, options: ChatOptions) -> tuple[str, list]:
    """The whole reply and all its deltas."""
    deltas = [delta async for delta in model.stream([Message("user", text)], options)]
    return "".join(delta.text for delta in deltas), deltas


async def cached_of(model: ChatModel, text: str, tenant: str = "") -> int:
    """How many tokens of this prompt the server says to have read before."""
    _, deltas = await collect(model, text, ChatOptions(max_tokens=4, tenant=tenant))
    return next(delta.usage for delta in deltas if delta.usage).cached_tokens


@pytest.mark.anyio
class ChatModelContract:
    """Inherited with a fixture `model`: a connected model that no other test breaks."""

    longest_chars: int | None = None
    """A prompt of so many letters is refused; None: the server says of none that it is too long."""
    says_cached = False
    """Whether the server says what of a prompt it had read before."""
    longest_story = LONGEST_STORY

    async def freed(self, model: ChatModel) -> None:
        """Returns when the server does not work for a caller who left; else fails."""
        _, deltas = await collect(model, "Say hi", ChatOptions(max_tokens=4))
        assert any(delta.text for delta in deltas)

    async def test_a_reply_streams_and_ends_with_usage(self, model):
        text, deltas = await collect(model, "Repeat exactly: banana, apple, cherry", ChatOptions(max_tokens=16))
        assert text.strip() and len([d for d in deltas if d.text]) > 1
        assert next(d.finish_reason for d in deltas if d.finish_reason) in ("stop", "length")
        usage = next(d.usage for d in deltas if d.usage)
        assert usage.prompt_tokens > 4 and 0 < usage.completion_tokens <= 16 and usage.model_calls == 1
        assert usage.models == (model.name,)

    async def test_the_token_limit_is_told(self, model):
        _, deltas = await collect(model, "Count from 1 to 100", ChatOptions(max_tokens=5))
        assert next(d.finish_reason for d in deltas if d.finish_reason) == "length"
        assert next(d.usage for d in deltas if d.usage).completion_tokens == 5

    async def test_greedy_replies_repeat(self, model):
        question, options = "水的沸点是多少度？一句话回答。", ChatOptions(max_tokens=20)
        first, _ = await collect(model, question, options)
        assert first == (await collect(model, question, options))[0] != ""

    async def test_a_stop_text_ends_the_reply(self, model):
        options = ChatOptions(max_tokens=40)
        whole, _ = await collect(model, STORY, options)
        stop = whole.split()[3]
        cut, _ = await collect(model, STORY, ChatOptions(max_tokens=40, stop=(stop,)))
        assert stop not in cut and whole.startswith(cut.rstrip())

    async def test_json_follows_the_schema(self, model):
        asked = [Message("user", "Which route for: how many days of leave are there? Reply in JSON.")]
        value, usage = await model.structured(asked, SCHEMA, ChatOptions(max_tokens=40))
        assert set(value) == {"route"} and value["route"] in ("search", "chat")
        assert usage.completion_tokens > 0 and usage.model_calls == 1

    async def test_json_that_is_cut_off_is_told(self, model):
        with pytest.raises(ChatModelError, match="cut off"):
            await model.structured([Message("user", "Which route?")], SCHEMA, ChatOptions(max_tokens=2))

    async def test_the_one_tool_is_called(self, model):
        asked = [Message("user", "How long is the warranty?")]
        call, usage = await model.call_tool(asked, [SEARCH], ChatOptions(max_tokens=160))
        assert call.name == "search" and isinstance(call.arguments["query"], str)
        assert set(call.arguments) == {"query"} and usage.completion_tokens > 0

    async def test_one_of_several_tools_is_called(self, model):
        asked = [Message("user", "What is 17 * 23?")]
        call, _ = await model.call_tool(asked, [SEARCH, CALCULATE], ChatOptions(max_tokens=160))
        wanted = {"search": {"query"}, "calculate": {"expression"}}
        assert set(call.arguments) == wanted[call.name]

    async def test_leaving_a_stream_frees_the_server(self, model):
        deltas = model.stream([Message("user", STORY)], ChatOptions(max_tokens=self.longest_story))
        async for _ in deltas:
            break
        await deltas.aclose()
        await self.freed(model)

    async def test_a_cancelled_caller_frees_the_server(self, model):
        begun = asyncio.Event()

        async def listen():
            async for _ in model.stream([Message("user", STORY)], ChatOptions(max_tokens=self.longest_story)):
                begun.set()

        listening = asyncio.create_task(listen())
        await begun.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        await self.freed(model)

    async def test_several_at_once_get_their_own_replies(self, model):
        fruits = ("banana", "cherry", "apple")
        asked = [collect(model, f"Repeat exactly: {fruit}", ChatOptions(max_tokens=8)) for fruit in fruits]
        alone = [(await one)[0] for one in asked]
        asked = [collect(model, f"Repeat exactly: {fruit}", ChatOptions(max_tokens=8)) for fruit in fruits]
        assert [text for text, _ in await asyncio.gather(*asked)] == alone

    async def test_another_client_serves_another_event_loop(self, model):
        async def said() -> str:
            client = await model.open_client()
            try:
                return (await collect(client, "Say hi", ChatOptions(max_tokens=4)))[0]
            finally:
                await client.close()

        assert await asyncio.to_thread(asyncio.run, said())
        assert (await collect(model, "Say hi", ChatOptions(max_tokens=4)))[0]

    async def test_a_prompt_that_is_too_long_is_refused(self, model):
        if self.longest_chars is None:
            pytest.skip("this server refuses no prompt for its length")
        with pytest.raises(ChatRequestError) as refused:
            await collect(model, "word " * (self.longest_chars // 5), ChatOptions(max_tokens=4))
        assert not refused.value.retryable
        assert (await collect(model, "Say hi", ChatOptions(max_tokens=4)))[0]

    async def test_the_same_beginning_is_read_once(self, model):
        await cached_of(model, f"{EVIDENCE} Question: when does room 21 close?")
        again = await cached_of(model, f"{EVIDENCE} Question: which room closes first?")
        assert again > 100 if self.says_cached else again == 0
