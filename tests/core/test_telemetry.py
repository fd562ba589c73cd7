"""What must be set before libraries are loaded is set in time."""

import subprocess
import sys

PROGRAM = """
import os, sys
import app.cli.main
from app.cli.backend import read_settings
assert "numpy" not in sys.modules, "the number of its threads is read when it is loaded"
read_settings(None, None)
print(os.environ["OPENBLAS_NUM_THREADS"], os.environ["DO_NOT_TRACK"])
"""


def output(tmp_path, **environment: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.split()


def test_a_command_sets_its_switches_before_numpy_is_loaded(tmp_path):
    assert output(tmp_path) == ["1", "1"]


def test_threads_that_the_user_set_stay(tmp_path):
    assert output(tmp_path, OPENBLAS_NUM_THREADS="4") == ["4", "1"]
