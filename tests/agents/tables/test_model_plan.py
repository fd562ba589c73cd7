"""Plans of a chat model: closed lists in the schema, and nothing taken that is not on them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.prompt_library import PromptLibrary
from agents.tables.cues import Operation
from agents.tables.grid import read_grid
from agents.tables.model_plan import plan_by_model
from agents.tables.reckoning import reckon
from core.types import Table, Usage

pytestmark = pytest.mark.anyio
GRID = read_grid(Table((("", "2019", "2018"), ("Cost", "5", "4"), ("Cost", "7", "6"), ("Note", "none", "n/a"))))


class ListChat:
    """Gives one object, whatever the schema says, and keeps what it was asked."""

    name = "list"

    def __init__(self, value) -> None:
        self.value, self.asked = value, []

    async def structured(self, messages, schema, options):
        self.asked.append((messages, schema))
        return self.value, Usage(9, 3, 1)


async def planned(value, grid=GRID, question="How did the second cost change?"):
    chat = ListChat(value)
    return await plan_by_model(chat, PromptLibrary(), question, grid), chat


async def test_the_model_chooses_from_lists_and_duckdb_reckons():
    made, chat = await planned({"operation": "difference", "rows": ["Cost (2)"], "columns": ["2019", "2018"]})
    assert made.plan.operation is Operation.DIFFERENCE and made.usage == Usage(9, 3, 1)
    assert reckon(made.plan, GRID).value == 1 and [cell.row for cell in made.plan.cells] == [2, 2]
    [(messages, schema)] = chat.asked
    assert schema["properties"]["rows"]["items"]["enum"] == ["Cost", "Cost (2)", "Note"]
    assert "second cost" in messages[-1].content and "<labels-" in messages[-1].content


@pytest.mark.parametrize(
    "value",
    [
        {}, {"operation": "drop", "rows": ["Cost"], "columns": ["2019"]},
        {"operation": "sum", "rows": [], "columns": ["2019"]}, {"operation": "sum", "rows": "Cost", "columns": ["2019"]},
        {"operation": "sum", "rows": ["Profit"], "columns": ["2019"]}, {"operation": "sum", "rows": [1], "columns": ["2019"]},
        {"operation": "difference", "rows": ["Cost"], "columns": ["2019"]},
        {"operation": "sum", "rows": ["Note", "Cost"], "columns": ["2019"]},
    ],
)  # fmt: skip
async def test_what_is_not_on_the_lists_or_cannot_be_reckoned_is_no_plan(value):
    made, _ = await planned(value)
    assert made.plan is None and made.usage.model_calls == 1


async def test_an_axis_that_is_no_list_is_not_asked_about():
    long = read_grid(Table((("", "2019"), *((f"row {at}", "1") for at in range(70)))))
    made, chat = await planned({}, long)
    assert made.plan is None and made.usage == Usage() and chat.asked == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["Cost", "2019", "sum", "cells"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["operation", "rows", "columns"]), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["operation", "rows", "columns", "more"]), json_values))
async def test_any_object_is_a_sound_plan_or_none(value):
    made, _ = await planned(value)
    assert made.plan is None or reckon(made.plan, GRID) is not None
