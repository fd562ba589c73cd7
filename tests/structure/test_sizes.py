"""The size and shape of the code: what keeps a file readable in one sitting."""

import ast

import pytest

from tests.structure.source_tree import SourceFile, all_files, product_files

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 6
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "impl", "misc"}


def oversized_files(files: tuple[SourceFile, ...]) -> list[str]:
    lengths = ((f.name, len(f.text.splitlines())) for f in files)
    return [f"{name}: {lines} lines" for name, lines in lengths if lines > MAX_FILE_LINES]


def oversized_functions(files: tuple[SourceFile, ...]) -> list[str]:
    found = []
    for file in files:
        for node in file.functions():
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                found.append(f"{file.name}:{node.lineno} {node.name}: {lines} lines")
    return found


def overloaded_functions(files: tuple[SourceFile, ...]) -> list[str]:
    found = []
    for file in files:
        commands = command_names(file.tree)
        for node in file.functions():
            count = parameter_count(node)
            if count > MAX_PARAMETERS and node.name not in commands and not node.name.startswith("test_"):
                found.append(f"{file.name}:{node.lineno} {node.name}: {count} parameters")
    return found


def parameter_count(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Named parameters, self and cls not counted."""
    given = node.args
    names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([n for i, n in enumerate(names) if not (i == 0 and n in ("self", "cls"))])


def command_names(tree: ast.Module) -> set[str]:
    """Functions that are given to Typer: `root.command("ask")(ask)` or as a decorator.

    Typer makes each parameter an option on the command line, as many as the product's
    interface has, and nobody calls the function with them in a row.
    """
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(is_registration(d) for d in node.decorator_list):
            names.add(node.name)
        if isinstance(node, ast.Call) and is_registration(node.func):
            names.update(a.id for a in node.args if isinstance(a, ast.Name))
    return names


def is_registration(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("command", "callback")
    )


def test_files_fit():
    assert oversized_files(all_files()) == []


def test_functions_fit():
    assert oversized_functions(all_files()) == []


def test_functions_take_few_parameters():
    assert overloaded_functions(all_files()) == []


def test_names_say_something():
    vague = [
        f.name
        for f in all_files()
        if f.path.stem.strip("_") in VAGUE_NAMES or f.path.parent.name in VAGUE_NAMES
    ]
    assert vague == []


def test_every_module_opens_with_what_it_is():
    silent = [f.name for f in all_files() if f.text.strip() and not ast.get_docstring(f.tree)]
    assert silent == []


@pytest.mark.parametrize("check", [oversized_functions, overloaded_functions, oversized_files])
def test_the_checks_see_what_is_too_large(check, tmp_path):
    parameters = ", ".join(f"p{i}" for i in range(MAX_PARAMETERS + 1))
    body = "\n".join("    x = 1" for _ in range(MAX_FILE_LINES))
    text = f"def swollen({parameters}):\n{body}\n"
    path = product_files()[0].path.with_name("swollen.py")
    assert len(check((SourceFile(path, text, ast.parse(text)),))) == 1
