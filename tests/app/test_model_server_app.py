"""The embedded server over HTTP with a scripted engine: what it refuses, how a call of a tool looks."""

import asyncio
import json
import threading

import httpx
import pytest

from app.model_server.engine import Outcome
from app.model_server.server import MAX_WAITING, create_model_app

pytestmark = pytest.mark.anyio
TOOL = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}
NAMED = {"type": "function", "function": {"name": "search"}}
ASKED = {"messages": [{"role": "user", "content": "hi"}]}


class ScriptedEngine:
    """Says one text, when it is let."""

    def __init__(self, text: str = "words", reason: str = "stop") -> None:
        self.text, self.reason = text, reason
        self.let = threading.Event()
        self.let.set()
        self.asked = []

    def generate(self, messages, sampling, on_text):
        self.asked.append(sampling)
        self.let.wait(120)
        on_text(self.text)
        return Outcome(3, 2, self.reason)


@pytest.fixture
def engine():
    made = ScriptedEngine()
    yield made
    made.let.set()


@pytest.fixture
async def client(engine):
    transport = httpx.ASGITransport(create_model_app(engine, "m", "k"))
    headers = {"Authorization": "Bearer k"}
    async with httpx.AsyncClient(transport=transport, base_url="http://m", headers=headers) as client:
        yield client


async def post(client, **more):
    return await client.post("/v1/chat/completions", json=ASKED | more)


@pytest.mark.parametrize("choice", ["required", NAMED])
async def test_a_tool_is_called_under_its_schema(client, engine, choice):
    engine.text = json.dumps({"name": "search", "arguments": {"query": "年假"}})
    reply = (await post(client, tools=[TOOL], tool_choice=choice)).json()
    (call,) = reply["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "search" and json.loads(call["function"]["arguments"]) == {"query": "年假"}
    assert reply["choices"][0]["finish_reason"] == "tool_calls" and reply["usage"]["completion_tokens"] == 2
    (sampling,) = engine.asked
    assert sampling.schema["anyOf"][0]["properties"]["name"] == {"const": "search"}
    assert [tool["function"]["name"] for tool in sampling.tools] == ["search"]


async def test_a_call_that_was_cut_off_is_no_call(client, engine):
    engine.text, engine.reason = '{"name": "sea', "length"
    (choice,) = (await post(client, tools=[TOOL], tool_choice="required")).json()["choices"]
    assert choice["finish_reason"] == "length" and "tool_calls" not in choice["message"]


async def test_tools_that_are_not_to_be_called_are_not_told(client, engine):
    (choice,) = (await post(client, tools=[TOOL], tool_choice="none")).json()["choices"]
    assert choice["message"]["content"] == "words" and engine.asked[0].tools == ()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tools": [TOOL]}, "must be required or name a function"),
        ({"tools": [TOOL], "tool_choice": {"function": {"name": "other"}}}, "no tool 'other'"),
        ({"tools": [TOOL], "tool_choice": "required", "stream": True}, "not streamed"),
    ],
)
async def test_what_it_does_not_do_is_refused_in_words(client, engine, more, words):
    reply = await post(client, **more)
    assert reply.status_code == 400 and words in reply.json()["error"]["message"] and not engine.asked


@pytest.mark.parametrize("stream", [False, True])
async def test_one_too_many_is_refused_with_a_status(client, engine, stream):
    engine.let.clear()
    waiting = [asyncio.create_task(post(client)) for _ in range(MAX_WAITING)]
    while not engine.asked:
        await asyncio.sleep(0.01)
    refused = await post(client, stream=stream)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "overloaded")
    engine.let.set()
    assert {reply.status_code for reply in await asyncio.gather(*waiting)} == {200}
    assert (await post(client, stream=stream)).status_code == 200
