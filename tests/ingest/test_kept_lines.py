"""Lines are found by digest and go with their documents."""

import pytest
from sqlalchemy import create_engine

from core.types import Document
from ingest.document_index import DocumentIndex
from ingest.figure_store import FigureStore
from ingest.kept_lines import KeptLines
from ingest.table_store import TableStore
from tests.ingest.folder_index import FolderIndex

DIGESTS = [f"d{n}" for n in range(1200)]


@pytest.fixture
def kept():
    return KeptLines(create_engine("sqlite://"))


def test_any_number_is_found_of_whichever_document(kept):
    kept.keep("default", "one", {digest: f"line {digest}" for digest in DIGESTS[:700]})
    kept.keep("other", "two", {digest: f"line {digest}" for digest in DIGESTS[600:]})
    assert kept.find(DIGESTS) == {digest: f"line {digest}" for digest in DIGESTS}
    assert kept.find([]) == {} and kept.find(["none"]) == {}


def test_a_new_version_takes_the_place_of_what_was_kept(kept):
    kept.keep("default", "one", {"a": "x", "b": "y"})
    kept.keep("default", "one", {"b": "y", "c": "z"})
    assert kept.find(["a", "b", "c"]) == {"b": "y", "c": "z"}


def test_lines_go_with_their_document(kept, tmp_path):
    index = DocumentIndex(FolderIndex(tmp_path / "chunks"), TableStore(tmp_path / "tables"), kept, FigureStore(tmp_path / "f"))
    index.open_collection("default")
    one, two, three, four = (digit * 64 for digit in "1234")
    for name in (one, two, three):
        kept.keep("default", name, {name: "line"})
    index.copy_document(Document(four, "file:///b", "", "", 1, "default"), one)
    index.remove_documents("default", [one, two])
    assert kept.find([one, two, three]) == {one: "line", three: "line"}
    index.remove_document("default", four)
    assert kept.find([one, three]) == {three: "line"}
    index.drop_collection("default")
    assert kept.find([three]) == {}
