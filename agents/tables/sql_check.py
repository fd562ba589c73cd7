"""What SQL may be run over tables: one SELECT of known parts. Everything that is not listed is refused.

DuckDB's own parser reads the statement (`json_serialize_sql`); its tree is walked node by node, so a
name in a string, a comment or another dialect cannot deceive. Knows no data.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

from core.errors import InputError

MOST_CHARS = 8_000
MOST_NODES = 2_000
MOST_DEPTH = 200
"""Levels of the tree: what is run over it later is recursive."""
_REMEDY = "send one SELECT over the tables that are listed"

_FUNCTIONS = frozenset(
    re.findall(
        r"\S+",
        """
    + - * / // % || ~~ !~~ ~~* !~~* abs avg ceil ceiling coalesce concat contains count count_star date_diff
    date_part date_trunc datediff datepart day ends_with first floor greatest ifnull instr last lcase least
    left len length like_escape lower ltrim max mean median min mod mode month nullif power prefix product
    quantile_cont quarter regexp_matches replace right round rtrim sign sqrt starts_with stddev stddev_samp
    string_agg strip_accents substr substring suffix sum trim trunc ucase upper var_samp variance year
    any_value arg_max arg_min not_ilike_escape not_like_escape ilike_escape
            row_number rank dense_rank lag lead
    """,
    )
)
_TABLES = frozenset(("BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY"))
_NODES = frozenset(("SELECT_NODE", "SET_OPERATION_NODE"))
_CLASSES = frozenset(
    re.findall(
        r"\w+",
        "BETWEEN CASE CAST COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR STAR SUBQUERY WINDOW",
    )
)
_MODIFIERS = frozenset(("ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER"))


def read_select(parser: duckdb.DuckDBPyConnection, sql: str, tables: frozenset[str]) -> dict[str, Any]:
    """The tree of a statement that may be run over `tables`; `parser` is any connection.

    Raises:
        InputError: it is no single SELECT, or uses a table, a function or a form that is not allowed.
    """
    if len(sql) > MOST_CHARS:
        raise InputError(f"the SQL has {len(sql)} characters, {MOST_CHARS} are allowed", remedy=_REMEDY)
    tree = _parse(parser, sql)
    statements = tree.get("statements", [])
    if len(statements) != 1:
        raise InputError(f"there are {len(statements)} statements, one is allowed", remedy=_REMEDY)
    nodes = list(_walk(statements[0]))
    if len(nodes) > MOST_NODES:
        raise InputError("the SQL has too many parts", remedy=_REMEDY)
    named = {entry["key"].casefold() for node in nodes for entry in _ctes(node)}
    allowed = {name.casefold() for name in tables} | named
    for node in nodes:
        _check(node, allowed)
    return statements[0]


def _parse(parser: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    try:
        sql.encode()
        (text,) = parser.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    except (duckdb.Error, UnicodeError) as exc:
        raise InputError(f"the SQL cannot be read: {str(exc).partition(chr(10))[0]}", remedy=_REMEDY) from exc
    try:
        tree = json.loads(text)
    except RecursionError as exc:
        raise _too_deep() from exc
    if tree.get("error"):
        reason = str(tree.get("error_message", "")).partition("\n")[0]
        raise InputError(f"the SQL cannot be read: {reason}", remedy=_REMEDY)
    return tree


def _walk(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if depth > MOST_DEPTH:
        raise _too_deep()
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _walk(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part, depth + 1)


def _ctes(node: dict[str, Any]) -> list[dict[str, Any]]:
    entries = node.get("cte_map")
    return entries.get("map", []) if isinstance(entries, dict) else []


def _check(node: dict[str, Any], tables: set[str]) -> None:
    kind, family = node.get("type"), node.get("class")
    if family is not None:
        if family not in _CLASSES:
            raise _refused(str(kind or family))
        _check_function(node)
    elif "table_name" in node or "from_table" in node or (isinstance(kind, str) and kind.endswith("_NODE")):
        _check_source(node, str(kind), tables)
    elif isinstance(kind, str) and kind.endswith("_MODIFIER") and kind not in _MODIFIERS:
        raise _refused(kind)
    source = node.get("from_table")
    if isinstance(source, dict) and source.get("type") not in _TABLES:
        raise InputError(f"{source.get('type')} is no source of rows that is allowed", remedy=_REMEDY)
    for side in ("left", "right"):
        part = node.get(side)
        is_source = kind == "JOIN" and isinstance(part, dict)
        if is_source and part.get("type") not in _TABLES:
            raise InputError(f"{part.get('type')} is no source of rows that is allowed", remedy=_REMEDY)


def _check_function(node: dict[str, Any]) -> None:
    name = node.get("function_name")
    if name is None:
        return
    if str(name).casefold() not in _FUNCTIONS or node.get("schema") or node.get("catalog"):
        raise InputError(f"the function {str(name)[:60]!r} is not allowed in SQL over tables", remedy=_REMEDY)


def _check_source(node: dict[str, Any], kind: str, tables: set[str]) -> None:
    if kind.endswith("_NODE") and kind not in _NODES:
        raise _refused(kind)
    if "table_name" not in node:
        return
    name = str(node["table_name"])
    if kind != "BASE_TABLE" or node.get("schema_name") or node.get("catalog_name"):
        raise InputError(f"{name[:60]!r} is no table that may be read", remedy=_REMEDY)
    if name.casefold() not in tables:
        raise InputError(f"there is no table {name[:60]!r}", remedy=f"there are: {', '.join(sorted(tables))}")


def _too_deep() -> InputError:
    return InputError("the SQL is nested too deeply", remedy=_REMEDY)


def _refused(form: str) -> InputError:
    return InputError(f"{form.lower()} is not allowed in SQL over tables", remedy=_REMEDY)
