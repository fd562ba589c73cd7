"""SQL over tables: what may be run, and that nothing but the given tables can be read."""

import os

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tables.sandbox import SqlLimits, run_select
from core.errors import InputError

TABLES = {"t0": pa.table({"row": [1, 2, 3], "金额 x": [1.5, 2.5, 4.0], "d": ["a", "b", None]})}
SECRET = "secret-of-this-machine"
ALLOWED = [
    ('SELECT sum("金额 x") / 2 AS s FROM t0 WHERE row < 3', [(2.0,)]),
    ("FROM t0 SELECT count(*)", [(3,)]),
    ("WITH a AS (SELECT row FROM t0) SELECT max(row) FROM a", [(3,)]),
    ("SELECT d, count(*) FROM t0 GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 1", [("a", 1)]),
    ("SELECT a.row FROM t0 a JOIN t0 b USING (row) WHERE b.d ILIKE 'B'", [(2,)]),
    ("SELECT (SELECT max(row) FROM t0) - 1 UNION ALL SELECT 7", [(2,), (7,)]),
    ("SELECT " + "+".join(["1"] * 60), [(60,)]),
    ("SELECT row_number() OVER (ORDER BY row DESC) FROM t0 WHERE d IS NULL", [(1,)]),
]
REFUSED = [
    "SELECT 1; SELECT 2",
    "INSERT INTO t0 VALUES (1, 2, 'c')",
    "CREATE TABLE x AS SELECT * FROM t0",
    "COPY t0 TO '/tmp/x.csv'",
    "ATTACH '/tmp/x.db'",
    "PRAGMA version",
    "SET threads = 8",
    "INSTALL httpfs",
    "LOAD httpfs",
    "CALL pragma_version()",
    "EXPLAIN SELECT 1",
    "SHOW TABLES",
    "DESCRIBE t0",
    "SUMMARIZE t0",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM t1",
    "SELECT * FROM main.t0",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM query('SELECT 1')",
    "SELECT current_setting('secret_directory')",
    "SELECT getenv('HOME')",
    "SELECT * FROM range(1000000000000)",
    "SELECT repeat('x', 1000000000)",
    "SELECT system.main.sum(row) FROM t0",
    "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM a) SELECT count(*) FROM a",
    "SELECT ?",
    "SELECT $1",
    "",
    "-- nothing",
    "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "SELECT " + "-".join(["1"] * 3000),
    "SELECT " + "+".join(["1"] * 900),
    "SELECT " + "+".join(["1"] * 150),
    "SELECT * FROM " + "(SELECT * FROM " * 300 + "t0" + ")" * 300,
    "SELECT '\ud800'",
    "SELECT CAST(d AS INTEGER) FROM t0",
]


@pytest.mark.parametrize(("sql", "rows"), ALLOWED)
def test_one_select_of_known_parts_runs(sql, rows):
    assert sorted(map(str, run_select(sql, TABLES).rows)) == sorted(map(str, rows))


@pytest.mark.parametrize("sql", REFUSED)
def test_all_else_is_refused_in_words(sql):
    with pytest.raises(InputError) as error:
        run_select(sql, TABLES)
    assert error.value.remedy


def test_rows_beyond_the_limit_are_cut_and_that_is_told():
    found = run_select("SELECT a.row FROM t0 a, t0 b", TABLES, SqlLimits(rows=4))
    assert len(found.rows) == 4 and found.is_cut and found.columns == ("row",)


def test_letters_beyond_the_limit_are_cut_and_a_row_that_is_too_long_by_itself_is_refused():
    many = {"t0": pa.table({"row": list(range(20)), "text": ["x" * 90] * 20})}
    found = run_select("SELECT row, text FROM t0", many, SqlLimits(chars=500))
    assert len(found.rows) == 5 and found.is_cut
    assert not run_select("SELECT row, text FROM t0 WHERE row < 5", many, SqlLimits(chars=500)).is_cut
    with pytest.raises(InputError, match="a row of the result has more than 500 characters"):
        run_select("SELECT string_agg(text) FROM t0", many, SqlLimits(chars=500))


def test_what_runs_too_long_is_interrupted():
    joined = ", ".join(f"t0 x{at}" for at in range(30))
    with pytest.raises(InputError, match="longer than 0.2 s"):
        run_select(f"SELECT count(*) FROM {joined} WHERE x0.row <> x29.row", TABLES, SqlLimits(seconds=0.2))


def test_what_takes_too_much_memory_is_ended():
    many = {"t0": pa.table({"row": list(range(20_000)), "text": [f"{n:0200}" for n in range(20_000)]})}
    sql = "SELECT max(m) FROM (SELECT string_agg(a.text || b.text) AS m FROM t0 a, t0 b GROUP BY a.row)"
    with pytest.raises(InputError, match="takes"):
        run_select(sql, many, SqlLimits(memory_mb=64, seconds=20))


sources = st.sampled_from(
    ["t0", "'{f}'", "read_text('{f}')", "read_csv('{f}')", "read_blob('{f}')", "glob('{f}')", '"{f}"', "main.t0",
     "read_parquet('{f}')", "sniff_csv('{f}')", "parquet_metadata('{f}')", "duckdb_secrets()", "pragma_database_list",
     "query('FROM ''{f}''')", "query_table(['{f}'])", "(FROM '{f}')", "(VALUES ('{f}'))", "sqlite_master"]
)  # fmt: skip
values = st.sampled_from(
    ["*", "1", "d", "getenv('ATTEST_TEST_SECRET')", "current_setting('home_directory')", "(SELECT content FROM '{f}')",
     "(SELECT content FROM read_text('{f}'))", "version()", "columns(*)", "current_user", "getvariable('x')", "x'00'"]
)  # fmt: skip
shapes = st.sampled_from(
    ["SELECT {v} FROM {s}", "FROM {s} SELECT {v}", "WITH a AS (SELECT {v} FROM {s}) SELECT * FROM a",
     "SELECT {v} FROM t0 UNION ALL SELECT {v} FROM {s}", "SELECT {v} FROM t0 JOIN {s} ON true",
     "SELECT {v} FROM t0 WHERE EXISTS (SELECT 1 FROM {s})", "SELECT CASE WHEN true THEN {v} END FROM {s} x",
     "SELECT {v} FROM t0, LATERAL (SELECT * FROM {s})", "COPY (SELECT {v} FROM {s}) TO '{f}'",
     "SELECT /* */ {v} -- x\n FROM {s}", "PIVOT {s} ON {v}", "SELECT {v} FROM {s} ORDER BY {v} LIMIT 1;"]
)  # fmt: skip


@pytest.fixture(scope="module")
def secret_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("outside") / "secret.csv"
    path.write_text(f"content\n{SECRET}\n", encoding="utf-8")
    os.environ["ATTEST_TEST_SECRET"] = SECRET
    yield path
    del os.environ["ATTEST_TEST_SECRET"]


@given(shape=shapes, value=values, source=sources)
def test_nothing_outside_is_readable(secret_file, shape, value, source):
    sql = shape.replace("{v}", value).replace("{s}", source).replace("{f}", str(secret_file))
    before = secret_file.read_bytes()
    try:
        found = run_select(sql, TABLES)
    except InputError as refused:
        assert SECRET not in str(refused)
    else:
        assert SECRET not in str(found.rows) and "/" not in str(found.rows).replace(str(secret_file), "")
    assert secret_file.read_bytes() == before


@given(st.text(max_size=60))
def test_any_text_is_run_or_refused(text):
    try:
        run_select(f"SELECT {text} FROM t0", TABLES)
    except InputError as refused:
        assert str(refused)
