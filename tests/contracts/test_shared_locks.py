"""Locks among processes keep the same promises beside an SQLite file and on a PostgreSQL server: one holder a
name, and a process that dies, is closed or loses its connection holds nothing."""

import asyncio
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import create_engine, text

from core.database import open_database, open_server
from core.errors import StoreError
from core.shared_locks import HeldElsewhere, SharedLocks
from tests.postgres_server import PASSWORD

HOLDER = """
import sys, time
from core.database import open_database, open_server
from core.shared_locks import SharedLocks
place, password = sys.argv[1:]
engine = open_server(place, password) if password else open_database(__import__("pathlib").Path(place))
locks = SharedLocks(engine)
print(locks.try_take("a") and locks.try_take("b"), flush=True)
time.sleep(600)
"""


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request, tmp_path):
    """Opens one database any number of times, as processes do; and says where it is."""
    engines = []
    is_file = request.param == "sqlite"
    place = str(tmp_path / "s.db") if is_file else request.getfixturevalue("postgres_server").new_database()

    def opener():
        engines.append(open_database(tmp_path / "s.db") if is_file else open_server(place, PASSWORD))
        return engines[-1]

    opener.arguments = [place, "" if is_file else PASSWORD]
    yield opener
    for engine in engines:
        engine.dispose()


def taken_at_last(locks, name):
    """Whether it can be taken in the seconds that a server needs to notice that a client is gone."""
    ends = time.monotonic() + 120
    while not (taken := locks.try_take(name)) and time.monotonic() < ends:
        time.sleep(0.05)
    return taken


def test_each_name_is_held_once(opened):
    ours, theirs = SharedLocks(opened()), SharedLocks(opened())
    assert ours.try_take("a") and ours.try_take("b")
    assert not ours.try_take("a") and not theirs.try_take("a")
    assert ours.is_held("a") and not theirs.is_held("a")
    ours.free("a")
    ours.free("a")
    assert not ours.is_held("a") and theirs.try_take("a") and not theirs.try_take("b")
    theirs.free("b")
    assert not theirs.try_take("b")


def test_a_process_that_is_killed_holds_nothing(opened):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, *opened.arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "True\n"
        locks = SharedLocks(opened())
        assert not locks.try_take("a") and not locks.try_take("b")
        holder.send_signal(signal.SIGKILL)
        holder.wait(120)
        assert taken_at_last(locks, "a") and taken_at_last(locks, "b")
    finally:
        holder.kill()
        holder.wait(120)
        holder.stdout.close()


def test_they_are_given_back_when_the_engine_is_closed(opened):
    engine, other = opened(), SharedLocks(opened())
    assert SharedLocks(engine).try_take("a") and not other.try_take("a")
    engine.dispose()
    assert taken_at_last(other, "a")


def test_they_can_be_closed_and_taken_again(opened):
    ours, theirs = SharedLocks(opened()), SharedLocks(opened())
    assert ours.try_take("a")
    ours.close()
    assert not ours.is_held("a") and taken_at_last(theirs, "a")
    theirs.free("a")
    assert ours.try_take("a")


@pytest.mark.anyio
async def test_one_is_alone_among_all_processes_and_within_one(opened):
    inside, most = 0, 0

    async def enter(locks):
        nonlocal inside, most
        async with locks.alone("a"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1

    processes = [SharedLocks(opened()) for _ in range(3)]
    async with asyncio.timeout(120):
        await asyncio.gather(*(enter(locks) for locks in processes for _ in range(4)))
    assert most == 1
    assert SharedLocks(opened()).try_take("a")


@pytest.mark.anyio
async def test_who_waits_too_long_is_told_and_takes_nothing(opened):
    ours, theirs = SharedLocks(opened()), SharedLocks(opened())
    assert theirs.try_take("a")
    with pytest.raises(HeldElsewhere):
        async with ours.alone("a", longest_wait_s=0):
            pytest.fail("it was held")
    theirs.free("a")
    async with ours.alone("a", longest_wait_s=0):
        assert ours.is_held("a") and not theirs.try_take("a")


def test_a_connection_that_was_lost_is_opened_anew_without_its_locks(postgres):
    ours, theirs = SharedLocks(postgres), SharedLocks(postgres)
    assert ours.try_take("a") and ours.try_take("c")
    with postgres.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
    assert theirs.try_take("a")
    assert not ours.is_held("c")
    ours.free("a")
    assert not ours.try_take("a") and ours.try_take("b")


def test_server_is_given_back_its_connection(postgres_server):
    url = postgres_server.new_database()
    closed, other = open_server(url, PASSWORD), open_server(url, PASSWORD)
    assert SharedLocks(closed).try_take("a")
    closed.dispose()
    with other.connect() as connection:
        found = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        for _ in range(2400):
            if (left := connection.scalar(text(found))) == 1:
                break
            connection.rollback()
            time.sleep(0.05)
    assert left == 1
    other.dispose()


def test_what_is_free_leaves_no_file(tmp_path):
    locks = SharedLocks(open_database(tmp_path / "s.db"))
    assert locks.try_take("a/../b\x00\ud800")
    assert len(list((tmp_path / "s.db.locks").iterdir())) == 1
    locks.free("a/../b\x00\ud800")
    assert list((tmp_path / "s.db.locks").iterdir()) == []


def test_a_file_that_a_dead_process_left_is_no_lock(tmp_path):
    first = SharedLocks(open_database(tmp_path / "s.db"))
    assert first.try_take("a")
    [left] = (tmp_path / "s.db.locks").iterdir()
    first.free("a")
    left.touch()
    assert first.try_take("a")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "s.db.locks").write_text("in the way")
    with pytest.raises(StoreError, match="lock") as caught:
        SharedLocks(open_database(tmp_path / "s.db")).try_take("a")
    assert "rights" in caught.value.remedy


def test_a_database_in_memory_has_locks_of_its_own():
    ours, theirs = (SharedLocks(create_engine("sqlite://")) for _ in range(2))
    assert ours.try_take("a") and theirs.try_take("a") and not ours.try_take("a")
