"""The arrows of the house, and that importing does nothing."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.structure.source_tree import PACKAGES, ROOT, product_files

# Streamlit runs this file as a script: drawing the page is what it is for.
SCRIPTS = {"ui.main"}

NOT_SOURCE = shutil.ignore_patterns("__pycache__", "*.npz")

TRAINS_ONLY = {"evals.pair_network"}
"""Modules of training, which needs PyTorch, and of nothing else."""
PROBE = """
import importlib, json, os, sys
faults = []
WRITES = ("w", "a", "x", "+")

def watch(event, args):
    # urllib3 binds port 0 to learn whether the machine has IPv6.
    if event == "socket.bind" and args[1][1] != 0:
        faults.append([current, event, str(args[1])])
    elif event in ("socket.connect", "subprocess.Popen", "os.mkdir", "sqlite3.connect"):
        faults.append([current, event, str(args[0])[:80]])
    elif event == "open" and not isinstance(args[0], int) and any(c in WRITES for c in args[1] or ""):
        path = os.path.abspath(str(args[0]))
        if path.startswith(os.getcwd()) and ".venv" not in path:
            faults.append([current, event, path])

current = "outside"
sys.addaudithook(watch)
for name in json.loads(sys.argv[1]):
    current = name
    try:
        importlib.import_module(name)
    except Exception as exc:
        faults.append([name, "import failed", f"{type(exc).__name__}: {exc}"])
print(json.dumps(faults))
"""


def lint(root) -> subprocess.CompletedProcess:
    """import-linter over the packages below `root`, with the contracts in its pyproject.toml."""
    code = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as c; c()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], cwd=root, capture_output=True, text=True, timeout=120
    )


def module_names() -> list[str]:
    names = []
    for file in product_files():
        parts = file.path.relative_to(ROOT).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    left_out = SCRIPTS | (set() if find_spec("torch") else TRAINS_ONLY)
    return [n for n in names if n not in left_out and not n.endswith("__main__")]


def test_arrows_point_down():
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


WRONG = {
    "core/types.py": "retrieval.index",
    "ingest/__init__.py": "agents",
    "agents/events.py": "fastapi",
    "ui/__init__.py": "core.types",
    "app/__init__.py": "evals",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> str:
    """What import-linter says of a house with all the WRONG arrows."""
    root = tmp_path_factory.mktemp("wrong")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=NOT_SOURCE)
    shutil.copy(ROOT / "pyproject.toml", root)
    for module, imported in WRONG.items():
        with (root / module).open("a", encoding="utf-8") as file:
            file.write(f"\nimport {imported}\n")
    result = lint(root)
    assert result.returncode != 0
    return result.stdout


@pytest.mark.parametrize(("module", "imported"), WRONG.items())
def test_a_wrong_arrow_is_seen(seen, module, imported):
    importer = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert f"{importer} -> {imported} " in seen


@pytest.mark.slow
def test_importing_does_nothing():
    """No module opens a connection, starts a process, makes a folder or writes a file."""
    result = subprocess.run(
        [sys.executable, "-B", "-c", PROBE, json.dumps(module_names())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == []
