"""The contract of `ChatModel` against each server, and how the client names each fault of one."""

import asyncio
import os
from dataclasses import dataclass

import httpx
import pytest

from app.chat_models import build_chat_model, find_model_path
from core.chat import OpenAIChatModel
from core.chat_tenants import CacheSalt
from core.errors import ChatModelError, ChatRequestError, ModelFileError
from core.seams import ChatOptions, Message
from core.settings import ChatSettings
from tests.contracts.chat_contract import (
    CALCULATE,
    SCHEMA,
    SEARCH,
    STORY,
    ChatModelContract,
    cached_of,
    collect,
)
from tests.contracts.scripted_chat import KEY, MODEL, MOST_PROMPT_CHARS, ScriptedChatServer

DEAD = "http://127.0.0.1:9/v1"
QUESTION = "When does the office close on the second Friday of each month of this year? " * 20


@pytest.fixture
def server():
    made = ScriptedChatServer()
    yield made
    made.close()


@pytest.fixture
async def scripted(server):
    model = OpenAIChatModel(server.base_url, MODEL, KEY, timeout_s=60)
    yield model
    await model.close()


class TestScripted(ChatModelContract):
    """A server of these tests."""

    longest_chars = MOST_PROMPT_CHARS + 10
    says_cached = True
    longest_story = 2000

    @pytest.fixture
    def model(self, scripted, server):
        self.server = server
        return scripted

    async def freed(self, model):
        async with asyncio.timeout(60):
            while not self.server.left:
                await asyncio.sleep(0.01)


@pytest.mark.models
@pytest.mark.slow
class TestEmbedded(ChatModelContract):
    """Qwen2.5-Coder 1.5B on OpenVINO in a child process."""

    @pytest.fixture
    def model(self, chat_model):
        return chat_model

    async def test_it_says_what_it_is_told_to(self, model):
        text, deltas = await collect(model, "Repeat exactly: banana, apple", ChatOptions(max_tokens=16))
        assert "banana" in text.lower()
        assert next(d.finish_reason for d in deltas if d.finish_reason) == "stop"

    async def test_it_takes_the_tool_that_fits(self, model):
        asked = [Message("user", "What is 17 * 23?")]
        call, _ = await model.call_tool(asked, [SEARCH, CALCULATE], ChatOptions(max_tokens=60))
        assert call.name == "calculate" and "17" in call.arguments["expression"]

    async def test_a_dead_server_is_started_again(self, model):
        model._server._child.kill()
        model._server._child.wait()
        text, _ = await collect(model, "Say hi", ChatOptions(max_tokens=4))
        assert text


@dataclass(frozen=True)
class VllmServer:
    """Where a vLLM server of these tests listens."""

    base_url: str
    model: str
    api_key: str

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        told = httpx.get(f"{self.base_url.removesuffix('/v1')}/metrics", timeout=10).text
        return sum(float(row.rpartition(" ")[2]) for row in told.splitlines() if row.startswith(f"{name}{{"))


@pytest.fixture(scope="module")
def vllm():
    url = os.environ.get("ATTEST_TEST_VLLM_URL", "")
    if not url:
        pytest.skip("no vLLM server here: make test-vllm")
    return VllmServer(url, os.environ["ATTEST_TEST_VLLM_MODEL"], os.environ["ATTEST_TEST_VLLM_KEY"])


@pytest.mark.slow
class TestVllm(ChatModelContract):
    """A real vLLM server, which `make test-vllm` starts."""

    longest_chars = 40_000
    says_cached = True
    longest_story = 1500

    @pytest.fixture
    async def model(self, vllm):
        self.vllm = vllm
        model = OpenAIChatModel(vllm.base_url, vllm.model, vllm.api_key, timeout_s=120)
        yield model
        await model.close()

    async def freed(self, model):
        async with asyncio.timeout(20):
            while self.vllm.metric("vllm:num_requests_running"):
                await asyncio.sleep(0.05)

    async def test_tenants_do_not_share_what_was_read(self, vllm):
        model = OpenAIChatModel(vllm.base_url, vllm.model, vllm.api_key, 120, CacheSalt())
        assert await cached_of(model, QUESTION, "ann") == 0
        assert await cached_of(model, QUESTION, "bob") == 0
        assert await cached_of(model, QUESTION, "ann") > 100
        assert await cached_of(model, QUESTION) == await cached_of(model, QUESTION) == 0
        await model.close()

    async def test_a_wrong_key_and_a_wrong_name_are_told(self, vllm):
        for model, key, words in ((vllm.model, "no", "refused the key"), ("other", vllm.api_key, "does not serve")):
            client = OpenAIChatModel(vllm.base_url, model, key, timeout_s=30)
            with pytest.raises(ChatModelError, match=words):
                await collect(client, "hi", ChatOptions(max_tokens=2))
            await client.close()


