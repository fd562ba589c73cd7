"""`attest batch`: rows of answers, what is wrong with lines, and runs that were broken off."""

import asyncio
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from agents.events import Finished
from app.batch_file import BatchOutput, read_lines
from app.cli.batching import STOP_AFTER, BatchRun
from app.cli.local_backend import LocalBackend
from app.cli.main import app
from app.cli.output import Output
from app.server_record import ServerRecord, write_record
from core.errors import ConflictError, InputError, ServiceError
from core.types import Status
from tests.app.fakes import ANSWER, TOKEN

ROOT = Path(__file__).parents[2]


class BusyAsker:
    """Answers each question by its own words, when `together` of them have been waiting at once. What
    stands in `down` fails by an outage."""

    def __init__(self) -> None:
        self.asked, self.forgotten, self.down = [], [], set()
        self.now, self.most, self.together = 0, 0, 1
        self.held_after = None
        """How many questions are answered; those after them wait until this is None."""

    async def ask(self, ask):
        self.asked.append(ask)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            number = len(self.asked)
            while self.held_after is not None and number > self.held_after:
                await asyncio.sleep(0.01)
            async with asyncio.timeout(120):
                while self.most < self.together:
                    await asyncio.sleep(0.005)
        finally:
            self.now -= 1
        if ask.question in self.down:
            raise ServiceError("the model is gone", remedy="start it")
        status = Status.WAITING if ask.question.startswith("/") else Status.ANSWERED
        yield Finished(replace(ANSWER, text=ask.question, status=status, session_id=f"of {ask.question}"))

    async def forget(self, owner, session_id):
        self.forgotten.append(session_id)
        return True

    async def close(self):
        pass


@pytest.fixture
def asker() -> BusyAsker:
    return BusyAsker()


@pytest.fixture
def batch(live_url, tmp_path, services):
    """Runs `attest batch` over an API that runs; gives the exit code, the summary and the rows."""
    services.paths.create()
    write_record(services.paths.server_record, ServerRecord(os.getpid(), live_url, TOKEN))
    out = tmp_path / "out.jsonl"

    def run(written: str | list, *flags: str):
        lines = written if isinstance(written, str) else "\n".join(json.dumps(row) for row in written)
        (tmp_path / "in.jsonl").write_text(lines, encoding="utf-8")
        words = ["batch", str(tmp_path / "in.jsonl"), str(out), "--json", *flags]
        done = CliRunner().invoke(app, [*words, "--data", str(services.settings.data)])
        return done.exit_code, json.loads(done.stdout), rows_of(out)

    return run


def rows_of(path: Path) -> list[dict]:
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def questions(count: int) -> list[dict]:
    return [{"id": f"q{n}", "question": f"question {n}"} for n in range(1, count + 1)]


