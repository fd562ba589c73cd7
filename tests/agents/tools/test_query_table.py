"""`query_table` over kept Parquet files and the real store of chunks."""

import numpy as np
import pytest

from agents.tools.query_table import QueryTableTool
from agents.tools.tool import ToolCall
from core.errors import InputError, NotFoundError
from core.paths import DataPaths
from core.seams import IndexRow
from core.settings import MilvusSettings, TableSettings
from core.types import Document, Scope
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.parsers.markdown import parse_markdown
from ingest.table_check import placed_tables
from ingest.table_store import TableStore
from retrieval.store import open_store
from tests.agents.tools.doubles import open_invoker

pytestmark = pytest.mark.anyio
OPEN, CLOSED = "ab" * 32, "cd" * 32
TEXT = """# Sales

| Region | 2023 | Row |
| --- | --- | --- |
| North | 1,310 | a |
| South | 1,005 | b |
| East | 2,000 | c |

Prices follow.

| Item | Price |
| --- | --- |
| tea | $3.50 |
| rice | $4 |

The host follows.

| Name | Dana Orlov |
| --- | --- |
| Date of birth | 4 May 1988 |
| Phone number | 555-0142 |
"""


@pytest.fixture
def tool(tmp_path):
    tables = TableStore(tmp_path / "tables")
    store = open_store(MilvusSettings(), DataPaths(tmp_path))
    store.open_collection("default", 8, "f")
    elements = parse_markdown(TEXT)
    for name, identity, readers in (("open", OPEN, ("everyone",)), ("closed", CLOSED, ("hr",))):
        document = Document(identity, f"/d/{name}.md", "Sales", "text/markdown", 1, "default", readers)
        tables.write_document(document, placed_tables(elements))
        chunks = chunk_elements(document, elements, ChunkLimits(400, 0), len)
        rows = [IndexRow(chunk, np.ones(8, np.float32), {1: 1.0}, readers) for chunk in chunks]
        store.upsert("default", rows)
    yield QueryTableTool(lambda: tables, lambda: store, TableSettings())
    store.close()


async def query(tool, tmp_path, who="ann", document="/d/open.md", **arguments):
    invoker, _ = open_invoker(tmp_path, tool)
    caller = ToolCall(who, Scope("default", frozenset({who})))
    return await invoker.invoke("query_table", {"document": document, **arguments}, caller)


async def test_tables_are_listed_with_their_columns(tool, tmp_path):
    found = await query(tool, tmp_path)
    assert [(t["name"], t["columns"], t["rows"]) for t in found.data["tables"]] == [
        ("t0", ["Region", "2023", "Row"], 3), ("t1", ["Item", "Price"], 2), ("t2", ["Name", "Dana Orlov"], 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "rows", "cited"),
    [
        ('SELECT sum("2023") FROM t0 WHERE Region <> \'East\'', [[2315]], ["North", "South"]),
        ('SELECT Region FROM t0 ORDER BY "2023" DESC LIMIT 1', [["East"]], ["East"]),
        ("SELECT avg(Price) FROM t1", [[3.75]], ["tea", "rice"]),
        ("SELECT count(*) FROM t1_cells WHERE value > 3.5", [[1]], ["rice"]),
        ("SELECT text FROM t2_cells WHERE text LIKE '%a%'", [["Dana Orlov"], ["4 May 1988"]], ["Name", "Date of birth"]),
        ("SELECT a.Region FROM t0 a, t1 b WHERE b.Item = 'tea' AND a.Row = 'b'", [["South"]], []),
        ("SELECT max(Price) FROM t1 WHERE Price < (SELECT max(Price) FROM t1)", [["3.50"]], []),
    ],
)
async def test_sql_gives_rows_and_cites_those_that_it_read(tool, tmp_path, sql, rows, cited):
    found = await query(tool, tmp_path, sql=sql)
    assert found.data["rows"] == rows and found.data["sql"] == sql
    assert [c.quote.split(" | ")[0].strip("| ") for c in found.citations] == cited
    assert all(c.document_id == OPEN for c in found.citations)


async def test_numbers_that_json_has_not_are_told_as_words(tool, tmp_path):
    found = await query(tool, tmp_path, sql="SELECT 'nan'::DOUBLE, '-inf'::DOUBLE")
    assert found.data["rows"] == [["nan", "-inf"]]
    found = await query(tool, tmp_path, sql="SELECT 12345678901234567890123456789::HUGEINT, 2::BIGINT")
    assert found.data["rows"] == [["12345678901234567890123456789", 2]]


async def test_a_question_is_answered_by_rules_or_refused(tool, tmp_path):
    found = await query(tool, tmp_path, question="What is the price of tea?")
    assert found.text == "Tea, Price: $3.50." and found.data["cells"][0]["text"] == "$3.50"
    assert [c.quote for c in found.citations] == ["| tea | $3.50 |"]
    with pytest.raises(InputError, match="not sure"):
        await query(tool, tmp_path, question="Who owns the shop?")


@pytest.mark.parametrize("sql", ["SELECT * FROM t7", "SELECT * FROM '/etc/passwd'", "DROP TABLE t0", "SELECT nothing FROM t0"])
async def test_other_sql_is_refused(tool, tmp_path, sql):
    with pytest.raises(InputError):
        await query(tool, tmp_path, sql=sql)


async def test_tables_of_others_are_as_if_not_there(tool, tmp_path):
    assert (await query(tool, tmp_path, "hr", "/d/closed.md", sql="SELECT count(*) FROM t0")).data["rows"] == [[3]]
    for document in ("/d/closed.md", CLOSED, "/d/none.md"):
        with pytest.raises(NotFoundError, match="no document"):
            await query(tool, tmp_path, document=document, sql="SELECT * FROM t0")
