"""A folder that means harm: each file ends as read or as failed with a code, soon, in little
memory, and leaves nothing behind."""

import tempfile
import threading
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from core.errors import FileError
from core.settings import IngestSettings
from ingest.discover import FoundFile, RefusedFile, find_candidates, inspect_file
from ingest.isolation import ProcessParserRunner
from ingest.parser_pool import ParserPool
from tests.ingest.hostile_files import HOSTILE, WHOLE, write_hostile

SECONDS = 10.0
RESIDENT_MB = {"plain": 512, "ocr": 700}
CODES = {
    "bad_encoding", "bomb", "corrupt", "empty", "encrypted", "missing", "no_text", "outside_root",
    "parse_memory", "parse_crashed", "parse_output", "too_large", "unknown_type", "unreadable", "unsafe",
}  # fmt: skip


class Watch:
    """The most memory that the processes of runners were seen to hold, in MB, of each kind."""

    def __init__(self, runners: dict[str, ProcessParserRunner]) -> None:
        self.peak_mb = dict.fromkeys(runners, 0.0)
        self._runners, self._on = runners, True
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while self._on:
            for kind, runner in self._runners.items():
                if (process := runner._process) is not None:
                    self.peak_mb[kind] = max(self.peak_mb[kind], resident_mb(process.pid))
            time.sleep(0.01)

    def stop(self) -> None:
        self._on = False
        self._thread.join()


def resident_mb(pid: int) -> float:
    """The most that a process has held so far; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return max([0.0, *(int(x.split()[1]) / 1024 for x in status.splitlines() if x.startswith("VmHWM"))])


@pytest.fixture(scope="module")
def endings(tmp_path_factory):
    """Of each file its elements or its error, its seconds and the memory seen until then."""
    # Below a folder of its own: what is still written by others in the one above is not of these files.
    around = tmp_path_factory.mktemp("around-hostile")
    folder = around / "one" / "hostile"
    folder.mkdir(parents=True)
    scratch = tmp_path_factory.mktemp("scratch")
    write_hostile(folder)
    before = sorted(around.rglob("*"))
    settings = IngestSettings()
    found = {}
    normal, tempfile.tempdir = tempfile.tempdir, str(scratch)
    runners = {
        "plain": ProcessParserRunner(SECONDS, settings.parse_memory_mb, reads_pictures=False),
        "ocr": ProcessParserRunner(SECONDS, settings.ocr_memory_mb),
    }
    runner = ParserPool(lambda: runners["plain"], 1, lambda: runners["ocr"])
    try:
        for candidate in find_candidates([folder], None):
            watch, started = Watch(runners), time.monotonic()
            try:
                file = inspect_file(candidate, int(settings.max_file_mb * 2**20))
                if isinstance(file, RefusedFile):
                    raise file.error
                assert isinstance(file, FoundFile)
                ending = runner.parse(file.path, file.media_type)
            except FileError as error:
                ending = error
            finally:
                watch.stop()
            found[candidate.name] = (ending, time.monotonic() - started, watch.peak_mb)
    finally:
        runner.close()
        tempfile.tempdir = normal
    assert list(scratch.iterdir()) == [], "what was written for a parse is gone with it"
    assert sorted(around.rglob("*")) == before
    assert not Path("/tmp/escaped.txt").exists()
    return found


pytestmark = pytest.mark.slow


def test_every_file_ends_soon_in_little_memory_as_read_or_with_a_code(endings):
    assert len(endings) >= len(HOSTILE) + len(WHOLE) + 3 >= 60
    for name, (ending, seconds, peak_mb) in sorted(endings.items(), key=lambda item: -item[1][1]):
        code = ending.code if isinstance(ending, FileError) else f"{len(ending.elements)} elements"
        held = "  ".join(f"{kind} {mb:4.0f} MB" for kind, mb in peak_mb.items())
        print(f"{name!r:28} {seconds:6.2f} s  {held}  {code}")
    odd = {n: e.code for n, (e, _, _) in endings.items() if isinstance(e, FileError) and e.code not in CODES}
    assert odd == {}
    assert {n: s for n, (_, s, _) in endings.items() if s > SECONDS + 0.5} == {}
    for kind, most in RESIDENT_MB.items():
        assert {n: mb[kind] for n, (_, _, mb) in endings.items() if mb[kind] > most} == {}, kind
    assert max(mb["plain"] for _, _, mb in endings.values()) > 20, "the processes were seen"


def test_a_process_that_reads_pictures_stays_within_its_memory(tmp_path):
    picture = Image.new("RGB", (1600, 2200), "white")
    for line in range(40):
        ImageDraw.Draw(picture).text((100, 100 + 50 * line), f"Inspection {line} of the crane", "black", font_size=30)
    picture.save(tmp_path / "scan.png")
    settings = IngestSettings()
    runner = ProcessParserRunner(120, settings.ocr_memory_mb)
    watch = Watch({"ocr": runner})
    try:
        for _ in range(3):
            assert "Inspection" in runner.parse(tmp_path / "scan.png", "image/png").elements[0].text
    finally:
        watch.stop()
        runner.close()
    print(f"ocr {watch.peak_mb['ocr']:.0f} MB")
    assert 100 < watch.peak_mb["ocr"] < RESIDENT_MB["ocr"]


def test_nothing_is_read_as_empty(endings):
    for name, (ending, _, _) in endings.items():
        assert isinstance(ending, FileError) or any(e.text.strip() for e in ending.elements), name


def test_no_entity_is_filled_in(endings):
    for name, (ending, _, _) in endings.items():
        if not isinstance(ending, FileError):
            text = "\n".join(e.text for e in ending.elements)
            assert "root:" not in text and "hahaha" not in text, name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("locked.docx", "encrypted"),
        ("xxe.odt", "unsafe"),
        ("laughs.xml", "corrupt"),
        ("deep.json", "corrupt"),
        ("spaces.txt", "empty"),
        ("too-many-spaces.txt", "too_large"),
        ("pipe.txt", "unknown_type"),
        ("out.txt", "outside_root"),
        ("zero.txt", "outside_root"),
        ("empty.pdf", "empty"),
    ],
)
def test_the_reason_is_the_right_one(endings, name, code):
    assert endings[name][0].code == code


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("bomb.zip", "zeros.txt"),
        ("nested.zip", "nested"),
        ("many-members.zip", "more than 2000 members"),
        ("traversal.zip", "escaped.txt: its name leads out"),
        ("traversal.tar", "escaped.txt: its name leads out"),
        ("traversal.eml", "escaped.txt: its name leads out"),
        ("links.tar", "link: it is a link"),
        ("link.zip", "link.txt: it is a link"),
        ("locked.zip", "a.txt: it is locked"),
    ],
)
def test_a_bad_member_is_named_and_the_others_are_read(endings, name, named):
    parsed = endings[name][0]
    assert any(named in f"{words} ({code})" for code, words in parsed.warnings), parsed.warnings
    assert any("words" in e.text.lower() for e in parsed.elements)


def test_what_begins_a_file_says_what_it_is(endings):
    assert endings["zip-then-pdf.zip"][0].elements[0].text == "a.pdf"
    assert endings["pdf-then-zip.pdf"][0].pages == 1
    assert [e.text for e in endings["page.pdf"][0].elements] == ["Words of a page"]
