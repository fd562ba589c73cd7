"""The contract of `ChatModel`: against the real embedded model, and how the client names
each fault of a server."""

import asyncio
import json
import threading
from contextlib import aclosing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.chat_models import build_chat_model, connect_chat, find_model_path
from core.chat import OpenAIChatModel
from core.errors import ChatModelError, ModelFileError
from core.seams import ChatModel, ChatOptions, Message
from core.settings import ChatSettings

SCHEMA = {
    "type": "object",
    "properties": {"route": {"type": "string", "enum": ["search", "chat"]}},
    "required": ["route"],
    "additionalProperties": False,
}


async def collect(model: ChatModel, text: str, options: ChatOptions) -> tuple[str, list]:
    """The whole reply and all its deltas."""
    deltas = [delta async for delta in model.stream([Message("user", text)], options)]
    return "".join(delta.text for delta in deltas), deltas


@pytest.mark.models
@pytest.mark.slow
@pytest.mark.anyio
class TestEmbedded:
    """Qwen2.5-Coder 1.5B on OpenVINO in a child process."""

    async def test_a_reply_streams_and_ends_with_usage(self, chat_model):
        question = "Repeat exactly: banana, apple, cherry"
        text, deltas = await collect(chat_model, question, ChatOptions(max_tokens=16))
        assert "banana" in text.lower()
        assert len([d for d in deltas if d.text]) > 1
        assert next(d.finish_reason for d in deltas if d.finish_reason) == "stop"
        usage = next(d.usage for d in deltas if d.usage)
        assert usage.prompt_tokens > 5 and usage.completion_tokens > 0 and usage.model_calls == 1

    async def test_the_token_limit_is_told(self, chat_model):
        _, deltas = await collect(chat_model, "Count from 1 to 100", ChatOptions(max_tokens=5))
        assert next(d.finish_reason for d in deltas if d.finish_reason) == "length"

    async def test_greedy_replies_repeat(self, chat_model):
        question, options = "水的沸点是多少度？一句话回答。", ChatOptions(max_tokens=30)
        first, _ = await collect(chat_model, question, options)
        assert first == (await collect(chat_model, question, options))[0] != ""

    async def test_json_follows_the_schema(self, chat_model):
        value, usage = await chat_model.structured(
            [Message("user", "Which route for: how many days of leave are there?")], SCHEMA, ChatOptions()
        )
        assert value["route"] in ("search", "chat") and usage.completion_tokens > 0

    async def test_leaving_a_stream_frees_the_model(self, chat_model):
        story = [Message("user", "Tell a very long story about a lighthouse")]
        async with aclosing(chat_model.stream(story, ChatOptions(max_tokens=400))) as deltas:
            async for _ in deltas:
                break
        _, deltas = await collect(chat_model, "Say hi", ChatOptions(max_tokens=4))
        assert any(delta.text for delta in deltas)

    async def test_another_client_serves_another_event_loop(self, chat_model):
        async def said() -> str:
            async with connect_chat(lambda: chat_model) as client:
                return (await collect(client, "Say hi", ChatOptions(max_tokens=4)))[0]

        assert await asyncio.to_thread(asyncio.run, said())
        assert (await collect(chat_model, "Say hi", ChatOptions(max_tokens=4)))[0]

    async def test_a_dead_server_is_started_again(self, chat_model):
        chat_model._server._child.kill()
        chat_model._server._child.wait()
        text, _ = await collect(chat_model, "Say hi", ChatOptions(max_tokens=4))
        assert text


class _Faulty(BaseHTTPRequestHandler):
    """Answers every request with the status in the model's name."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, reply = int(body["model"]), b"{}"
        if status == 200:
            message = {"role": "assistant", "content": "no JSON at all"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            reply = json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "m",
                                "choices": [choice]}).encode()  # fmt: skip
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        """Keeps the test's output clean."""


@pytest.fixture(scope="module")
def faulty_url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Faulty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "words"),
    [("401", "refused the key"), ("404", "does not serve"), ("429", "overloaded"), ("500", "failed")],
)
async def test_each_fault_is_named(faulty_url, status, words):
    model = OpenAIChatModel(faulty_url, status, "k", timeout_s=5)
    model._client.max_retries = 0
    with pytest.raises(ChatModelError, match=words):
        await collect(model, "hi", ChatOptions())


@pytest.mark.anyio
async def test_a_server_that_is_not_there_is_named():
    model = OpenAIChatModel("http://127.0.0.1:9/v1", "m", timeout_s=5)
    model._client.max_retries = 0
    with pytest.raises(ChatModelError, match="127.0.0.1:9.*ATTEST_CHAT__BASE_URL"):
        await collect(model, "hi", ChatOptions())


@pytest.mark.anyio
async def test_words_where_json_was_asked_for_are_an_error(faulty_url):
    model = OpenAIChatModel(faulty_url, "200", timeout_s=5)
    with pytest.raises(ChatModelError, match="did not answer in JSON"):
        await model.structured([Message("user", "hi")], SCHEMA, ChatOptions())


def test_a_missing_model_names_the_command(tmp_path):
    with pytest.raises(ModelFileError, match="attest models fetch"):
        build_chat_model(ChatSettings(), tmp_path)
    with pytest.raises(ModelFileError, match="ATTEST_CHAT__MODEL"):
        find_model_path("./no/such/file.gguf", tmp_path)


def test_a_local_file_is_one_setting_away(tmp_path):
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"x")
    assert find_model_path(str(file), tmp_path) == file


@pytest.mark.anyio
@pytest.mark.slow
async def test_a_file_that_is_no_model_is_told(tmp_path):
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"this is not a model")
    model = build_chat_model(ChatSettings(model=str(file)), tmp_path)
    try:
        with pytest.raises(ModelFileError, match="cannot be read as a model"):
            await collect(model, "hi", ChatOptions())
    finally:
        await model.close()
