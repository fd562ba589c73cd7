"""Checkpoints are signed: what was changed outside is refused, and said so; and they stay short."""

import sqlite3
import stat

import pytest

from agents.events import ApprovalNeeded, Failed, Finished
from agents.signing import read_key
from agents.tools.approvals import Decision
from core.errors import StoreError, TamperedError
from tests.agents.doubles import ScriptedChat
from tests.agents.test_graph import GOOD, QUESTION, OneShelf, events_of
from tests.agents.test_tool_route import answer_of, decide, opened  # noqa: F401
from tests.agents.tools.doubles import KnowingNoteTool

pytestmark = pytest.mark.anyio


def change(folder, statement, *values):
    with sqlite3.connect(folder / "sessions.db") as connection:
        assert connection.execute(statement, values).rowcount > 0


async def refused(asker, session="s"):
    failed = (await events_of(asker, "What is 2+2?", session=session))[-1]
    return isinstance(failed, Failed) and failed.code == "tampered"


@pytest.mark.parametrize(
    ("statement", "old", "new"),
    [
        ("UPDATE checkpoints SET checkpoint = CAST(replace(checkpoint, ?, ?) AS BLOB)", b"default", b"private"),
        ("UPDATE checkpoints SET type = ? || substr(?, 1, 0)", "json", "x"),
        ("UPDATE checkpoints SET checkpoint = CAST(substr(checkpoint, 33) || substr(?, 1, 0) || substr(?, 1, 0) AS BLOB)", "", ""),
    ],
)
async def test_a_changed_checkpoint_is_refused(tmp_path, opened, statement, old, new):  # noqa: F811
    asker = await opened()
    assert isinstance((await events_of(asker, "What is 1+1?"))[-1], Finished)
    change(tmp_path, statement, old, new)
    assert await refused(asker)
    assert await asker.forget("ann", "s")
    assert isinstance((await events_of(asker, "What is 1+1?"))[-1], Finished)


async def test_a_checkpoint_of_another_session_is_refused(tmp_path, opened):  # noqa: F811
    asker = await opened()
    for session in ("s", "t"):
        await events_of(asker, "What is 1+1?", session=session)
    with sqlite3.connect(tmp_path / "sessions.db") as connection:
        [one, other] = [row[0] for row in connection.execute("SELECT DISTINCT thread_id FROM checkpoints")]
    change(tmp_path, "DELETE FROM checkpoints WHERE thread_id = ?", one)
    change(tmp_path, "UPDATE checkpoints SET thread_id = ? WHERE thread_id = ?", one, other)
    assert [await refused(asker, session) for session in ("s", "t")].count(True) == 1


async def test_a_forged_decision_is_refused(tmp_path, opened):  # noqa: F811
    asker = await opened(tool := KnowingNoteTool())
    [needed] = [e for e in await events_of(asker, "/note a") if isinstance(e, ApprovalNeeded)]
    change(tmp_path, "UPDATE writes SET value = ?", b"\xc3")
    with pytest.raises(TamperedError):
        await decide(asker, needed.id, Decision.APPROVED)
    assert tool.written == []


async def test_checkpoints_stay_short_over_many_turns(tmp_path, opened):  # noqa: F811
    asker = await opened(chat=ScriptedChat(*[GOOD] * 20), shelf=OneShelf())
    for _ in range(10):
        assert answer_of(await events_of(asker, QUESTION)).route == "search"
        assert answer_of(await events_of(asker, "/calculate 1+1\n/calculate 2+2")).route == "tool"
    with sqlite3.connect(tmp_path / "sessions.db") as connection:
        counted = connection.execute("SELECT count(*), sum(length(checkpoint)) FROM checkpoints").fetchone()
    assert counted[0] == 1 and counted[1] < 200_000


def test_the_key_is_its_users_alone_and_made_once(tmp_path):
    path = tmp_path / "sessions.key"
    key, is_new = read_key(path)
    assert is_new and read_key(path) == (key, False) and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["sessions.key"]
    for damage in ("zz", "abcd", ""):
        path.write_text(damage)
        with pytest.raises(StoreError, match=r"sessions\.key"):
            read_key(path)
