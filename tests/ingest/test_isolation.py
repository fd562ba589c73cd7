"""The parse process: what a hostile file costs is its own failure."""

import os
import tempfile
import time

import pytest

from core.errors import FileError
from ingest.isolation import ProcessParserRunner
from ingest.parsing import DirectParserRunner
from tests.ingest.hostile_files import flate_bomb_pdf

PLANTED = """
import os, socket, subprocess, tempfile, time
from core.types import Element, ElementKind

class PlantedParser:
    media_types = frozenset({"text/plain"})

    def __init__(self, options=None):
        self._options = options

    def parse(self, path):
        order = path.read_text()
        if order == "pages":
            for page in range(1, 6):
                time.sleep(1)
                self._options.on_page(page)
        if order == "sleep":
            time.sleep(60)
        if order == "memory":
            return [b"x" * (3 << 30)]
        if order == "crash":
            os.abort()
        if order == "hoard":
            kept = b"x" * (300 << 20)
            os.abort()
        if order == "eat":
            del order
            order = len(b"x" * (300 << 20)) and "eaten"
        if order == "print":
            print("noise on the answer pipe")
        if order == "network":
            socket.create_connection(("127.0.0.1", 9))
        if order == "shell":
            os.system("true")
        if order == "fork":
            os.fork()
        if order == "spawn":
            os.posix_spawn("/bin/true", ["true"], {})
        if order == "popen":
            subprocess.Popen(["true"])
        if order == "write":
            (path.parent / "written").write_text("x")
        if order == "append":
            open(path, "a")
        if order == "low":
            os.open(path.parent / "written", os.O_CREAT | os.O_WRONLY)
        if order == "remove":
            path.unlink()
        if order == "move":
            os.rename(path, path.parent / "written")
        if order == "folder":
            (path.parent / "written").mkdir()
        if order == "link":
            (path.parent / "written").symlink_to(path)
        if order == "lead out":
            os.symlink(path.parent, "out")
            open("out/written", "w")
        if order == "own folder":
            with tempfile.TemporaryDirectory() as folder:
                os.mkdir(os.path.join(folder, "a"))
                with open(os.path.join(folder, "a", "b"), "w") as file:
                    file.write("x")
        if order == "flood":
            return [Element(ElementKind.TEXT, "x" * 3_000_000)]
        if order == "bug":
            raise ZeroDivisionError("a bug")
        return [Element(ElementKind.TEXT, f"{os.getpid()}")]
"""


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """A runner whose process finds our parser in the place of the one for plain text."""
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / "planted_parser.py").write_text(PLANTED)
    (planted / "sitecustomize.py").write_text(
        "from ingest.parsers import registry\n"
        "registry._PARSERS['text/plain'] = ('planted_parser', 'PlantedParser')\n"
        "registry._WITH_OPTIONS |= {'text/plain'}\n"
    )
    monkeypatch.syspath_prepend(str(planted))
    made = ProcessParserRunner(timeout_s=60, memory_mb=512, max_output_bytes=1_000_000)
    yield made
    made.close()


def order(tmp_path, text):
    path = tmp_path / "order.txt"
    path.write_text(text)
    return path


def test_the_process_is_reused_and_is_not_ours(runner, tmp_path):
    first = runner.parse(order(tmp_path, "pid"), "text/plain").elements[0].text
    second = runner.parse(order(tmp_path, "print"), "text/plain").elements[0].text
    assert first == second != str(os.getpid())


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("memory", "parse_memory"),
        ("crash", "parse_crashed"),
        ("hoard", "parse_memory"),
        ("network", "parse_failed"),
        ("shell", "parse_failed"),
        ("fork", "parse_failed"),
        ("spawn", "parse_failed"),
        ("popen", "parse_failed"),
        ("flood", "parse_output"),
        ("bug", "parse_failed"),
    ],
)
def test_a_bad_file_is_that_files_failure_and_the_next_one_parses(runner, tmp_path, command, code):
    with pytest.raises(FileError) as caught:
        runner.parse(order(tmp_path, command), "text/plain")
    assert caught.value.code == code
    assert runner.parse(order(tmp_path, "pid"), "text/plain").elements


def test_a_crash_is_not_laid_to_the_memory_of_an_earlier_file(runner, tmp_path):
    assert runner.parse(order(tmp_path, "eat"), "text/plain").elements
    with pytest.raises(FileError, match="SIGABRT") as caught:
        runner.parse(order(tmp_path, "crash"), "text/plain")
    assert caught.value.code == "parse_crashed"


def test_a_page_that_unpacks_to_too_much_ends_with_the_name_of_the_limit(tmp_path):
    path = tmp_path / "bomb.pdf"
    path.write_bytes(flate_bomb_pdf())
    made = ProcessParserRunner(timeout_s=30, memory_mb=256, reads_pictures=False)
    with pytest.raises(FileError) as caught:
        made.parse(path, "application/pdf")
    made.close()
    assert (caught.value.code, caught.value.retryable) == ("parse_memory", False)
    assert "too much memory" in caught.value.message and "ingest.parse_memory_mb" in caught.value.remedy


@pytest.mark.parametrize(
    "command", ["write", "append", "low", "remove", "move", "folder", "link", "lead out"]
)
def test_a_parser_changes_nothing_outside_its_folder(runner, tmp_path, command):
    path = order(tmp_path, command)
    with pytest.raises(FileError) as caught:
        runner.parse(path, "text/plain")
    assert caught.value.code == "parse_failed" and "outside its folder" in caught.value.message
    assert sorted(p.name for p in tmp_path.iterdir()) == ["order.txt", "planted"]
    assert path.read_text() == command


def test_its_own_folder_is_gone_with_the_process(runner, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert runner.parse(order(tmp_path, "own folder"), "text/plain").elements
    assert len(list(tmp_path.glob("attest-parse-*"))) == 1
    runner.close()
    assert not list(tmp_path.glob("attest-parse-*"))


def test_a_slow_file_is_ended(tmp_path, runner):
    runner.parse(order(tmp_path, "pid"), "text/plain")
    runner._timeout_s = 0.3
    started = time.monotonic()
    with pytest.raises(FileError) as caught:
        runner.parse(order(tmp_path, "sleep"), "text/plain")
    assert caught.value.code == "parse_timeout" and caught.value.retryable
    assert time.monotonic() - started < 30


@pytest.mark.slow
def test_real_parsers_give_the_same_as_in_this_process(request):
    samples = request.config.rootpath / "samples" / "library"
    made = ProcessParserRunner(timeout_s=60, memory_mb=2048)
    docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    try:
        for name, kind in (("safety-rules-zh.pdf", "application/pdf"), ("purchasing-rules-zh.docx", docx)):
            assert made.parse(samples / name, kind) == DirectParserRunner().parse(samples / name, kind)
    finally:
        made.close()


def test_a_defect_of_a_parser_is_logged_with_its_traceback(runner, tmp_path, caplog):
    with pytest.raises(FileError):
        runner.parse(order(tmp_path, "bug"), "text/plain")
    assert "Traceback" in caplog.text and "text/plain" in caplog.text


@pytest.mark.slow
def test_each_page_told_gives_more_time(runner, tmp_path):
    """A long scan is not a slow one: all its pages take longer than the limit, none of them does."""
    patient = ProcessParserRunner(timeout_s=60, memory_mb=512)
    try:
        patient.parse(order(tmp_path, "pid"), "text/plain")  # a start may take longer than a page
        patient._timeout_s = 4
        started = time.monotonic()
        assert patient.parse(order(tmp_path, "pages"), "text/plain").elements
        assert time.monotonic() - started > 4
    finally:
        patient.close()
