"""Pictures on disk: written, counted, copied, removed, and found to be damaged."""

import pytest

from core.errors import NotFoundError
from core.types import Document, Figure
from ingest.figure_store import FigureStore
from tests.ingest.pictures import CHART, chart, encoded

ONE, OTHER = "a" * 64, "b" * 64
FIGURE = Figure(CHART, "image/png", 700, 420)
SECOND = Figure(encoded(chart("x"), "JPEG"), "image/jpeg", 700, 420)


def document(document_id: str = ONE) -> Document:
    return Document(document_id, "a.docx", "", "", 1, "c")


@pytest.fixture
def store(tmp_path) -> FigureStore:
    return FigureStore(tmp_path / "figures")


def test_what_was_written_is_read_back_and_the_same_picture_is_one(store):
    assert store.write_document(document(), [FIGURE, SECOND, FIGURE]) == 2
    assert store.count_figures("c") == {ONE: 2}
    found = store.read("c", ONE, SECOND.name)
    assert (found.data, found.media_type) == (SECOND.data, "image/jpeg")


def test_a_new_write_replaces_all_and_an_empty_one_removes(store, tmp_path):
    store.write_document(document(), [FIGURE])
    (next(tmp_path.glob("figures/*/*")) / ".new-left-by-a-kill").write_bytes(b"half")
    assert store.write_document(document(), [SECOND]) == 1
    assert [path.name for path in tmp_path.glob("figures/*/*/*")] == [SECOND.name]
    assert store.write_document(document(), []) == 0
    assert store.count_figures("c") == {} and not list(tmp_path.glob("figures/*/*"))


def test_a_copy_stands_by_itself(store):
    store.write_document(document(), [FIGURE])
    assert store.copy_document(document(OTHER), ONE) == 1
    assert store.copy_document(document(), ONE) == 1
    assert store.remove_document("c", ONE) and not store.remove_document("c", ONE)
    assert store.read("c", OTHER, FIGURE.name).data == CHART
    assert store.drop_collection("c") and store.count_figures("c") == {}


def test_a_damaged_picture_does_not_count_and_is_written_again(store, tmp_path):
    store.write_document(document(), [FIGURE])
    next(tmp_path.glob("figures/*/*/*")).write_bytes(b"other bytes")
    assert store.count_figures("c") == {}
    assert store.write_document(document(), [FIGURE]) == 1
    assert store.read("c", ONE, FIGURE.name).data == CHART


@pytest.mark.parametrize("name", ["../../secret.png", "", "x" * 32 + ".png", "0" * 32 + ".svg", "0" * 32 + ".png"])
def test_other_names_are_not_there(store, name):
    store.write_document(document(), [FIGURE])
    with pytest.raises(NotFoundError):
        store.read("c", ONE, name)
    with pytest.raises(NotFoundError):
        store.read("c", "../" * 21 + "a", FIGURE.name)