@pytest.mark.anyio
class TestFaults:
    """What is said of a server that fails, and whether asking again is of use."""

    @pytest.mark.parametrize(
        ("status", "words", "retryable"),
        [
            (401, "refused the key.*ATTEST_CHAT__API_KEY", False),
            (404, "does not serve scripted.*ATTEST_CHAT__MODEL", False),
            (429, "overloaded.*try again later", True),
            (500, "failed.*its log", True),
            (503, "failed", True),
        ],
    )
    async def test_each_fault_is_named(self, server, scripted, status, words, retryable):
        server.faults.extend([status] * 2)
        with pytest.raises(ChatModelError, match=words) as failed:
            await collect(scripted, "hi", ChatOptions())
        assert failed.value.retryable is retryable and not isinstance(failed.value, ChatRequestError)

    @pytest.mark.parametrize("status", [400, 413, 422])
    async def test_a_refused_request_is_told_from_a_failing_server(self, server, scripted, status):
        server.faults.append(status)
        with pytest.raises(ChatRequestError, match=f"refuses the request.*status {status}") as refused:
            await scripted.structured([Message("user", "hi")], SCHEMA, ChatOptions())
        assert not refused.value.retryable and len(server.requests) == 1

    @pytest.mark.parametrize("status", [429, 500, 503])
    async def test_a_moment_of_trouble_is_passed_over(self, server, scripted, status):
        server.faults.append(status)
        assert (await collect(scripted, "Repeat exactly: a b", ChatOptions()))[0] == "a b "

    async def test_a_server_that_is_not_there_is_named(self):
        model = OpenAIChatModel(DEAD, "m", timeout_s=60)
        with pytest.raises(ChatModelError, match="127.0.0.1:9.*ATTEST_CHAT__BASE_URL") as failed:
            await collect(model, "hi", ChatOptions())
        assert failed.value.retryable
        await model.close()

    async def test_silence_ends_at_the_time_out_and_is_not_asked_again(self, server):
        model = OpenAIChatModel(server.base_url, MODEL, KEY, timeout_s=2)
        server.faults.append("silence")
        with pytest.raises(ChatModelError, match="in time.*ATTEST_CHAT__TIMEOUT_S"):
            await collect(model, "hi", ChatOptions())
        assert len(server.requests) == 1
        await model.close()

    async def test_half_a_reply_is_no_reply(self, server, scripted):
        server.faults.append("break")
        with pytest.raises(ChatModelError):
            await collect(scripted, "Repeat exactly: a b c d", ChatOptions())
        assert len(server.requests) == 1, "what has left is not asked for again"

    async def test_a_page_that_is_no_chat_server_is_told(self, model_server):
        model_server.replies.extend([(200, {"Content-Type": "text/html"}, "<html>hello</html>")] * 4)
        model = OpenAIChatModel(f"{model_server.url}/v1", "m", timeout_s=60)
        for asked in (
            model.structured([Message("user", "hi")], SCHEMA, ChatOptions()),
            model.call_tool([Message("user", "hi")], [SEARCH], ChatOptions()),
        ):
            with pytest.raises(ChatModelError, match="does not speak the OpenAI protocol"):
                await asked
        with pytest.raises(ChatModelError, match="broke off"):
            await collect(model, "hi", ChatOptions())
        await model.close()

    async def test_words_where_a_call_or_json_was_wanted_are_an_error(self, model_server):
        message = {"role": "assistant", "content": "no JSON at all"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = httpx.Response(200, json={"id": "x", "object": "chat.completion", "created": 1, "model": "m",
                                         "choices": [choice]}).text  # fmt: skip
        model_server.replies.extend([(200, {"Content-Type": "application/json"}, body)] * 2)
        model = OpenAIChatModel(f"{model_server.url}/v1", "m", timeout_s=60)
        with pytest.raises(ChatModelError, match="did not answer in JSON"):
            await model.structured([Message("user", "hi")], SCHEMA, ChatOptions())
        with pytest.raises(ChatModelError, match="called no tool"):
            await model.call_tool([Message("user", "hi")], [SEARCH], ChatOptions())
        await model.close()


@pytest.mark.anyio
class TestTenants:
    """Whose prompts share what a server keeps."""

    async def test_without_the_setting_no_salt_is_sent(self, server, scripted):
        await collect(scripted, STORY, ChatOptions(max_tokens=2, tenant="ann"))
        assert "cache_salt" not in server.requests[0]

    async def test_a_tenant_keeps_its_salt_and_shares_it_with_nobody(self, server):
        model = OpenAIChatModel(server.base_url, MODEL, KEY, 5, CacheSalt("a secret"))
        assert [await cached_of(model, QUESTION, tenant) for tenant in ("ann", "bob", "")] == [0, 0, 0]
        assert await cached_of(model, QUESTION, "ann") > 100
        assert await cached_of(model, QUESTION) == 0
        salts = [body["cache_salt"] for body in server.requests]
        assert salts[0] == salts[3] and len(set(salts)) == 4
        assert all(len(salt) >= 43 and "ann" not in salt for salt in salts)
        await model.close()

    def test_salts_hang_on_the_secret(self):
        assert CacheSalt("one").of("ann") == CacheSalt("one").of("ann") != CacheSalt("two").of("ann")
        assert CacheSalt().of("ann") != CacheSalt().of("ann")

    async def test_the_setting_turns_it_on(self, server, tmp_path):
        settings = ChatSettings(base_url=server.base_url, model=MODEL, api_key=KEY, cache_salt="user", cache_secret="s")
        model = build_chat_model(settings, tmp_path)
        await model.structured([Message("user", "hi")], SCHEMA, ChatOptions(tenant="ann"))
        client = await model.open_client()
        await client.call_tool([Message("user", "hi")], [SEARCH], ChatOptions(tenant="ann"))
        wanted = CacheSalt("s").of("ann")
        assert [body["cache_salt"] for body in server.requests] == [wanted, wanted]
        await client.close()
        await model.close()


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
