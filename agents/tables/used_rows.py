"""Which rows of a table a SELECT reads, so that they can be cited.

The tree of the statement is turned into one that gives the numbers of the rows: of a plain list those that
it shows, of a sum or a count all that its conditions let through. A statement over several tables, or with
another one inside, is not told. Knows trees as DuckDB writes them.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

ROW = "row"
"""The column of each relation that numbers the rows of the table."""


@dataclass(frozen=True, slots=True)
class UsedRows:
    """Rows of one relation by their numbers, in order, and the columns that the statement names; `every`
    when it asks for all."""

    table: str
    rows: tuple[int, ...]
    columns: tuple[str, ...]
    every: bool


def find_used(connection: duckdb.DuckDBPyConnection, statement: dict[str, Any], limit: int) -> UsedRows | None:
    """The rows that a checked statement reads; None when that cannot be told, or they are more than
    `limit`."""
    node = statement["node"]
    source = node.get("from_table", {})
    nodes = list(_walk(node))
    inner = sum(str(part.get("type", "")).endswith("_NODE") for part in nodes)
    if node.get("type") != "SELECT_NODE" or source.get("type") != "BASE_TABLE" or inner > 1:
        return None
    names = [name for part in nodes if part.get("class") == "COLUMN_REF" for name in part["column_names"][-1:]]
    every = any(part.get("class") == "STAR" for part in nodes)
    asked = copy.deepcopy(statement)
    _ask_for_rows(asked["node"], lists=_is_list(node))
    try:
        # Deserialised and run in one go: the tree never becomes text that is pasted together.
        (sql,) = connection.execute(
            "SELECT json_deserialize_sql(?)", [json.dumps({"error": False, "statements": [asked]})]
        ).fetchone()
        found = connection.execute(sql).fetchmany(limit + 1)
    except duckdb.Error:
        return None
    if len(found) > limit:
        return None
    rows = tuple(dict.fromkeys(int(row[0]) for row in found))
    return UsedRows(str(source["table_name"]), rows, tuple(dict.fromkeys(names)), every)


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part)


def _is_list(node: dict[str, Any]) -> bool:
    """Whether each row of the result is one of the table: nothing is put together."""
    functions = {"FUNCTION", "WINDOW"}
    grouped = node["group_expressions"] or node["aggregate_handling"] != "STANDARD_HANDLING"
    counted = any(
        part.get("class") in functions and not part.get("is_operator")
        for part in _walk(node["select_list"])
    )
    distinct = any(modifier["type"] == "DISTINCT_MODIFIER" for modifier in node["modifiers"])
    return not (grouped or counted or distinct)


def _ask_for_rows(node: dict[str, Any], lists: bool) -> None:
    node["select_list"] = [
        {"class": "COLUMN_REF", "type": "COLUMN_REF", "alias": "", "query_location": 0, "column_names": [ROW]}
    ]
    if lists:
        return
    node.update(
        modifiers=[],
        group_expressions=[],
        group_sets=[],
        having=None,
        qualify=None,
        aggregate_handling="STANDARD_HANDLING",
    )
