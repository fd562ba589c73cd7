"""Two chat models as one: which is asked when, and what is never asked twice. Over two servers."""

import asyncio

import pytest

from app.chat_models import EmbeddedChatModel, build_chat_model, connect_chat, fallback_settings
from core.chat import OpenAIChatModel
from core.chat_fallback import RESTS_S, Breaker, FallbackChatModel
from core.errors import ChatModelError, ChatRequestError, ModelFileError
from core.seams import ChatOptions, Message
from core.settings import ChatSettings
from tests.contracts.chat_contract import SCHEMA, SEARCH, STORY, ChatModelContract, collect
from tests.contracts.scripted_chat import KEY, MODEL, MOST_PROMPT_CHARS, ScriptedChatServer

pytestmark = pytest.mark.anyio
DEAD = "http://127.0.0.1:9/v1"
SPARE = f"{MODEL} (fallback)"
ASKED = [Message("user", "Repeat exactly: a b c d")]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def servers():
    made = ScriptedChatServer(), ScriptedChatServer()
    yield made
    for server in made:
        server.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def pair(servers, clock):
    """Both servers as one model."""
    first, second = (OpenAIChatModel(server.base_url, MODEL, KEY, timeout_s=60) for server in servers)
    model = FallbackChatModel(first, second, Breaker(clock=clock))
    yield model
    await model.close()


async def who_answered(model) -> tuple[str, ...]:
    _, deltas = await collect(model, "Repeat exactly: a b", ChatOptions())
    return next(delta.usage for delta in deltas if delta.usage).models


class TestWithAFirstThatWorks(ChatModelContract):
    """Two are as good as one."""

    longest_chars = MOST_PROMPT_CHARS + 10
    says_cached = True
    longest_story = 2000

    @pytest.fixture
    def model(self, pair, servers):
        self.servers = servers
        return pair

    async def freed(self, model):
        async with asyncio.timeout(60):
            while not self.servers[0].left:
                await asyncio.sleep(0.01)
        assert not self.servers[1].requests


@pytest.mark.parametrize("fault", [401, 404, 429, 500, 503])
async def test_a_failing_first_is_stood_in_for(pair, servers, fault):
    servers[0].faults.extend([fault] * 2)
    assert await who_answered(pair) == (SPARE,)
    assert servers[1].requests[0]["messages"] == servers[0].requests[0]["messages"]


@pytest.mark.parametrize("ask", ["structured", "call_tool"])
async def test_whole_replies_too(pair, servers, ask):
    given = {"structured": SCHEMA, "call_tool": [SEARCH]}[ask]
    _, usage = await getattr(pair, ask)(ASKED, given, ChatOptions())
    assert usage.models == (MODEL,)
    servers[0].faults.extend([500] * 2)
    _, usage = await getattr(pair, ask)(ASKED, given, ChatOptions())
    assert usage.models == (SPARE,)


async def test_a_silent_first_is_given_up_at_its_time_out(servers):
    first, second = (OpenAIChatModel(server.base_url, MODEL, KEY, timeout_s=0.3) for server in servers)
    servers[0].faults.append("silence")
    model = FallbackChatModel(first, second)
    assert await who_answered(model) == (SPARE,)
    await model.close()


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_request_that_one_refuses_is_not_tried_on_the_other(pair, servers, status):
    for ask in (collect(pair, "hi", ChatOptions()), pair.structured(ASKED, SCHEMA, ChatOptions())):
        servers[0].faults.append(status)
        with pytest.raises(ChatRequestError):
            await ask
    assert not servers[1].requests and await who_answered(pair) == (MODEL,)


async def test_half_a_reply_is_never_gone_on_with_elsewhere(pair, servers):
    servers[0].faults.append("break")
    got = []
    with pytest.raises(ChatModelError):
        async for delta in pair.stream(ASKED, ChatOptions()):
            got.append(delta.text)
    assert got == ["a ", "b "] and not servers[1].requests
    assert await who_answered(pair) == (SPARE,), "and the next question does not meet it"