def test_each_question_has_a_row_in_its_order_and_leaves_no_session(batch, asker):
    asker.together = 3
    written = [
        *questions(5),
        {"question": "年假几天？", "collection": "default", "effort": "deep", "policy": "strict"},
    ]
    code, summary, rows = batch(written, "--workers", "3", "--effort", "quick", "--reader", "hr")
    assert (code, summary["questions"], summary["answered"], summary["failed"]) == (0, 6, 6, 0)
    assert [row["id"] for row in rows] == ["q1", "q2", "q3", "q4", "q5", "6"]
    assert [row["line"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[5]["question"] == rows[5]["answer"]["text"] == "年假几天？"
    asks = {ask.question: ask for ask in asker.asked}
    assert (asks["question 1"].effort, asks["年假几天？"].effort) == ("quick", "deep")
    assert asks["年假几天？"].policy == "strict" and "hr" in asks["question 1"].scope.readers
    assert not any(ask.keep for ask in asker.asked), "nothing is remembered of whoever runs a batch"
    assert sorted(asker.forgotten) == sorted(f"of {question}" for question in asks)
    assert asker.most == 3


def test_what_waits_for_an_approval_keeps_its_session(batch, asker):
    _, summary, rows = batch([{"question": "/remember that x is y"}])
    assert (summary["waiting"], rows[0]["answer"]["status"], asker.forgotten) == (1, "waiting", [])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{broken", "no JSON object"),
        ("[1]", "dictionary"),
        ('{"id": "x"}', "question: Field required"),
        ('{"question": "  "}', "empty"),
        ('{"question": "q", "efort": "deep"}', "efort"),
        ('{"question": "q", "effort": "huge"}', "effort"),
        ('{"question": 7}', "question"),
        ('{"id": "q1", "question": "q"}', "that of line 1"),
        ("[" * 100_000, "no JSON object"),
    ],
)
def test_a_line_that_cannot_be_asked_is_named_and_the_others_go_on(batch, asker, line, words):
    code, summary, rows = batch(f'{{"id": "q1", "question": "one"}}\n\n{line}\n{{"question": "two"}}\n')
    assert (code, summary["answered"], summary["failed"]) == (1, 2, 1)
    assert [row["line"] for row in rows] == [1, 3, 4]
    error = rows[1]["error"]
    assert (
        error["code"] == "bad_input" and error["message"].startswith("line 3: ") and words in error["message"]
    )
    assert sorted(ask.question for ask in asker.asked) == ["one", "two"]
    # Mended it is asked, and nothing else is.
    code, summary, rows = batch(
        '{"id": "q1", "question": "one"}\n\n{"question": "mended"}\n{"question": "two"}\n'
    )
    assert (code, summary["asked"], summary["kept"]) == (0, 1, 2)
    assert [row["answer"]["text"] for row in rows] == ["one", "mended", "two"]


def test_nothing_answered_is_exit_code_2_and_says_why(batch, services, tmp_path):
    assert batch([{"question": "q", "collection": "nowhere"}])[0] == 2
    again = ["batch", str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), "--retry-failed"]
    done = CliRunner().invoke(app, [*again, "--data", str(services.settings.data)])
    assert done.exit_code == 2 and "line 1: there is no collection 'nowhere'" in done.stderr


def test_an_outage_stops_the_run_and_the_next_one_asks_again(batch, asker):
    asker.down = {f"question {n}" for n in range(3, 20)}
    code, told, rows = batch(questions(20), "--workers", "1")
    assert (code, told["error"]["code"]) == (3, "service_unavailable") and "goes on from here" in told[
        "error"
    ]["remedy"]
    assert [("answer" in row) for row in rows] == [True, True] + [False] * STOP_AFTER
    asker.asked.clear()
    asker.down = set()
    code, summary, rows = batch(questions(20))
    assert (code, summary["asked"], summary["kept"]) == (0, 18, 2)
    assert [row["answer"]["text"] for row in rows] == [f"question {n}" for n in range(1, 21)]
    assert len(asker.asked) == 18


def test_what_was_refused_is_asked_again_only_when_that_is_wanted(batch, services):
    written = [{"question": "one"}, {"question": "two", "collection": "later"}]
    assert batch(written)[0] == 1
    services.store().open_collection("later")
    assert batch(written)[1]["asked"] == 0
    code, summary, rows = batch(written, "--retry-failed")
    assert (code, summary["asked"], len(rows)) == (0, 1, 2)


def test_answers_to_other_questions_are_not_mixed_in(batch, tmp_path):
    batch(questions(2))
    before = (tmp_path / "out.jsonl").read_bytes()
    for other in ([{"id": "q1", "question": "another"}], questions(1)):
        code, told, _ = batch(other)
        assert (code, told["error"]["code"]) == (2, "conflict")
        assert (tmp_path / "out.jsonl").read_bytes() == before
    assert batch(questions(2), "--effort", "deep")[0] == 2, "another effort is another question"
    assert batch(questions(3))[1]["asked"] == 1, "lines may be added"


NO_ROWS = [
    '{"line": Infinity, "digest": "d", "answer": {"status": "answered"}}\n',
    '{"line": 1.5, "digest": "d", "answer": {"status": "answered"}}\n',
    '{"line": 1, "digest": "d", "answer": {"status": ["x"]}}\n',
    '{"line": 1, "digest": ["d"], "answer": {"status": "answered"}}\n',
    '{"line": 1, "digest": "d", "error": "gone"}\n',
]


