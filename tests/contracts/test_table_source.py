"""The contract of `TableSource`, held by the store of tables."""

import pytest

from core.seams import TableSource
from core.types import Document, Scope, Table
from ingest.table_store import PlacedTable, TableStore

PRICES = Table((("item", "price (a | b)"), ("tea", "3"), ("rice", "4")))
STAFF = Table((("name", "role", "since"), ("Ann", "cook", "2020")))
BARE = Table((("1", "2"), ("3", "4")), 0)
EVERYONE = Scope("default")


@pytest.fixture
def source(tmp_path) -> TableSource:
    store = TableStore(tmp_path)
    document = Document("ab" * 32, "/d.md", "D", "text/markdown", 1, "default", ("ann",))
    store.write_document(document, [PlacedTable(table) for table in (STAFF, PRICES, BARE)])
    other = Document("cd" * 32, "/e.md", "E", "text/markdown", 1, "default")
    store.write_document(other, [PlacedTable(STAFF)])
    return store


def test_tables_are_given_to_their_readers_alone(source):
    assert source.list_document(EVERYONE, "ab" * 32) == []
    assert source.find_beside(EVERYONE, "ab" * 32, "| item | price (a \\| b) |", 9) == []
    assert [s.order for s in source.list_document(Scope("default", frozenset({"ann"})), "ab" * 32)] == [0, 1, 2]
    assert source.list_document(Scope("other", frozenset({"ann"})), "ab" * 32) == []


def test_the_table_whose_header_stands_in_a_text_comes_first(source):
    ann = Scope("default", frozenset({"ann"}))
    found = source.find_beside(ann, "ab" * 32, "| item | price (a \\| b) |\n| --- | --- |\n| tea | 3 |", 1)
    assert [stored.table.rows for stored in found] == [PRICES.rows]
    # Of a table without a header nothing can be said: it comes last.
    assert [s.order for s in source.find_beside(ann, "ab" * 32, "name and role", 9)] == [0, 2]
    assert source.find_beside(ann, "ef" * 32, "item", 9) == []
