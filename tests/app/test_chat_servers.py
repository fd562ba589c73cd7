"""The whole way from a question to chat servers that are down, refuse, or stand in for each other."""

import json
import os

import pytest
from typer.testing import CliRunner

from agents.asker import open_asker
from agents.asking import Ask
from agents.events import Failed, Finished
from app.chat_models import build_chat_model
from app.cli.main import app
from app.doctor import Grade, examine
from app.server_record import ServerRecord, write_record
from app.services import Services
from core.settings import ChatSettings, GuardSettings, Settings
from core.types import Scope
from tests.agents.doubles import letter_models, with_letters
from tests.agents.test_graph import OneShelf
from tests.app.fakes import TOKEN, FakeStore
from tests.contracts.scripted_chat import KEY, MODEL, ScriptedChatServer

pytestmark = pytest.mark.anyio
DEAD = "http://127.0.0.1:9/v1"
QUESTION = "TM-20 主机保修多久？ Repeat exactly: TM-20 主机的保修期为 18 个月。"


@pytest.fixture
def server():
    made = ScriptedChatServer()
    yield made
    made.close()


@pytest.fixture
async def open_with(tmp_path):
    """Opens an asker over one shelf with the chat model of these settings."""
    opened = []

    async def opener(**chat):
        settings = Settings(
            _env_file=None, data=tmp_path / "data", cache=tmp_path / "none", chat=ChatSettings(**chat),
            guard=GuardSettings(sufficient_at=0, refuse=False),
        )  # fmt: skip
        model = build_chat_model(settings.chat, tmp_path)
        settings.data.mkdir(exist_ok=True)
        sessions = settings.data / f"sessions-{len(opened)}.db"
        asker = with_letters(await open_asker(OneShelf(), letter_models(), model, settings, sessions))
        opened.extend((asker, model))
        return asker, Services(settings, {"asker": asker, "chat_model": model, "store": FakeStore()})

    yield opener
    for part in opened:
        await part.close()


async def last_of(asker, owner="ann", readers=("everyone",)):
    ask = Ask(QUESTION, Scope("default", readers), owner)
    return [event async for event in asker.ask(ask)][-1]


async def test_a_dead_server_fails_the_question_and_the_asker_lives_on(open_with, server):
    asker, _ = await open_with(base_url=DEAD, model="m")
    failed = await last_of(asker)
    assert isinstance(failed, Failed) and failed.code == "model_unavailable" and "start it" in failed.remedy


async def test_a_refused_request_has_a_code_of_its_own(open_with, server):
    asker, services = await open_with(base_url=server.base_url, model=MODEL, api_key=KEY)
    server.faults.append(400)
    failed = await last_of(asker)
    assert isinstance(failed, Failed) and failed.code == "model_refused"


async def test_the_answer_says_who_stood_in(open_with, server):
    asker, _ = await open_with(
        base_url=DEAD, model="m", fallback_base_url=server.base_url, fallback_model=MODEL, fallback_api_key=KEY
    )
    finished = await last_of(asker)
    assert isinstance(finished, Finished) and set(finished.answer.usage.models) == {f"{MODEL} (fallback)"}


async def test_each_user_has_a_salt_and_keeps_it(open_with, server):
    asker, _ = await open_with(base_url=server.base_url, model=MODEL, api_key=KEY, cache_salt="user")
    salts = []
    for owner, readers in (("ann", ("ann",)), ("ann", ("ann",)), ("bob", ("bob",)), ("ann", ("ann", "hr"))):
        before = len(server.requests)
        assert isinstance(await last_of(asker, owner, readers), Finished)
        (salt,) = {body["cache_salt"] for body in server.requests[before:]}
        salts.append(salt)
    assert salts[0] == salts[1] and len(set(salts)) == 3


@pytest.fixture
def services(tmp_path):
    """An API that opens its own asker, over one shelf and a chat server that is not there."""
    settings = Settings(
        _env_file=None, data=tmp_path / "data", cache=tmp_path / "none",
        chat=ChatSettings(base_url=DEAD, model="m"), guard=GuardSettings(sufficient_at=0, refuse=False),
    )  # fmt: skip
    models = letter_models()
    encoders = {"token_embedder": models.tokens, "pair_reader": models.pairs}
    return Services(settings, {"retriever": OneShelf(), "store": FakeStore(), **encoders})


def test_a_dead_server_is_503_over_http(client):
    reply = client.post("/v1/ask", json={"question": QUESTION})
    assert (reply.status_code, reply.json()["code"]) == (503, "model_unavailable")
    assert "ATTEST_CHAT__BASE_URL" in reply.json()["remedy"]


def test_and_exit_code_3_at_the_command_line(live_url, services):
    services.paths.create()
    write_record(services.paths.server_record, ServerRecord(os.getpid(), live_url, TOKEN))
    result = CliRunner().invoke(app, ["ask", QUESTION, "--json", "--data", str(services.settings.data)])
    assert result.exit_code == 3 and json.loads(result.stdout)["error"]["code"] == "model_unavailable"


@pytest.mark.parametrize(
    ("fallback", "remedy"),
    [
        ({"fallback_base_url": DEAD}, "ATTEST_CHAT__FALLBACK_BASE_URL"),
        ({"fallback_model": "qwen2.5-coder-1.5b-instruct"}, "attest models fetch"),
        ({}, None),
    ],
)
def test_doctor_looks_at_the_fallback_too(tmp_path, fallback, remedy):
    chat = ChatSettings(base_url=DEAD, model="m", **fallback)
    services = Services(Settings(_env_file=None, data=tmp_path, cache=tmp_path, chat=chat))
    found = {finding.check: finding for finding in examine(services)}.get("fallback chat model")
    assert (found is None) if remedy is None else (found.grade is Grade.FAULT and remedy in found.remedy)