@pytest.mark.parametrize("content", ['{"question": "q"}\n', "notes", '{"line": 1}\n', "\n", *NO_ROWS])
def test_a_file_that_is_something_else_stays_as_it_is(tmp_path, content):
    path = tmp_path / "out.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match="no row of attest batch"):
        BatchOutput(path)
    assert path.read_text() == content


def test_a_folder_that_is_not_there_and_a_second_run_are_told(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        BatchOutput(tmp_path / "none" / "out.jsonl")
    with pytest.raises(InputError, match="cannot be read"):
        read_lines(tmp_path / "none.jsonl", {})
    with closing(BatchOutput(tmp_path / "out.jsonl")), pytest.raises(ConflictError, match="another run"):
        BatchOutput(tmp_path / "out.jsonl")
    BatchOutput(tmp_path / "out.jsonl").close()


@pytest.mark.parametrize("kind", ["device", "pipe", "folder"])
def test_only_regular_files_are_read_and_written(tmp_path, kind):
    path = {"device": Path("/dev/null"), "folder": tmp_path}.get(kind, tmp_path / "pipe")
    if kind == "pipe":
        os.mkfifo(path)
    handles = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else None
    for opened in (BatchOutput, lambda path: read_lines(path, {})):
        with pytest.raises(InputError, match=r"no regular file|Is a directory"):
            opened(path)
    assert handles is None or len(os.listdir("/proc/self/fd")) == handles, "none is left open"


def answered(text: str) -> dict:
    return {"answer": {"status": "answered", "text": text}}


def lines_of(folder: Path, *written: str) -> list:
    (folder / "in.jsonl").write_text("\n".join(written))
    return read_lines(folder / "in.jsonl", {})


@contextmanager
def room_until(size: int):
    """Files of this process end at `size`: in the middle of a write, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_row_that_a_full_disk_cut_off_leaves_nothing_behind_a_shorter_one(tmp_path):
    out = tmp_path / "out.jsonl"
    lines = lines_of(tmp_path, *(json.dumps(row) for row in questions(3)))
    with closing(BatchOutput(out)) as output:
        output.append(lines[0], answered("one"))
        whole = out.read_bytes()
        with room_until(2000), pytest.raises(ServiceError, match="cannot be written"):
            output.append(lines[1], answered("x" * 5000))
        assert out.read_bytes() == whole
        output.append(lines[2], answered("three"))
    with closing(BatchOutput(out)) as output:
        assert [line.id for line in output.begin(lines, False)] == ["q2"]


def test_a_failed_sorting_leaves_the_rows_and_goes_on(tmp_path):
    out = tmp_path / "out.jsonl"
    lines = lines_of(tmp_path, *(json.dumps(row) for row in questions(2)))
    with closing(BatchOutput(out)) as output:
        output.append(lines[1], answered("two" * 1000))
        output.append(lines[0], answered("one"))
        with room_until(2000), pytest.raises(ServiceError, match="cannot be written"):
            output.finish()
        assert output.finish() == {"answered": 2}
    assert [row["line"] for row in rows_of(out)] == [1, 2]


def test_a_line_that_cannot_be_read_takes_no_id_from_a_good_one(tmp_path):
    lines = lines_of(tmp_path, "{broken", '{"id": "1", "question": "q"}', '{"id": 1, "question": "r"}')
    assert [line.error is None for line in lines] == [False, True, False]
    assert "that of line 2" in str(lines[2].error)


def test_a_line_whose_id_is_no_longer_taken_is_asked_again(tmp_path):
    second = '{"id": "x", "question": "two"}'
    fault = {"error": {"code": "bad_input", "message": "m", "remedy": "", "retryable": False}}
    lines = lines_of(tmp_path, '{"id": "x", "question": "one"}', second)
    assert lines[1].error is not None
    with closing(BatchOutput(tmp_path / "out.jsonl")) as output:
        output.append(lines[1], fault)
    with closing(BatchOutput(tmp_path / "out.jsonl")) as output:
        assert [line.line for line in output.begin(lines, False)] == [1], "it is still taken"
        mended = lines_of(tmp_path, '{"id": "y", "question": "one"}', second)
        assert [line.line for line in output.begin(mended, False)] == [1, 2]


def test_a_sorted_file_stays_where_a_link_leads_with_its_mode_and_is_on_disk(tmp_path, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (real(handle), synced.append(os.fstat(handle).st_ino)))
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "out.jsonl", tmp_path / "out.jsonl"
    link.symlink_to(target)
    folder = (tmp_path / "far").stat().st_ino
    lines = lines_of(tmp_path, *(json.dumps(row) for row in questions(2)))
    with closing(BatchOutput(link)) as output:
        assert synced[-1] == folder, "the name of a new file"
        target.chmod(0o640)
        for line in reversed(lines):
            output.append(line, answered(line.id))
        output.finish()
        assert synced[-1] == folder, "and of the one that takes its place"
    assert link.is_symlink() and [row["line"] for row in rows_of(target)] == [1, 2]
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert [path.name for path in target.parent.iterdir()] == ["out.jsonl"]


@given(order=st.permutations(range(6)), cut=st.floats(0, 1), failed=st.sets(st.integers(0, 5)))
def test_wherever_a_run_is_cut_off_each_row_is_there_once_and_whole(tmp_path_factory, order, cut, failed):
    folder = tmp_path_factory.mktemp("cut")
    asked, out = folder / "in.jsonl", folder / "out.jsonl"
    asked.write_text("".join(f'{{"id": "q{n}", "question": "年假 {n}\\u2028"}}\n' for n in range(6)))
    lines = read_lines(asked, {})
    results = [{"answer": {"status": "answered", "text": f"答 {n}"}} for n in range(6)]
    for n in failed:
        results[n] = {"error": {"code": "x", "message": "m", "remedy": "", "retryable": n % 2 == 0}}
    with closing(BatchOutput(out)) as output:
        output.begin(lines, False)
        for n in order:
            output.append(lines[n], results[n])
    whole = out.read_bytes()
    out.write_bytes(whole[: int(len(whole) * cut)])
    with closing(BatchOutput(out)) as output:
        for line in output.begin(lines, False):
            output.append(line, results[line.line - 1])
        counts = output.finish()
    rows = [json.loads(row) for row in out.read_bytes().splitlines()]
    assert [row["id"] for row in rows] == [f"q{n}" for n in range(6)]
    assert counts == {
        name: n for name, n in {"answered": 6 - len(failed), "failed": len(failed)}.items() if n
    }


async def test_questions_are_asked_without_an_api_too(services, asker, tmp_path):
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in questions(3)))
    lines = read_lines(tmp_path / "in.jsonl", {})
    with closing(BatchOutput(tmp_path / "out.jsonl")) as output:
        run = BatchRun(output, Output(True), 3, 3)
        await run.ask_all(LocalBackend(services.settings, services), output.begin(lines, False), 2)
        assert output.finish() == {"answered": 3}
    assert len(asker.forgotten) == 3


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_stopped(batch, asker, services, tmp_path):
    """A real process, killed in the middle of its work."""
    asker.held_after = 8
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps(row) for row in questions(20)))
    command = [sys.executable, "-c", "from app.cli.main import run; run()", "batch"]
    command += [
        str(tmp_path / "in.jsonl"),
        str(tmp_path / "out.jsonl"),
        "--data",
        str(services.settings.data),
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        while (
            len(
                rows := (tmp_path / "out.jsonl").read_bytes().splitlines()
                if (tmp_path / "out.jsonl").exists()
                else []
            )
            < 5
        ):
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert 5 <= len(rows) <= 8
    asker.held_after = None
    code, summary, rows = batch(questions(20))
    assert code == 0 and 0 < summary["asked"] <= 15
    assert [row["id"] for row in rows] == [f"q{n}" for n in range(1, 21)]
    assert len(asker.asked) <= 20 + 2, "only what was under way is asked twice"
