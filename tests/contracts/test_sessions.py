"""Sessions keep the same promises in a file and beside a ledger on PostgreSQL: they outlive the process,
stay short, and are their owner's alone; what was changed from outside is refused."""

import asyncio
import logging
import re

import pytest
from sqlalchemy import text

from agents.asker import Decided, open_asker
from agents.events import ApprovalNeeded, Failed, Finished
from agents.tools.approvals import Approvals, Decision
from agents.tools.audit import ToolAudit
from agents.tools.effects import EffectLedger
from agents.tools.invoker import ToolInvoker
from agents.tools.registry import ToolRegistry
from agents.tools.tool import ToolResult
from agents.turn_order import TurnOrder
from core.database import open_server, open_sessions
from core.errors import ConflictError, SettingsError, StoreError
from core.settings import Settings
from core.settings_tools import ToolSettings
from tests.agents.doubles import ScriptedChat, letter_models, with_letters
from tests.agents.test_graph import GOOD, QUESTION, OneShelf, events_of
from tests.agents.tools.doubles import Killed, KnowingNoteTool, NoteArguments, call
from tests.postgres_server import PASSWORD

pytestmark = pytest.mark.anyio
SECRET = "0123456789abcdef" * 2


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request, tmp_path):
    """Where sessions lie, on each kind of database in turn."""
    ledger = {}
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_server").new_database()
        ledger = {"url": url, "password": PASSWORD, "sessions": True, "session_secret": SECRET}
    return Settings(data=tmp_path, guard={"sufficient_at": 0.0, "quoted_at": 0.0}, ledger=ledger)


@pytest.fixture
def engine(settings, tmp_path):
    """That database."""
    engine = open_sessions(settings, tmp_path / "sessions.db")
    yield engine
    engine.dispose()


@pytest.fixture
async def opened(settings, engine, tmp_path):
    """Opens askers over it; several stand for several processes."""
    askers = []

    async def opener(*tools, chat=None, shelf=None):
        asker = await open_asker(
            shelf or OneShelf(), letter_models(), chat or ScriptedChat(), settings, tmp_path / "sessions.db"
        )
        effects, approvals = EffectLedger(engine), Approvals(engine)
        audit, registry = ToolAudit(engine, 30), ToolRegistry(tools, None)
        asker.use_tools(ToolInvoker(registry, audit, effects, approvals, ToolSettings()))
        askers.append(with_letters(asker))
        return asker

    yield opener
    for asker in askers:
        await asker.close()


class BlockedChat(ScriptedChat):
    """Says that it was asked, and answers when it may."""

    def __init__(self, *replies) -> None:
        super().__init__(*replies)
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def stream(self, messages, options):
        self.begun.set()
        await self.go.wait()
        async for piece in super().stream(messages, options):
            yield piece


def execute(engine, statement, values=()):
    with engine.begin() as connection:
        return connection.exec_driver_sql(statement, values)


