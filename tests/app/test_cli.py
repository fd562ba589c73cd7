"""The commands: pure JSON on stdout, messages and exit codes, quick help."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.events import Failed, Finished, SentenceReleased
from app.cli import backend as backend_module
from app.cli.asking import _answer
from app.cli.backend import IngestJob, Query, Question, open_backend
from app.cli.frame import opened_backend
from app.cli.http_backend import HttpBackend
from app.cli.local_backend import LocalBackend
from app.cli.main import app
from app.cli.output import WIDTH, Output, _columns, wrap
from app.server_record import ServerRecord, write_record
from app.serving import bind_port
from core.errors import AccessError, ConflictError, InputError, NotFoundError, ServiceError
from core.types import Answer, Status
from tests.app.fakes import ANSWER, SENTENCE, TOKEN

ROOT = Path(__file__).parents[2]
HEAVY = {"pymilvus", "numpy", "langgraph", "fastapi", "openai", "streamlit", "sqlalchemy", "unstructured"}


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from app.cli.main import app\n"
        "try: app(['--help'])\n"
        "finally: print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    loaded = {name.strip("'[] ").partition(".")[0] for name in done.stderr.split(",")}
    assert "typer" in loaded
    assert not loaded & HEAVY


def test_a_command_closes_what_it_opened_however_it_ends(tmp_path):
    """A local store has one owner: left open, it would keep the next command out."""
    for _ in range(2):
        with pytest.raises(NotFoundError), opened_backend(tmp_path / "data", None) as backend:
            backend.documents("none", None)
        command = ["-c", "from app.cli.main import run; run()", "collections", "list", "--json", "--data"]
        done = subprocess.run(
            [sys.executable, *command, str(tmp_path / "data")], cwd=ROOT, capture_output=True, text=True
        )
        assert json.loads(done.stdout) == {"collections": []}, done.stderr


def test_searching_imports_no_server_and_no_parser():
    code = (
        "import sys; import app.library, app.cli.local_backend, retrieval.retriever, retrieval.store\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "retrieval" in loaded
    assert not loaded & {"langgraph", "fastapi", "unstructured", "streamlit", "openai"}


@pytest.mark.parametrize(
    "command",
    [
        "init", "doctor", "ingest", "search", "ask", "chat", "serve", "ui", "up", "documents list",
        "documents show", "documents edit", "documents delete", "documents failed", "documents duplicates", "collections list", "collections create",
        "collections delete", "models list", "models fetch", "models verify", "keys create", "keys list",
        "keys revoke", "faq list", "faq add", "batch", "mcp", "sessions change-secret",
        "faq delete", "faq suggest", "feedback rate", "feedback cases", "feedback export", "eval retrieval", "eval answers", "compare",
    ],
)  # fmt: skip
def test_help_names_the_exit_codes_and_fits_80_columns(invoke, command):
    result = invoke(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Exit codes: 0" in result.stdout
    assert max(map(_columns, result.stdout.splitlines())) <= WIDTH


class TestChangeSecret:
    """`attest sessions change-secret`; what it does to sessions is shown beside the databases."""

    old, new = "0123456789abcdef" * 2, "fedcba9876543210" * 2

    def change(self, stdin, *arguments):
        return CliRunner().invoke(app, ["sessions", "change-secret", *arguments], input=stdin)

    def test_it_says_how_much_it_signed_and_when_nothing_is_left(self, invoke, monkeypatch):
        monkeypatch.setenv("ATTEST_LEDGER__SESSION_SECRET", self.old)
        first = json.loads(self.change(f"{self.new}\n", "--json").stdout)
        assert first["changed"] and first["refused"] == []
        assert (first["checkpoints"], first["results"], first["sessions"]) == (0, 0, 0)
        again = self.change(f"{self.new}\n")
        assert again.exit_code == 0 and "already" in again.stdout
        assert self.new not in again.stdout

    @pytest.mark.parametrize(
        ("old", "stdin", "words"),
        [("", new, "ATTEST_LEDGER__SESSION_SECRET"), (old, old, "is the old one"), (old, "short", "5 characters"),
         (old, "", "0 characters"), ("short", new, "5 characters")],
    )  # fmt: skip
    def test_what_cannot_be_is_told(self, invoke, monkeypatch, old, stdin, words):
        monkeypatch.setenv("ATTEST_LEDGER__SESSION_SECRET", old)
        done = self.change(f"{stdin}\n")
        assert done.exit_code == 2 and words in " ".join(done.stderr.split())

    def test_a_row_that_was_changed_is_named_with_its_thread(self, invoke, monkeypatch):
        monkeypatch.setenv("ATTEST_LEDGER__SESSION_SECRET", self.old)
        self.change(f"{self.new}\n")
        with sqlite3.connect("data/sessions.db") as connection:
            connection.execute("INSERT INTO checkpoints VALUES ('abc', '', '1', NULL, 'msgpack', 'text', x'')")
        monkeypatch.setenv("ATTEST_LEDGER__SESSION_SECRET", self.new)
        done = self.change(f"{self.old}\n")
        assert done.exit_code == 1 and "the thread abc" in done.stdout


def test_keys_are_made_listed_and_revoked(invoke):
    made = invoke("keys", "create", "--user", "li", "--group", "hr", "--role", "editor", "--json")
    key = json.loads(made.stdout)
    assert key["key"].startswith("attest_")
    assert (key["user"], key["groups"], key["role"]) == ("li", ["hr"], "editor")
    assert made.stderr == ""
    listed = invoke("keys", "list", "--json")
    assert key["key"] not in listed.stdout
    assert [row["id"] for row in json.loads(listed.stdout)["keys"]] == [key["id"]]
    assert json.loads(invoke("keys", "revoke", key["id"], "--json").stdout)["revoked"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code", "words"),
    [
        (("keys", "create", "--user", "a b"), 2, "bad_input", "'a b'"),
        (("keys", "create", "--user", "li", "--role", "king"), 2, "bad_input", "admin, editor, reader"),
        (("keys", "revoke", "nope"), 2, "not_found", "attest keys list"),
        (("search", "q", "--config", "none.toml"), 2, "bad_settings", "attest init"),
        (("models", "fetch", "nothing"), 2, "bad_input", "known:"),
        (("ask", "q", "--effort", "huge"), 2, "bad_input", "quick, standard, deep"),
        (("ingest", ".", "--meta", "oops"), 2, "bad_input", "k=v"),
        (("ui",), 3, "service_unavailable", "attest serve"),
    ],
)
def test_errors_name_the_thing_and_the_remedy(invoke, arguments, exit_code, code, words):
    result = invoke(*arguments, "--json")
    assert result.exit_code == exit_code
    error = json.loads(result.stdout)["error"]
    assert error["code"] == code
    assert words in f"{error['message']} {error['remedy']}"
    assert "Traceback" not in result.stderr
    for_people = invoke(*arguments)
    assert for_people.stdout == ""
    assert for_people.stderr.startswith("attest: ")


def test_init_writes_once_unless_forced(invoke, tmp_path):
    assert invoke("init").exit_code == 0
    assert "[milvus]" in (tmp_path / "attest.toml").read_text()
    assert invoke("init").exit_code == 2
    assert json.loads(invoke("init", "--force", "--json").stdout) == {"written": "attest.toml"}
    assert invoke("keys", "list").exit_code == 0


def test_doctor_says_what_is_missing(invoke, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTEST_CACHE", str(tmp_path / "none"))
    result = invoke("doctor", "--json")
    assert result.exit_code == 3
    report = json.loads(result.stdout)
    grades = {check["check"]: check["grade"] for check in report["checks"]}
    assert (report["healthy"], grades["embedder"], grades["chat model"]) == (False, "fault", "fault")
    assert "attest models fetch" in invoke("doctor").stdout


def test_doctor_sees_a_data_directory_that_others_can_read(invoke, tmp_path):
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data").chmod(0o755)
    checks = json.loads(invoke("doctor", "--json").stdout)["checks"]
    assert {"check": "data", "grade": "warning"}.items() <= checks[0].items()
    assert "chmod 700" in checks[0]["remedy"]


def test_a_busy_port_is_named_with_its_setting():
    with (
        bind_port("127.0.0.1", 0, "X") as taken,
        pytest.raises(ServiceError, match=rf"{taken.getsockname()[1]}.*--port or X") as caught,
    ):
        bind_port("127.0.0.1", taken.getsockname()[1], "X")
    assert str(caught.value).count("127.0.0.1") == 1


def test_the_same_dictionaries_come_from_the_process_and_from_the_api(services, live_url, tmp_path):
    local = LocalBackend(services.settings, services)
    remote = HttpBackend(live_url, TOKEN)
    (tmp_path / "a.md").write_text("x")
    job = IngestJob((tmp_path / "a.md", tmp_path / "none.md"), "default")
    for call in (
        lambda b: b.search(Query("年假", "default", ["hr"], 3, {"kind": ["text"]})),
        lambda b: b.documents("default", None),
        lambda b: b.documents("default", ["li"]),
        lambda b: b.edit_document("default", "/docs/a.md", {"readers": ["hr"], "meta": {"a": "b"}}, ["li"]),
        lambda b: b.document("default", "/docs/hr.md", None),
        lambda b: b.delete_document("default", "/docs/a.md", None),
        lambda b: b.failures("default", None),
        lambda b: b.collections(None),
        lambda b: {**b.ingest(job, lambda _: None), "seconds": 0},
    ):
        assert call(local) == call(remote)
    for backend in (local, remote):
        with pytest.raises(NotFoundError, match="attest ingest"):
            backend.search(Query("q", "nowhere"))
        with pytest.raises(NotFoundError):
            backend.document("default", "nothing", None)
        with pytest.raises(ConflictError):
            backend.create_collection("default")
        with pytest.raises(InputError):
            backend.search(Query(" ", "default"))
    wrong = HttpBackend(live_url, "wrong")
    with pytest.raises(AccessError):
        wrong.collections(None)


async def test_the_same_events_come_from_the_process_and_from_the_api(services, live_url):
    question = Question("年假几天？", "default", ["hr"], "s1", "deep")
    remote = [pair async for pair in HttpBackend(live_url, TOKEN).ask(question)]
    local = [pair async for pair in LocalBackend(services.settings, services).ask(question)]
    assert [name for name, _ in local] == ["status", "retrieved", "sentence", "finished"]
    assert local == remote
    with pytest.raises(NotFoundError, match="nowhere"):
        async for _ in HttpBackend(live_url, TOKEN).ask(Question("q", "nowhere")):
            pass


class PlayedBackend:
    """Gives the events of a queue."""

    def __init__(self, *events) -> None:
        self.events = events

    async def ask(self, question):
        from app.rendering import render_event

        for event in self.events:
            yield event.name, render_event(event)


QUESTION = Question("年假几天？", "default")


async def test_an_answer_is_shown_with_marks_and_sources(capsys):
    backend = PlayedBackend(SentenceReleased(SENTENCE), Finished(ANSWER))
    answer = await _answer(backend, QUESTION, Output(False))
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["年假为15天。[1]", "", "Sources", "[1] 员工手册, page 3", "    /docs/handbook.md", "    “年假为15天。”"]
    assert answer["session_id"] == "s1"


async def test_an_abstention_says_what_was_looked_for(capsys):
    abstained = Answer("a", Status.ABSTAINED, "", looked_for=("年假", "leave"))
    await _answer(PlayedBackend(Finished(abstained)), QUESTION, Output(False))
    out = capsys.readouterr().out
    assert "do not hold the answer" in out
    assert "年假; leave" in out


async def test_with_json_nothing_is_printed_on_the_way(capsys):
    await _answer(PlayedBackend(SentenceReleased(SENTENCE), Finished(ANSWER)), QUESTION, Output(True))
    assert capsys.readouterr().out == ""


async def test_a_failed_turn_raises_the_error_of_its_code():
    failed = Failed("model_unavailable", "the model is gone", "run: attest doctor")
    with pytest.raises(ServiceError, match="attest doctor"):
        await _answer(PlayedBackend(failed), QUESTION, Output(False))


@pytest.mark.parametrize("words", [38, 40, 42, 44, 46])
def test_wrapping_tears_no_latin_word_beside_chinese(words):
    text = "年" * words + " Failed to load document (PDFium: Data format error). 请重新保存 it again " * 3
    wrapped = wrap(text, "  ")
    assert all(_columns(line) <= WIDTH for line in wrapped.splitlines())
    assert "".join(wrapped.split()) == "".join(text.split())
    assert re.findall(r"[!-~]+", wrapped) == re.findall(r"[!-~]+", text)


def test_wrapping_counts_chinese_as_two_columns():
    lines = wrap("年" * 100, "  ").splitlines()
    assert max(map(_columns, lines)) <= WIDTH
    assert "".join(line.strip() for line in lines) == "年" * 100


def test_a_stale_record_does_not_keep_a_command_from_opening_the_store(tmp_path):
    (tmp_path / "server.json").write_text('{"pid": 1, "url": "http://127.0.0.1:9", "token": "t"}')
    backend = backend_module.open_backend(tmp_path, None)
    assert isinstance(backend, LocalBackend)


@pytest.fixture
def served(live_url, tmp_path, services):
    """Runs a command over a data directory whose API runs."""
    services.paths.create()
    write_record(services.paths.server_record, ServerRecord(os.getpid(), live_url, TOKEN))
    place = ["--data", str(services.settings.data)]
    return lambda *arguments, typed="": CliRunner().invoke(app, [*arguments, *place], input=typed)


def test_flags_of_one_ingest_stand_over_the_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    backend = open_backend(tmp_path / "data", None, {"workers": 3, "engine": "ray"})
    used = backend._services.settings.ingest
    assert (used.workers, used.engine, used.chunk_tokens) == (3, "ray", 220)


def test_a_running_api_ingests_by_its_own_settings(served, tmp_path):
    result = served("ingest", str(tmp_path), "--workers", "3", "--engine", "local")
    assert result.exit_code == 2
    told = " ".join(result.stderr.split())
    assert "--workers, --engine" in told and "ingest.workers" in told, "and says so"


def test_a_chat_goes_on_in_its_session_until_an_empty_line(served, asker):
    result = served("chat", "--reader", "hr", typed="年假几天？\n那病假呢？\n\n")
    assert result.exit_code == 0
    assert [ask.question for ask in asker.asked] == ["年假几天？", "那病假呢？"]
    assert [ask.session_id for ask in asker.asked] == ["", "s1"]
    assert "attest chat --session s1" in result.stderr


def test_a_question_is_answered_as_json_and_for_people(served, asker):
    assert json.loads(served("ask", "年假几天？", "--json").stdout)["session_id"] == "s1"
    assert "年假为15天。[1]" in served("ask", "年假几天？").stdout
    asker.events = [ServiceError("the model is gone", remedy="run: attest doctor")]
    failed = served("ask", "年假几天？")
    assert failed.exit_code == 3 and "the model is gone" in failed.stderr


def test_lists_and_deletions_for_people(served, ingestor):
    assert "/docs/a.md; done, 2 chunks, for everyone" in served("documents", "list").stdout
    assert "uri: /docs/a.md" in served("documents", "show", "/docs/a.md").stdout
    edited = served("documents", "edit", "/docs/a.md", "--share", "hr", "--meta", "year=2026", "--json")
    assert json.loads(edited.stdout)["meta"] == {"year": "2026"}
    assert [served("documents", "edit", "/docs/a.md", *wrong).exit_code for wrong in ([], ["--meta", "x"])] == [2, 2]
    assert served("documents", "failed").stdout == "No failures.\n"
    assert served("documents", "delete", "/docs/a.md").stdout == "deleted /docs/a.md\n"
    assert served("collections", "create", "new").stdout == "created new\n"
    assert "default: 2 documents, 4 chunks" in served("collections", "list").stdout
    assert served("collections", "delete", "default", "--yes").stdout == "deleted default\n"