async def test_a_dead_first_is_asked_once_in_a_while(pair, servers, clock):
    servers[0].faults.extend([500] * 2)
    assert [await who_answered(pair) for _ in range(3)] == [(SPARE,)] * 3
    assert len(servers[0].requests) == 2, "one question, with its one repetition"
    clock.now += RESTS_S + 1
    servers[0].faults.extend([500] * 2)
    assert await who_answered(pair) == (SPARE,) and len(servers[0].requests) == 4
    assert await who_answered(pair) == (SPARE,) and len(servers[0].requests) == 4
    clock.now += RESTS_S + 1
    assert [await who_answered(pair) for _ in range(2)] == [(MODEL,)] * 2


async def test_when_the_while_is_over_one_question_tries_it_and_the_others_do_not_wait(clock):
    breaker = Breaker(clock=clock)
    assert breaker.admits() and breaker.admits()
    breaker.open()
    assert not breaker.admits()
    clock.now += RESTS_S
    assert [breaker.admits() for _ in range(3)] == [True, False, False]
    breaker.reset()
    assert breaker.admits() and breaker.admits()


async def test_clients_for_other_loops_know_that_it_is_dead(pair, servers):
    servers[0].faults.extend([500] * 2)
    await who_answered(pair)
    client = await pair.open_client()
    assert await who_answered(client) == (SPARE,) and len(servers[0].requests) == 2
    await client.close()


async def test_a_client_of_a_first_that_does_not_start_asks_the_second(servers, tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"no model")
    settings = ChatSettings(
        model=str(broken), fallback_base_url=servers[1].base_url, fallback_api_key=KEY, fallback_model=MODEL
    )
    model = build_chat_model(settings, tmp_path)
    async with connect_chat(lambda: model) as client:
        assert await who_answered(client) == (SPARE,)
        _, usage = await client.structured(ASKED, SCHEMA, ChatOptions())
        assert usage.models == (SPARE,)
        _, usage = await client.call_tool(ASKED, [SEARCH], ChatOptions())
        assert usage.models == (SPARE,)
    assert await who_answered(model) == (SPARE,)
    await model.close()


async def test_a_client_opens_nothing_that_is_not_asked(servers):
    class Unwanted(OpenAIChatModel):
        async def open_client(self):
            raise AssertionError("nobody asked it")

    first = OpenAIChatModel(servers[0].base_url, MODEL, KEY, timeout_s=60)
    model = FallbackChatModel(first, Unwanted(DEAD, MODEL, KEY, timeout_s=60))
    client = await model.open_client()
    assert await asyncio.gather(*(who_answered(client) for _ in range(3))) == [(MODEL,)] * 3
    await client.close()
    await model.close()


async def test_when_both_are_dead_the_second_ones_settings_are_named_too(tmp_path):
    settings = ChatSettings(base_url=DEAD, model="m", fallback_base_url=DEAD)
    model = build_chat_model(settings, tmp_path)
    with pytest.raises(ChatModelError, match="ATTEST_CHAT__FALLBACK_BASE_URL"):
        await collect(model, STORY, ChatOptions())
    await model.close()


async def test_the_settings_make_the_pair(servers, tmp_path):
    settings = ChatSettings(
        base_url=DEAD, model="big", timeout_s=5,
        fallback_base_url=servers[1].base_url, fallback_api_key=KEY, fallback_model=MODEL,
    )  # fmt: skip
    model = build_chat_model(settings, tmp_path)
    assert model.name == "big" and await who_answered(model) == (SPARE,)
    await model.close()
    assert isinstance(build_chat_model(ChatSettings(base_url=DEAD), tmp_path), OpenAIChatModel)


def test_a_fallback_without_an_address_is_an_embedded_model(tmp_path):
    assert fallback_settings(ChatSettings(base_url=DEAD, model="m")) is None
    file = tmp_path / "small.gguf"
    file.write_bytes(b"x")
    model = build_chat_model(ChatSettings(base_url=DEAD, model="m", fallback_model=str(file)), tmp_path)
    assert isinstance(model._second, EmbeddedChatModel)
    with pytest.raises(ModelFileError, match="attest models fetch"):
        build_chat_model(
            ChatSettings(base_url=DEAD, model="m", fallback_model="qwen2.5-coder-1.5b-instruct"), tmp_path
        )