class TestSessions:
    async def test_a_turn_that_was_killed_goes_on_without_another_search(self, opened):
        asker = await opened(chat=ScriptedChat(GOOD, Killed()))
        await events_of(asker, QUESTION)
        with pytest.raises(Killed):
            await events_of(asker, QUESTION)
        other = await opened(chat=ScriptedChat(GOOD), shelf=(shelf := OneShelf()))
        events = [event async for event in other.resume("ann", "s", "reader")]
        assert isinstance(events[-1], Finished) and "18" in events[-1].answer.text
        assert shelf.queries == []
        assert len(await other.history("ann", "s")) == 2
        with pytest.raises(ConflictError, match="unfinished"):
            [event async for event in other.resume("ann", "s", "reader")]

    async def test_an_approval_outlives_the_process_and_its_effect_is_had_once(self, opened, engine):
        tool = KnowingNoteTool()
        asker = await opened(tool)
        [needed] = [e for e in await events_of(asker, "/note a") if isinstance(e, ApprovalNeeded)]
        await asker.close()
        tool.breaks = Killed()
        decided = Decided("ann", "reader", needed.id, Decision.APPROVED)
        with pytest.raises(Killed):
            [event async for event in (await opened(tool)).decide(decided)]
        tool.breaks = None
        events = [event async for event in (await opened(tool)).resume("ann", "s", "reader")]
        assert events[-1].answer.text == "noted a"
        assert len(tool.written) == 1

    async def test_what_was_changed_from_outside_is_refused_until_the_session_is_forgotten(self, opened, engine):
        asker = await opened(chat=ScriptedChat(GOOD, GOOD, GOOD))
        await events_of(asker, QUESTION)
        mark = "?" if engine.dialect.name == "sqlite" else "%s"
        [stored] = execute(engine, "SELECT checkpoint FROM checkpoints").scalars()
        changed = bytes(stored).replace(b"default", b"private")
        assert changed != bytes(stored)
        execute(engine, f"UPDATE checkpoints SET checkpoint = {mark}", (changed,))
        failed = (await events_of(asker, QUESTION))[-1]
        assert isinstance(failed, Failed) and failed.code == "tampered"
        assert await asker.forget("ann", "s")
        assert isinstance((await events_of(asker, QUESTION))[-1], Finished)

    async def test_one_checkpoint_stays_however_long_the_session_is(self, opened, engine):
        asker = await opened(chat=ScriptedChat(*[GOOD] * 3))
        for _ in range(3):
            await events_of(asker, QUESTION)
        assert execute(engine, "SELECT count(*) FROM checkpoints").scalar() == 1
        assert execute(engine, "SELECT count(*) FROM writes").scalar() == 0
        assert len(await asker.history("ann", "s")) == 3

    async def test_two_processes_answer_one_session_one_after_the_other(self, opened):
        async def ask(asker, question):
            return (await events_of(asker, question))[-1]

        first, second = BlockedChat(GOOD), ScriptedChat(GOOD)
        one, other = await opened(chat=first), await opened(chat=second)
        turns = [asyncio.create_task(ask(one, QUESTION))]
        async with asyncio.timeout(120):
            await first.begun.wait()
            turns.append(asyncio.create_task(ask(other, f"{QUESTION} 请再说一次")))
            await asyncio.sleep(0.5)
            assert second.asked == []
            first.go.set()
            ended = await asyncio.gather(*turns)
        assert all(isinstance(event, Finished) for event in ended)
        said = [turn.question for turn in await other.history("ann", "s")]
        assert said == [QUESTION, f"{QUESTION} 请再说一次"]

    async def test_a_session_that_another_process_does_not_give_back_is_refused(self, opened):
        first = BlockedChat(GOOD)
        one, other = await opened(chat=first), await opened(chat=ScriptedChat(GOOD))
        other._turns = TurnOrder(other._graph.checkpointer.engine, longest_wait_s=0)
        turn = asyncio.create_task(events_of(one, QUESTION))
        async with asyncio.timeout(120):
            await first.begun.wait()
            failed = (await events_of(other, QUESTION))[-1]
            assert isinstance(failed, Failed) and failed.code == "conflict"
            assert "another process" in failed.message and "another session" in failed.remedy
            first.go.set()
            assert isinstance((await turn)[-1], Finished)
        assert len(await one.history("ann", "s")) == 1

    async def test_a_turn_that_lost_its_lock_is_not_recorded(self, opened):
        first = BlockedChat(GOOD)
        one, other = await opened(chat=first), await opened(chat=ScriptedChat(GOOD))
        turn = asyncio.create_task(events_of(one, QUESTION))
        async with asyncio.timeout(120):
            await first.begun.wait()
            one._turns.close()
            assert isinstance((await events_of(other, QUESTION))[-1], Finished)
            first.go.set()
            failed = (await turn)[-1]
        assert isinstance(failed, Failed) and failed.code == "conflict"
        assert len(await other.history("ann", "s")) == 1

    async def test_two_users_of_one_name_of_a_session_are_apart(self, opened, engine):
        tool = KnowingNoteTool()
        asker = await opened(tool, chat=ScriptedChat(GOOD))
        await events_of(asker, "/note a")
        events = await events_of(asker, QUESTION, owner="bob")
        assert isinstance(events[-1], Finished)
        assert [turn.question for turn in await asker.history("bob", "s")] == [QUESTION]
        assert await asker.forget("bob", "s")
        assert [approval.tool for approval in Approvals(engine).waiting("ann")] == ["note"]
        assert [turn.question for turn in await asker.history("ann", "s")] == ["/note a"]


async def test_two_processes_that_run_the_same_call_have_its_effect_once(database):
    tool, begun, go = KnowingNoteTool(), asyncio.Event(), asyncio.Event()

    async def run():
        begun.set()
        await go.wait()
        return await tool.run(arguments, which)

    arguments, which = NoteArguments(text="a"), call(key="k")
    first, second = EffectLedger(database), EffectLedger(database)
    one = asyncio.create_task(first.once(tool, arguments, which, run))
    await begun.wait()
    other = asyncio.create_task(second.once(tool, arguments, which, run))
    await asyncio.sleep(0.5)
    go.set()
    results = await asyncio.gather(one, other)
    assert results == [ToolResult("noted a", {"count": 1})] * 2 and len(tool.written) == 1


