"""Sessions keep the same promises in a file and beside a ledger on PostgreSQL: they outlive the process,
stay short, and are their owner's alone; what was changed from outside is refused."""

import asyncio

import pytest

from agents.asker import Decided, open_asker
from agents.events import ApprovalNeeded, Failed, Finished
from agents.tools.approvals import Approvals, Decision
from agents.tools.audit import ToolAudit
from agents.tools.effects import EffectLedger
from agents.tools.invoker import ToolInvoker
from agents.tools.registry import ToolRegistry
from agents.tools.tool import ToolResult
from core.database import open_sessions
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


async def test_two_processes_that_run_the_same_call_have_its_effect_once(postgres):
    tool, begun, go = KnowingNoteTool(), asyncio.Event(), asyncio.Event()

    async def run():
        begun.set()
        await go.wait()
        return await tool.run(arguments, which)

    arguments, which = NoteArguments(text="a"), call(key="k")
    first, second = EffectLedger(postgres), EffectLedger(postgres)
    one = asyncio.create_task(first.once(tool, arguments, which, run))
    await begun.wait()
    other = asyncio.create_task(second.once(tool, arguments, which, run))
    await asyncio.sleep(0.5)
    go.set()
    results = await asyncio.gather(one, other)
    assert results == [ToolResult("noted a", {"count": 1})] * 2 and len(tool.written) == 1


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
