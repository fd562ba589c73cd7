"""What killed processes left behind goes; what somebody works in stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.leftovers import STALE_S, remove_stale, work_folder

WORKS_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from core.leftovers import work_folder
with work_folder(Path(sys.argv[1]), ".work-") as folder:
    (folder / "half").write_text("of a model")
    print(folder, flush=True)
    time.sleep(600)
"""


def age(path: Path) -> Path:
    """As if nobody had touched it for longer than the limit."""
    long_ago = time.time() - STALE_S - 60
    os.utime(path, (long_ago, long_ago))
    return path


def left(parent: Path, name: str) -> Path:
    folder = parent / name
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "file").write_text("half")
    return age(folder)


def test_a_folder_to_work_in_is_private_and_goes_at_the_end(tmp_path):
    with work_folder(tmp_path, ".work-") as folder:
        assert folder.parent == tmp_path and folder.name.startswith(".work-")
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_text("words")
    assert not list(tmp_path.iterdir())


def test_it_goes_after_an_error_and_stays_when_it_was_renamed(tmp_path):
    with pytest.raises(KeyError), work_folder(tmp_path, ".work-"):
        raise KeyError
    with work_folder(tmp_path, ".work-") as folder:
        folder.rename(tmp_path / "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_only_what_is_old_and_has_such_a_name_is_removed(tmp_path):
    left(tmp_path, ".work-old")
    age(left(tmp_path, ".work-young") / "in")  # what is in it does not tell its age
    os.utime(tmp_path / ".work-young")
    left(tmp_path, "other")
    (tmp_path / ".work-file").write_text("half")
    age(tmp_path / ".work-file")
    assert remove_stale(tmp_path, ".work-*") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [".work-young", "other"]
    assert remove_stale(tmp_path / "nowhere", ".work-*") == 0


def test_a_link_is_not_followed(tmp_path):
    aim = left(tmp_path, "aim")
    (tmp_path / ".work-link").symlink_to(aim)
    assert remove_stale(tmp_path, ".work-*") == 0
    assert (aim / "in" / "file").exists()


def test_one_that_is_worked_in_stays_however_old_until_its_process_is_killed(tmp_path):
    command = [sys.executable, "-c", WORKS_UNTIL_KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        try:
            folder = age(Path(worker.stdout.readline().strip()))
            assert remove_stale(tmp_path, ".work-*") == 0 and (folder / "half").exists()
        finally:
            worker.send_signal(signal.SIGKILL)
    assert remove_stale(tmp_path, ".work-*") == 1 and not folder.exists()
