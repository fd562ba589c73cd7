"""Tables as Parquet files: types, names, readers, removal, and what a kill leaves."""

import datetime as dt
from decimal import Decimal

import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from core.errors import NotFoundError, StoreError
from core.types import Document, Scope, Table
from ingest.document_index import DocumentIndex
from ingest.figure_store import FigureStore
from ingest.kept_lines import KeptLines
from ingest.table_store import PlacedTable, TableStore
from ingest.typed_columns import typed_columns
from tests.ingest.folder_index import FolderIndex

ID = "ab" * 32
ROWS = (
    ("部门", "人数", "growth", "since", "code", "price", "note"),
    ("华东", "1,200", "12.5%", "2024-01-05", "007", "$3.50", "-"),
    ("华南", "(30)", "-3%", "2023/12/31", "008", "$12", "ok"),
)


def lines(folder):
    """No context lines yet."""
    return KeptLines(create_engine(f"sqlite:///{folder / 'lines.db'}"))


def document(document_id=ID, collection="default", readers=("everyone",)):
    return Document(document_id, "/d.xlsx", "D", "text/csv", 1, collection, readers)


@pytest.fixture
def store(tmp_path):
    (tmp_path / "tables").mkdir()
    return TableStore(tmp_path / "tables")


def scope(collection="default", *readers):
    return Scope(collection, frozenset(readers))


def test_columns_have_types_and_the_texts_stay(store):
    table = Table(ROWS, caption="员工", footnotes=("注：甲",), place="Sheet2", cells_read=21)
    counts = store.write_document(document(), [PlacedTable(table, ("Report", "Staff"), 3)])
    assert counts == [table.filled]
    found = store.find(scope(), ID, 0)
    assert (found.table, found.headings, found.page, found.title) == (table, ("Report", "Staff"), 3, "D")
    stored = parquet.read_table(found.path)
    types = {field.name: str(field.type) for field in stored.schema if not field.name.endswith("[text]")}
    assert types == {
        "row": "int32",
        "部门": "string",
        "人数": "int64",
        "growth": "decimal128(38, 1)",
        "since": "date32[day]",
        "code": "string",
        "price": "decimal128(38, 2)",
        "note": "string",
    }
    assert stored.column("人数").to_pylist() == [1200, -30]
    assert stored.column("人数 [text]").to_pylist() == ["1,200", "(30)"]
    assert stored.column("growth").to_pylist() == [Decimal("12.5"), Decimal("-3.0")]
    assert stored.schema.field("growth").metadata[b"unit"] == b"%"
    assert stored.column("since").to_pylist() == [dt.date(2024, 1, 5), dt.date(2023, 12, 31)]


CELL = st.sampled_from(
    ["", "a", "12", "1,000", "-", "3.5", "9" * 30, "1e5", "2024-01-01", "2024-13-01", "x\ny", "%"]
)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=6)
    ),
    st.integers(0, 2),
)
def test_any_table_comes_back_as_it_was(tmp_path_factory, rows, header_rows):
    store = TableStore(tmp_path_factory.mktemp("t"))
    table = Table(tuple(map(tuple, rows)), min(header_rows, len(rows)))
    store.write_document(document(), [PlacedTable(table)])
    found = store.find(scope(), ID, 0).table
    assert found.header == table.header
    assert found.body == table.body


def test_equal_and_empty_labels_get_names_of_their_own():
    table = Table((("A", "a", "", "row"), ("1", "2", "3", "4")))
    assert [column.name for column in typed_columns(table)] == ["A", "a (2)", "column 3", "row"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (("1", "2 kg"), "text"),
        (("1 kg", "2 kg"), "integer"),
        (("1", "two"), "text"),
        (("1", "n/a", ""), "integer"),
        (("", "-"), "text"),
        (("2024-01-01 10:00:00", "2024-01-02"), "timestamp"),
        (("1" * 19,), "text"),
    ],
)
def test_a_column_has_a_type_only_when_all_of_it_agrees(cells, kind):
    [column] = typed_columns(Table((("h",), *((cell,) for cell in cells))))
    assert column.kind == kind


def test_other_readers_and_other_collections_do_not_find_it(store):
    store.write_document(document(readers=("hr",)), [PlacedTable(Table(ROWS))])
    assert store.find(scope("default", "hr"), ID, 0).order == 0
    for where, order in (
        (scope(), 0),
        (scope("default", "it"), 0),
        (scope("other", "hr"), 0),
        (scope("default", "hr"), 1),
    ):
        with pytest.raises(NotFoundError):
            store.find(where, ID, order)
    assert store.list_document(scope(), ID) == []
    with pytest.raises(NotFoundError):
        store.find(scope(), "../../etc", 0)


def test_a_shorter_version_leaves_nothing_behind_and_removal_removes(store):
    placed = PlacedTable(Table(ROWS))
    store.write_document(document(), [placed, placed, placed])
    store.write_document(document(), [placed])
    store.write_document(document("cd" * 32, "x/../y"), [placed])
    assert store.count_tables("default") == {ID: 1}
    assert store.remove_document("default", ID) == 1
    assert store.count_tables("default") == {}
    assert store.drop_collection("x/../y") and not store.drop_collection("x/../y")


