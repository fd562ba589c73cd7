"""Which rows of a table a SELECT reads, so that they can be cited.

The tree of the statement is turned into one that gives the numbers of the rows: of a plain list those that
it shows, of a sum or a count all that its conditions let through. A statement over several tables, or with
another one inside, is not told. Knows trees as DuckDB writes them.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb


@dataclass(frozen=True, slots=True)
class UsedRows:
    """Rows of one relation by their numbers, in order."""

    table: str
    rows: tuple[int, ...]


def find_used(
    connection: duckdb.DuckDBPyConnection, statement: dict[str, Any], numbering: Mapping[str, str], limit: int
) -> UsedRows | None:
    """The rows that a checked statement reads; None when that cannot be told, or they are more than
    `limit`. `numbering` names the column of each relation that numbers the rows of its table."""
    node = statement["node"]
    source = node.get("from_table", {})
    inner = sum(str(part.get("type", "")).endswith("_NODE") for part in _walk(node))
    number = numbering.get(str(source.get("table_name", "")).casefold())
    if node.get("type") != "SELECT_NODE" or source.get("type") != "BASE_TABLE" or inner > 1 or not number:
        return None
    asked = copy.deepcopy(statement)
    _ask_for_rows(asked["node"], number, lists=_is_list(node))
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
    return UsedRows(str(source["table_name"]), tuple(dict.fromkeys(int(row[0]) for row in found)))


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
        part.get("class") in functions and not part.get("is_operator") for part in _walk(node["select_list"])
    )
    distinct = any(modifier["type"] == "DISTINCT_MODIFIER" for modifier in node["modifiers"])
    return not (grouped or counted or distinct)


def _ask_for_rows(node: dict[str, Any], number: str, lists: bool) -> None:
    node["select_list"] = [
        {
            "class": "COLUMN_REF",
            "type": "COLUMN_REF",
            "alias": "",
            "query_location": 0,
            "column_names": [number],
        }
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
