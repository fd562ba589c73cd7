"""Ruff, by the rules of pyproject.toml."""

import subprocess
import sys

from tests.structure.source_tree import ROOT


def ruff(*arguments: str, text: str = "") -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, input=text, timeout=60)


def test_nothing_to_complain_of():
    result = ruff(".")
    assert result.returncode == 0, result.stdout + result.stderr


def test_faults_are_seen():
    result = ruff("--stdin-filename", "core/fault.py", "-", text="import os\n")
    assert result.returncode == 1 and "F401" in result.stdout
