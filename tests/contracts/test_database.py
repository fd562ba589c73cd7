"""What else shares the ledger's database, over SQLite and over PostgreSQL."""

import multiprocessing
import threading
import time
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from app.keys import KeyTable, Role
from core import database as core_database
from core.database import WriterLock, open_database, open_server, place_of
from core.errors import ConflictError, SettingsError, StoreError
from retrieval.lexical import Lexicon, encode_document
from tests.postgres_server import PASSWORD


class TestLexicon:
    def test_counts_follow_what_is_added_copied_and_removed(self, database):
        lexicon = Lexicon(database)
        texts = [encode_document("the valve of pump TM20"), encode_document("阀门 的 压力")]
        lexicon.add_documents("c", {"one": texts, "two": texts[:1]})
        lexicon.add_document("c", "one", texts)
        lexicon.copy_document("c", "two", "three")
        assert lexicon.count_chunks("c") == {"one": 2, "two": 1, "three": 1}
        assert lexicon.languages("c") == ("zh", "en")
        rare, common = lexicon.encode_query("c", "压力"), lexicon.encode_query("c", "valve")
        assert max(rare.values()) > max(common.values()) > 0
        lexicon.remove_document("c", "one")
        assert lexicon.languages("c") == ("en",)
        lexicon.drop_collection("c")
        assert lexicon.count_chunks("c") == {}

    def test_writers_of_the_same_words_do_not_block_each_other_for_ever(self, database):
        lexicon = Lexicon(database)
        words = [f"word{i}" for i in range(60)]
        both = [encode_document(" ".join(order)) for order in (words, words[::-1])]

        def write(name: str, chunk) -> None:
            for _ in range(5):
                lexicon.add_document("c", name, [chunk])

        threads = [threading.Thread(target=write, args=(str(i), both[i % 2])) for i in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert lexicon.count_chunks("c") == dict.fromkeys("0123", 1)
        with database.connect() as connection:
            found = connection.scalar(text("SELECT max(frequency) FROM lexical_terms"))
        assert found == 4


class TestKeys:
    def test_a_key_is_found_and_revoked(self, database):
        keys = KeyTable(database)
        key, info = keys.create("ann", ["hr"], Role.READER)
        assert keys.find(key) == info and keys.find("attest_other") is None
        with pytest.raises(ConflictError):
            keys.create("hr", [], Role.READER)
        keys.revoke(info.id)
        assert keys.find(key) is None and keys.any()


def hold(url: str, ready, over) -> None:
    with WriterLock(open_server(url, PASSWORD)):
        ready.set()
        over.wait(300)


class TestWriterLock:
    def test_a_thread_waits_for_the_other_and_may_enter_twice(self, database):
        lock, order = WriterLock(database, 0.01), []

        def work():
            with lock:
                order.append("other")

        with lock, lock:
            other = threading.Thread(target=work)
            other.start()
            time.sleep(0.1)
            order.append("mine")
        other.join()
        assert order == ["mine", "other"]

    def test_what_fails_within_gives_it_back(self, database):
        lock = WriterLock(database, 0.01)
        with pytest.raises(RuntimeError), lock:
            raise RuntimeError
        with lock:
            pass

    @pytest.mark.slow
    def test_another_process_waits_until_the_first_one_dies(self, postgres_server):
        url = postgres_server.new_database()
        processes = multiprocessing.get_context("spawn")
        ready, over = processes.Event(), processes.Event()
        other = processes.Process(target=hold, args=(url, ready, over))
        other.start()
        assert ready.wait(120)
        entered = threading.Event()

        def enter():
            with WriterLock(open_server(url, PASSWORD), 0.05):
                entered.set()

        waiting = threading.Thread(target=enter)
        waiting.start()
        assert not entered.wait(0.3)
        other.kill()
        assert entered.wait(60)
        waiting.join()
        other.join()

    def test_a_lock_that_was_lost_on_the_way_is_told(self, postgres):
        with pytest.raises(StoreError, match="broke") as caught, WriterLock(postgres), postgres.begin() as c:
            c.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
        assert "verify --repair" in caught.value.remedy


def test_that_all_connections_are_in_use_is_told(request, monkeypatch, tmp_path):
    monkeypatch.setattr(core_database, "POOL_TIMEOUT_S", 0.05)
    server = request.getfixturevalue("postgres_server").new_database()
    for engine in (open_database(tmp_path / "a.db"), open_server(server, PASSWORD)):
        with ExitStack() as stack, pytest.raises(StoreError, match="all 15 connections") as caught:
            for _ in range(16):
                stack.enter_context(engine.connect())
        assert "attest doctor" in caught.value.remedy
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
        engine.dispose()


class TestServer:
    @pytest.mark.parametrize(
        ("url", "word"),
        [
            ("nonsense", "not an address"),
            ("mysql://a@b/c", "mysql, which is not supported"),
            ("postgresql://a:secret@b/c", "holds a password"),
            ("postgresql://a@b/c?password=secret", "holds a password"),
            ("postgresql://a@b/c?sslmode=require&sslpassword=secret", "holds a password"),
            ("postgresql://a@b:port/c", "is not an address"),
        ],
    )
    def test_an_address_that_cannot_be_used(self, url, word):
        with pytest.raises(SettingsError, match=word) as caught:
            open_server(url)
        assert "secret" not in str(caught.value)

    def test_a_server_that_does_not_answer_is_named_without_its_password(self):
        engine = open_server("postgresql://ann@127.0.0.1:1/attest", "secret")
        with pytest.raises(StoreError, match="127.0.0.1:1/attest does not answer") as caught:
            engine.connect()
        assert "secret" not in str(caught.value)

    def test_a_wrong_password_and_a_broken_connection_are_told(self, postgres_server, postgres):
        with pytest.raises(StoreError, match="password authentication failed"):
            open_server(postgres_server.new_database(), "wrong").connect()
        with pytest.raises(StoreError, match="terminating connection"), postgres.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        with postgres.connect() as connection:
            assert connection.scalar(text("SHOW synchronous_commit")) == "on"

    def test_places(self, tmp_path):
        assert place_of(open_database(tmp_path / "a.db")) == str(tmp_path / "a.db")
        assert place_of(open_server("postgresql+psycopg://ann@db/x", "secret")) == "postgresql://ann@db/x"
