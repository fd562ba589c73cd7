"""Constructs that have no place here: blind excepts, code from strings, unsafe loading."""

import ast
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.structure.source_tree import SourceFile, product_files, python_files

# Where everything may be caught, because a loop or a stream must outlive one failure. Each
# such place logs the traceback. The number is how many there are.
EDGES: dict[str, int] = {
    "ingest/parse_worker.py": 1,  # one parse: a parser's fault is that file's failure
    "ingest/ray_engine.py": 1,  # the start of Ray, which raises plain Exception; told as our error
    "agents/asker.py": 1,  # the events of one question: the last one is always an end
    "app/asking.py": 1,  # the stream of one answer: the caller must hear of an end
    "app/api.py": 1,  # the loop that finishes what waits: it lives as long as the server
    "app/threads.py": 1,  # work whose request was answered: nobody else would see a mistake
}
UNSAFE_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
UNSAFE_TRUE = {"trust_remote_code", "allow_pickle", "shell", "allow_dangerous_deserialization"}


def hazards(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and kind of everything that is not allowed anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            for name in names:
                if name.split(".")[0] in UNSAFE_MODULES:
                    yield node.lineno, f"import {name}"
        elif isinstance(node, ast.Call):
            yield from call_hazards(node)
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, "bare except"


def call_hazards(node: ast.Call) -> Iterator[tuple[int, str]]:
    match node.func:
        case ast.Name(id="eval" | "exec" | "compile" | "__import__" as name):
            yield node.lineno, f"{name}()"
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="sys"), attr="path"), attr=verb):
            yield node.lineno, f"sys.path.{verb}()"
        case ast.Attribute(value=ast.Name(id="os"), attr="system" | "popen" as verb):
            yield node.lineno, f"os.{verb}()"
        case ast.Attribute(value=ast.Name(id="yaml"), attr="load" | "unsafe_load" as verb):
            yield node.lineno, f"yaml.{verb}()"
    for keyword in node.keywords:
        true = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        if keyword.arg in UNSAFE_TRUE and true:
            yield node.lineno, f"{keyword.arg}=True"


def caught(handler: ast.ExceptHandler) -> set[str]:
    """The names in the except clause."""
    nodes = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {n.id for n in nodes if isinstance(n, ast.Name)}


def blind_handlers(file: SourceFile) -> list[ast.ExceptHandler]:
    """Handlers of Exception or BaseException that do not raise again."""
    return [
        node
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ExceptHandler)
        and caught(node) & {"Exception", "BaseException"}
        and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
    ]


def test_no_hazards():
    found = [f"{f.name}:{line} {kind}" for f in product_files() for line, kind in hazards(f.tree)]
    assert found == []


def test_everything_is_caught_at_the_edges_only():
    found = Counter({f.name: len(handlers) for f in product_files() if (handlers := blind_handlers(f))})
    excess = {name: count for name, count in found.items() if count > EDGES.get(name, 0)}
    assert excess == {}, "catch the error that can happen, or show in EDGES why this is an edge"


def test_edges_exist():
    """An entry of a file that is gone, or no longer catches everything, would hide a new one."""
    found = {f.name: len(blind_handlers(f)) for f in product_files()}
    assert {name: found.get(name, 0) for name in EDGES} == EDGES


def test_tests_do_not_patch_our_code():
    found = [
        f"{f.name}:{node.lineno}"
        for f in python_files("tests")
        for node in ast.walk(f.tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
        and any("mock" in name for name in [getattr(node, "module", "") or "", *(a.name for a in node.names)])
    ]
    assert found == [], "use a small class at the boundary instead of unittest.mock"


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')",
        "import pickle",
        "from pickle import loads",
        "load(trust_remote_code=True)",
        "np.load(p, allow_pickle=True)",
        "import sys\nsys.path.insert(0, '.')",
        "try:\n    f()\nexcept:\n    g()",
        "subprocess.run('ls', shell=True)",
    ],
)
def test_the_check_sees_each_hazard(code):
    assert len(list(hazards(ast.parse(code)))) == 1
