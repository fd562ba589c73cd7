"""The files of this repository, parsed: what the structure tests look at.

Knows where the packages lie. Imports none of them.
"""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "retrieval", "ingest", "agents", "app", "ui", "evals")


@dataclass(frozen=True)
class SourceFile:
    """One Python file with its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The path below the root, with forward slashes."""
        return self.path.relative_to(ROOT).as_posix()

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All functions and methods, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def python_files(*folders: str) -> tuple[SourceFile, ...]:
    """The Python files below the folders, in a stable order.

    Raises AssertionError when there is none: an empty list would let every check pass.
    """
    found = tuple(file for folder in folders for file in _files_below(folder))
    assert found, f"no Python files below {folders}"
    return found


@cache
def _files_below(folder: str) -> tuple[SourceFile, ...]:
    """Each file is parsed once, in whatever company it is asked for."""
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(SourceFile(path, text, ast.parse(text, filename=str(path))))
    return tuple(found)


def product_files() -> tuple[SourceFile, ...]:
    """The seven packages."""
    return python_files(*PACKAGES)


def all_files() -> tuple[SourceFile, ...]:
    """The packages and the tests."""
    return python_files(*PACKAGES, "tests")


def tracked_files(*patterns: str) -> list[Path]:
    """Files that git knows, or that lie there untracked and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]
