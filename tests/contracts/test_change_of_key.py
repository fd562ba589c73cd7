"""What sessions have stored is signed with another key: in a file and on a server, whole or not at all."""

import signal
import subprocess
import sys

import pytest

from agents.asker import Decided, open_asker
from agents.change_of_key import Refused, change_key
from agents.events import ApprovalNeeded, Failed, Finished
from agents.sessions import thread_id
from agents.signing import key_of
from agents.tools.approvals import Approvals, Decision
from agents.tools.audit import ToolAudit
from agents.tools.effects import EffectLedger
from agents.tools.invoker import ToolInvoker
from agents.tools.registry import ToolRegistry
from core.database import open_sessions
from core.errors import SettingsError
from core.settings import Settings
from core.settings_tools import ToolSettings
from tests.agents.doubles import ScriptedChat, letter_models, with_letters
from tests.agents.test_graph import GOOD, QUESTION, OneShelf, events_of
from tests.agents.tools.doubles import KnowingNoteTool
from tests.contracts.test_sessions import execute
from tests.postgres_server import PASSWORD

pytestmark = pytest.mark.anyio
OLD, NEW = "0123456789abcdef" * 2, "fedcba9876543210" * 2
KILLED = """
import os, pathlib, signal, sys
from sqlalchemy import event
from agents.change_of_key import change_key
from agents.signing import key_of
from core.database import open_database, open_server
place, password, old, new, last = sys.argv[1:]
engine = open_server(place, password) if password else open_database(pathlib.Path(place))
left = int(last)
@event.listens_for(engine, "after_cursor_execute")
def die(connection, cursor, statement, *more):
    global left
    left -= statement.startswith("UPDATE")
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
change_key(engine, key_of(old), key_of(new))
"""


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request):
    """The settings of where sessions lie, without the secret."""
    if request.param == "sqlite":
        return {}
    url = request.getfixturevalue("postgres_server").new_database()
    return {"url": url, "password": PASSWORD, "sessions": True}


@pytest.fixture
async def opened(ledger, tmp_path):
    """Opens askers with a secret; several stand for several processes."""
    askers = []

    async def opener(secret, *tools, chat=None):
        settings = Settings(
            data=tmp_path,
            guard={"sufficient_at": 0.0, "quoted_at": 0.0},
            ledger={**ledger, "session_secret": secret},
        )
        file = tmp_path / "sessions.db"
        asker = await open_asker(OneShelf(), letter_models(), chat or ScriptedChat(), settings, file)
        engine = asker._graph.checkpointer.engine
        effects, approvals = EffectLedger(engine), Approvals(engine)
        asker.use_tools(
            ToolInvoker(ToolRegistry(tools, None), ToolAudit(engine, 30), effects, approvals, ToolSettings())
        )
        askers.append(with_letters(asker))
        return asker

    yield opener
    for asker in askers:
        await asker.close()


@pytest.fixture
def engine(ledger, tmp_path):
    engine = open_sessions(Settings(data=tmp_path, ledger=ledger), tmp_path / "sessions.db")
    yield engine
    engine.dispose()


async def waiting_sessions(opened, tool, *sessions):
    """Sessions that wait for an approval: their checkpoints, and the results beside them, are needed still."""
    asker = await opened(OLD, tool)
    found = {}
    for session in sessions:
        events = await events_of(asker, f"/note {session}", session=session)
        [found[session]] = [event.id for event in events if isinstance(event, ApprovalNeeded)]
    await asker.close()
    return found


async def approve(asker, approval):
    decided = Decided("ann", "reader", approval, Decision.APPROVED)
    return [event async for event in asker.decide(decided)][-1]


async def test_what_waits_goes_on_with_the_new_key(opened, engine):
    tool = KnowingNoteTool()
    waiting = await waiting_sessions(opened, tool, "s", "t")
    done = change_key(engine, key_of(OLD), key_of(NEW))
    assert done.checkpoints >= 2 and done.results >= 2 and done.sessions == 2
    assert done.refused == () and not done.is_done
    asker = await opened(NEW, tool)
    for approval in waiting.values():
        assert isinstance(await approve(asker, approval), Finished)
    assert len(tool.written) == 2
    assert change_key(engine, key_of(OLD), key_of(NEW)).is_done


async def test_what_was_changed_from_outside_is_named_and_stays_refused(opened, engine):
    tool = KnowingNoteTool()
    waiting = await waiting_sessions(opened, tool, "s", "t", "u")
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    forged = f"UPDATE checkpoints SET checkpoint = {mark} WHERE thread_id = {mark}"
    execute(engine, forged, (b"forged", thread_id("ann", "t")))
    # One of another session, signed as it is.
    [stored] = execute(
        engine,
        f"SELECT checkpoint FROM checkpoints WHERE thread_id = {mark} ORDER BY checkpoint_id DESC LIMIT 1",
        (thread_id("ann", "s"),),
    ).scalars()
    execute(engine, forged, (bytes(stored), thread_id("ann", "u")))
    done = change_key(engine, key_of(OLD), key_of(NEW))
    assert {*done.refused} == {Refused(thread_id("ann", name), "ann", name) for name in "tu"}
    assert done.sessions == 1
    asker = await opened(NEW, tool)
    assert isinstance(await approve(asker, waiting["s"]), Finished)
    for session in "tu":
        failed = (await events_of(asker, "What is 1+1?", session=session))[-1]
        assert isinstance(failed, Failed) and failed.code in ("tampered", "conflict")
    assert len(tool.written) == 1


@pytest.mark.parametrize("last", [1, 3])
async def test_a_kill_in_its_middle_leaves_all_as_it_was(opened, engine, ledger, tmp_path, last):
    tool = KnowingNoteTool()
    waiting = await waiting_sessions(opened, tool, "s", "t")
    place = [ledger["url"], PASSWORD] if ledger else [str(tmp_path / "sessions.db"), ""]
    killed = subprocess.run([sys.executable, "-c", KILLED, *place, OLD, NEW, str(last)], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    asker = await opened(OLD, tool)
    assert isinstance(await approve(asker, waiting["s"]), Finished)
    await asker.close()
    assert change_key(engine, key_of(OLD), key_of(NEW)).refused == ()
    assert isinstance(await approve(await opened(NEW, tool), waiting["t"]), Finished)


async def test_a_process_that_still_runs_with_the_old_key_stores_nothing(opened, engine):
    running = await opened(OLD, chat=ScriptedChat(GOOD, GOOD, GOOD))
    assert isinstance((await events_of(running, QUESTION))[-1], Finished)
    change_key(engine, key_of(OLD), key_of(NEW))
    failed = (await events_of(running, QUESTION))[-1]
    assert isinstance(failed, Failed) and failed.code in ("bad_settings", "tampered")
    fresh = (await events_of(running, QUESTION, session="other"))[-1]
    assert isinstance(fresh, Failed) and fresh.code == "bad_settings"
    after = await opened(NEW, chat=ScriptedChat(GOOD, GOOD))
    for session in ("s", "other"):
        assert isinstance((await events_of(after, QUESTION, session=session))[-1], Finished)


async def test_a_wrong_old_key_is_refused(opened, engine):
    await waiting_sessions(opened, KnowingNoteTool(), "s")
    with pytest.raises(SettingsError, match="another key"):
        change_key(engine, key_of("x" * 32), key_of(NEW))
    assert change_key(engine, key_of(OLD), key_of(NEW)).sessions == 1
