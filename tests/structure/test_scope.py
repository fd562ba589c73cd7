"""Nobody can read text without saying whose eyes it is for: held over the seam, the store
and every call that reaches Milvus. Knows signatures and syntax; runs nothing."""

import ast
import inspect
import typing
from pathlib import Path

import pytest

from core.seams import Reembedding, VectorStore
from core.types import Scope
from retrieval.image_index import ImageIndex
from retrieval.mirror.mirror import Mirror
from retrieval.reads import MilvusReads
from retrieval.store import MilvusStore
from tests.structure.source_tree import PACKAGES, python_files

TEXTLESS = {type(None), bool, int, list[str], dict[str, int], dict[str, set[str]], Reembedding}
"""What may be given without a scope: names, counts, and whether it worked."""
READS = {"search", "query", "hybrid_search", "get", "search_iterator", "query_iterator"}
UNSCOPED_READERS = {"_pages"}
"""Feeds counting, deleting and re-embedding, which give no text."""
RETRIEVAL = Path(__file__).parents[2] / "retrieval"
WITH_CLIENT = (RETRIEVAL / "store.py", RETRIEVAL / "reads.py")
READS_PAGES = {"retrieval/connections.py", "retrieval/mirror/mirrors.py"}
"""Where all rows of Lite are read, and where they are put into a mirror, which is scoped."""


def public_methods(cls: type) -> list[tuple[str, object]]:
    return [
        (f"{cls.__name__}.{name}", method)
        for name, method in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_")
    ]


CLASSES = (VectorStore, MilvusStore, MilvusReads, Mirror, ImageIndex)
METHODS = [m for cls in CLASSES for m in public_methods(cls)]


@pytest.mark.parametrize("method", [m for _, m in METHODS], ids=[name for name, _ in METHODS])
def test_a_method_gives_text_only_to_a_scope(method):
    hints = typing.get_type_hints(method)
    assert "return" in hints, "say what it returns"
    scopes = [p for p in inspect.signature(method).parameters.values() if hints.get(p.name) is Scope]
    scoped = bool(scopes) and scopes[0].default is inspect.Parameter.empty
    assert scoped or hints["return"] in TEXTLESS


def test_the_walk_finds_the_methods_that_matter():
    names = {name for name, _ in METHODS}
    assert {"MilvusReads.search", "ImageIndex.search", "Mirror.search_dense_each", "Mirror.search_lexical"} <= names
    for reader in ("search_dense", "search_dense_each", "search_lexical", "get_chunks", "find_chunks"):
        assert {f"VectorStore.{reader}", f"MilvusStore.{reader}"} <= names


def client_reads(function: ast.FunctionDef) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in READS
        and ast.unparse(node.func.value).endswith("client")
    ]


def test_every_read_of_milvus_carries_the_condition_on_readers():
    functions = [
        node
        for path in WITH_CLIENT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    readers = {f.name: f for f in functions if client_reads(f)}
    assert set(readers) - UNSCOPED_READERS == {"search", "find_chunks"}
    for name in set(readers) - UNSCOPED_READERS:
        made_by_scope = {
            ast.unparse(node.targets[0])
            for node in ast.walk(readers[name])
            if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("read_expression(scope,")
        }
        for call in client_reads(readers[name]):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}.get("filter", "")
            assert given in made_by_scope or given.startswith("read_expression(scope,"), name


def test_every_read_of_a_mirror_goes_through_the_condition_on_readers():
    """Rows are chosen in one function, which takes the names of the scope."""
    tree = ast.parse((RETRIEVAL / "mirror" / "mirror.py").read_text())
    methods = {f.name: ast.unparse(f) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)}
    for reader in ("search_dense_each", "search_lexical", "find_chunks"):
        assert "principals_of(scope)" in methods[reader]
        assert "_visible(part, names, " in methods[reader]
    assert "columns.readable(names)" in methods["_visible"]


def test_all_rows_are_read_for_a_mirror_only():
    users = {file.name for file in python_files(*PACKAGES) if "read_pages(" in file.text}
    assert users == READS_PAGES


def test_nothing_but_the_store_has_a_client_of_milvus():
    users = {file.name for file in python_files(*PACKAGES) if "pymilvus" in file.text}
    assert users == {f"retrieval/{name}.py" for name in ("connections", "schema", "store")}
    # What the catalogue is handed, it reads no rows with.
    assert not READS & {
        node.func.attr
        for file in python_files("retrieval")
        if file.name == "retrieval/catalogue.py"
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    } - {"get"}