async def have(ledger, tool, number, go):
    """The effect of call number so and so, which runs until `go`."""
    arguments, which = NoteArguments(text=str(number)), call(key=str(number))

    async def run():
        await go.wait()
        return await tool.run(arguments, which)

    return await ledger.once(tool, arguments, which, run)


@pytest.mark.parametrize("processes", [1, 2])
async def test_calls_with_effects_take_no_connection_from_others_however_many(postgres, processes):
    tool, go = KnowingNoteTool(), asyncio.Event()
    ledgers = [EffectLedger(postgres) for _ in range(processes)]
    calls = [asyncio.create_task(have(ledger, tool, n, go)) for ledger in ledgers for n in range(20)]
    async with asyncio.timeout(120):
        intended = "SELECT count(*) FROM tool_effects WHERE state = 'intended'"
        while await asyncio.to_thread(lambda: execute(postgres, intended).scalar()) < 20:
            await asyncio.sleep(0.01)
        go.set()
        results = await asyncio.gather(*calls)
    assert {result.text for result in results} == {f"noted {n}" for n in range(20)}
    assert len(tool.written) == 20
    assert execute(postgres, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").scalar() == 0


async def test_calls_that_are_broken_off_leave_no_lock(postgres):
    tool, go = KnowingNoteTool(), asyncio.Event()
    first, second = EffectLedger(postgres), EffectLedger(postgres)
    for wait_s in (0, 0.001, 0.01, 0.3):
        calls = [asyncio.create_task(have(ledger, tool, 1, go)) for ledger in (first, second)]
        await asyncio.sleep(wait_s)
        for broken in calls:
            broken.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    go.set()
    async with asyncio.timeout(120):
        for ledger in (second, first):
            assert (await have(ledger, tool, 1, go)).text == "noted 1"
    assert len(tool.written) == 1


async def test_another_key_loses_unfinished_turns_of_a_file_alone(tmp_path, caplog):
    def ask(secret, chat):
        settings = Settings(
            data=tmp_path, guard={"sufficient_at": 0.0, "quoted_at": 0.0}, ledger={"session_secret": secret}
        )
        return open_asker(OneShelf(), letter_models(), chat, settings, tmp_path / "sessions.db")

    for turns, secret in enumerate(["", SECRET, SECRET, SECRET[::-1]]):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            asker = with_letters(await ask(secret, ScriptedChat(GOOD)))
        said = "key of the sessions" in caplog.text
        assert said == (turns in (1, 3))
        assert isinstance((await events_of(asker, QUESTION))[-1], Finished)
        assert len(await asker.history("ann", "s")) == turns + 1
        await asker.close()


async def test_on_a_server_another_key_is_refused_until_it_is_changed_on_purpose(postgres_server, tmp_path):
    url = postgres_server.new_database()

    async def ask(secret):
        ledger = {"url": url, "password": PASSWORD, "sessions": True, "session_secret": secret}
        settings = Settings(data=tmp_path, guard={"sufficient_at": 0.0, "quoted_at": 0.0}, ledger=ledger)
        asker = await open_asker(
            OneShelf(), letter_models(), ScriptedChat(GOOD), settings, tmp_path / "sessions.db"
        )
        last = (await events_of(with_letters(asker), QUESTION))[-1]
        turns = len(await asker.history("ann", "s"))
        await asker.close()
        return last, turns

    assert (await ask(SECRET))[1] == 1
    for other in ("", SECRET[::-1]):
        with pytest.raises(SettingsError, match="session_secret") as caught:
            await ask(other)
        assert "ATTEST_LEDGER__SESSION_SECRET" in caught.value.remedy
    assert (await ask(SECRET))[1] == 2
    with open_server(url, PASSWORD).begin() as connection:
        connection.execute(text(re.search(r"TRUNCATE [\w, ]+", caught.value.remedy)[0]))
    last, turns = await ask(SECRET[::-1])
    assert isinstance(last, Finished) and turns == 3


async def test_a_server_that_does_not_answer_is_said_so(tmp_path):
    ledger = {"url": f"postgresql://ann@/gone?host={tmp_path}", "sessions": True, "session_secret": SECRET}
    with pytest.raises(StoreError, match="does not answer"):
        await open_asker(
            OneShelf(), letter_models(), ScriptedChat(), Settings(data=tmp_path, ledger=ledger), tmp_path / "s.db"
        )


async def test_a_short_secret_is_refused(tmp_path):
    short = Settings(data=tmp_path, ledger={"session_secret": "short"})
    with pytest.raises(SettingsError, match="session_secret"):
        await open_asker(OneShelf(), letter_models(), ScriptedChat(), short, tmp_path / "sessions.db")