def test_half_a_file_of_a_killed_write_goes_with_the_next(store):
    store.write_document(document(), [PlacedTable(Table(ROWS))])
    place = store.find(scope(), ID, 0).path.parent
    (place / ".new-abc").write_bytes(b"half")
    assert len(store.list_document(scope(), ID)) == 1
    store.write_document(document(), [PlacedTable(Table(ROWS))])
    assert [p.name for p in place.iterdir()] == ["00000.parquet"]


def test_a_damaged_file_is_an_error_not_an_absence(store):
    store.write_document(document(), [PlacedTable(Table(ROWS))])
    store.find(scope(), ID, 0).path.write_bytes(b"PAR1")
    with pytest.raises(StoreError):
        store.find(scope(), ID, 0)


def test_tables_come_and_go_with_their_document(bench, tmp_path):
    from core.types import EVERYONE
    from ingest.parsing import DirectParserRunner
    from ingest.pipeline import Ingestor
    from ingest.request import IngestRequest

    tables = TableStore(tmp_path / "tables")
    index = DocumentIndex(FolderIndex(tmp_path / "chunks"), tables, lines(tmp_path), FigureStore(tmp_path / "figures"))
    ingestor = Ingestor(bench.ledger, index, bench.originals, bench.settings, DirectParserRunner())
    path = bench.write("a.csv", "name,n\nx,1\ny,2\n")
    request = IngestRequest("default", (EVERYONE,))
    report = ingestor.ingest([bench.docs], request)
    assert (report.added, report.warnings) == (1, [])
    [old] = tables.count_tables("default")
    assert tables.find(scope(), old, 0).table.body == (("x", "1"), ("y", "2"))
    path.write_text("name,n\nz,3\n", encoding="utf-8")
    ingestor.ingest([bench.docs], request)
    [new] = tables.count_tables("default")
    assert new != old and tables.find(scope(), new, 0).table.body == (("z", "3"),)
    assert ingestor.delete("default", new)
    assert tables.count_tables("default") == {}


def test_lost_and_stray_tables_are_found_and_mended(bench, tmp_path):
    from ingest.parsing import DirectParserRunner
    from ingest.pipeline import Ingestor
    from ingest.request import IngestRequest

    tables = TableStore(tmp_path / "tables")
    index = DocumentIndex(FolderIndex(tmp_path / "chunks"), tables, lines(tmp_path), FigureStore(tmp_path / "figures"))
    ingestor = Ingestor(bench.ledger, index, bench.originals, bench.settings, DirectParserRunner())
    bench.write("a.csv", "name,n\nx,1\ny,2\n")
    ingestor.ingest([bench.docs], IngestRequest("default"))
    [kept] = tables.count_tables("default")
    assert ingestor.verify().faults == []
    tables.remove_document("default", kept)
    stray = "ef" * 32
    tables.write_document(document(stray), [PlacedTable(Table(ROWS))])
    found = ingestor.verify(repair=True)
    kinds = sorted((fault.kind, fault.part) for fault in found.faults)
    assert kinds == [("missing", "tables"), ("orphan", "tables")]
    assert found.is_sound and ingestor.verify().faults == []
    assert tables.count_tables("default") == {kept: 1}


def test_tables_go_along_when_only_the_readers_change(bench, tmp_path):
    from ingest.parsing import DirectParserRunner
    from ingest.pipeline import Ingestor
    from ingest.request import IngestRequest

    tables = TableStore(tmp_path / "tables")
    index = DocumentIndex(FolderIndex(tmp_path / "chunks"), tables, lines(tmp_path), FigureStore(tmp_path / "figures"))
    ingestor = Ingestor(bench.ledger, index, bench.originals, bench.settings, DirectParserRunner())
    bench.write("a.csv", "name,n\nx,1\ny,2\n")
    ingestor.ingest([bench.docs], IngestRequest("default"))
    ingestor.ingest([bench.docs], IngestRequest("default", ("hr",)))
    [kept] = tables.count_tables("default")
    with pytest.raises(NotFoundError):
        tables.find(scope(), kept, 0)
    assert tables.find(scope("default", "hr"), kept, 0).document_id == kept
    assert ingestor.verify().faults == []


def test_a_ledger_of_an_earlier_version_gets_its_new_column(tmp_path):
    import sqlite3

    from ingest.ledger import Ledger

    made = Ledger(tmp_path / "a.db")
    made.close()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("ALTER TABLE ingest_files DROP COLUMN warnings")
        connection.execute(
            "INSERT INTO ingest_files (collection, uri, document_id, title, media_type, size_bytes, status, readers,"
            " meta, fingerprint, chunks, pages, code, reason, retryable, attempts, previous_ids, duplicate_of,"
            " created_at, updated_at) VALUES ('c','u','d','t','m',1,'done','[]','{}','f',1,0,'','',0,1,'[]','','','')"
        )
    [row] = Ledger(tmp_path / "a.db").rows("c")
    assert row.warnings == ()
