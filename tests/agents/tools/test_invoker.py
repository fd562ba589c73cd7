"""Calls of tools: checked, timed, counted, logged, and an effect had once."""

import asyncio
import json

import pytest

from agents.tools.audit import MASK, Outcome, masked
from agents.tools.calculate import CalculateTool
from agents.tools.invoker import ToolBudget
from agents.tools.registry import ToolRegistry
from core.errors import AccessError, ConflictError, InputError, NotFoundError, SettingsError, ToolError
from tests.agents.tools.doubles import Killed, KnowingNoteTool, NoteTool, SlowTool, call, open_invoker

pytestmark = pytest.mark.anyio


async def test_a_tool_is_called_and_the_call_is_logged(tmp_path):
    invoker, audit = open_invoker(tmp_path, CalculateTool())
    found = await invoker.invoke("calculate", {"expression": "18% of 2,340"}, call())
    assert found.data["value"] == "421.2"
    [row] = audit.rows()
    assert (row.owner, row.tool, row.outcome, row.arguments) == (
        "ann", "calculate", Outcome.DONE, {"expression": "18% of 2,340"},
    )  # fmt: skip
    assert row.ms > 0 and row.called > "2026"


@pytest.mark.parametrize(
    ("name", "arguments", "error", "words"),
    [
        ("gone", {}, NotFoundError, "no tool"),
        ("slow", {"text": "x"}, AccessError, "role reader"),
        ("calculate", {}, InputError, "expression"),
        ("calculate", {"expression": "1", "more": 2}, InputError, "more"),
        ("calculate", {"expression": "1/0"}, InputError, "zero"),
    ],
)
async def test_a_wrong_call_is_refused_and_logged(tmp_path, name, arguments, error, words):
    invoker, audit = open_invoker(tmp_path, CalculateTool(), SlowTool())
    with pytest.raises(error, match=words):
        await invoker.invoke(name, arguments, call())
    [row] = audit.rows()
    assert (row.outcome, row.code) == (Outcome.REFUSED, error.code)


async def test_what_takes_too_long_is_given_up(tmp_path):
    invoker, audit = open_invoker(tmp_path, SlowTool())
    with pytest.raises(ToolError, match="longer than 0.02 s"):
        await invoker.invoke("slow", {"text": "x"}, call(role="editor"))
    assert [row.outcome for row in audit.rows()] == [Outcome.FAILED]


async def test_a_question_has_a_budget_of_calls(tmp_path):
    invoker, _ = open_invoker(tmp_path, CalculateTool())
    budget = ToolBudget(2)
    for _ in range(2):
        await invoker.invoke("calculate", {"expression": "1+1"}, call(), budget)
    with pytest.raises(InputError, match="as many calls"):
        await invoker.invoke("calculate", {"expression": "1+1"}, call(), budget)


async def test_secrets_are_not_logged(tmp_path):
    invoker, audit = open_invoker(tmp_path, NoteTool())
    await invoker.invoke("note", {"text": "key is sk-abcdef1234567890", "api_key": "hush"}, call())
    [row] = audit.rows()
    assert row.arguments == {"text": f"key is {MASK}", "api_key": MASK}
    assert masked({"a": {"password": "x", "b": ["Bearer abc.def"]}}) == {"a": {"password": MASK, "b": [MASK]}}


async def test_an_effect_is_had_once_under_its_key(tmp_path):
    tool = NoteTool()
    invoker, _ = open_invoker(tmp_path, tool)
    one = await invoker.invoke("note", {"text": "a"}, call(key="k1"))
    other = await invoker.invoke("note", {"text": "a"}, call(key="k1"))
    assert one == other and len(tool.written) == 1
    await invoker.invoke("note", {"text": "a"}, call("bob", key="k1"))
    await invoker.invoke("note", {"text": "a"}, call())
    assert len(tool.written) == 3
    with pytest.raises(ConflictError, match="another call"):
        await invoker.invoke("note", {"text": "b"}, call(key="k1"))


class LateNoteTool(KnowingNoteTool):
    """Has its effect a moment after it was called."""

    async def run(self, arguments, call):
        await asyncio.sleep(0.05)
        return await super().run(arguments, call)


async def test_the_same_call_at_once_has_its_effect_once(tmp_path):
    tool = LateNoteTool()
    invoker, _ = open_invoker(tmp_path, tool)
    one, other = await asyncio.gather(
        *(invoker.invoke("note", {"text": "a"}, call(key="k1")) for _ in range(2))
    )
    assert one == other and len(tool.written) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {"\udfff": 1}, [[float("-inf")]]])
async def test_what_no_reply_can_tell_is_refused_and_logged_so_that_it_can_be_read(tmp_path, value):
    invoker, audit = open_invoker(tmp_path, NoteTool())
    with pytest.raises(InputError, match="finite"):
        await invoker.invoke("note", {"text": value}, call())
    [row] = audit.rows()
    assert json.dumps(row.arguments, allow_nan=False, ensure_ascii=False).encode()


async def test_what_broke_off_is_resolved_by_the_tool_itself(tmp_path):
    tool = KnowingNoteTool(breaks=Killed())
    invoker, _ = open_invoker(tmp_path, tool)
    with pytest.raises(Killed):
        await invoker.invoke("note", {"text": "a"}, call(key="k1"))
    tool.breaks = None
    assert (await invoker.invoke("note", {"text": "a"}, call(key="k1"))).text == "noted a"
    assert len(tool.written) == 1


async def test_what_broke_off_and_cannot_be_told_is_not_done_again(tmp_path):
    tool = NoteTool(breaks=Killed())
    invoker, _ = open_invoker(tmp_path, tool)
    with pytest.raises(Killed):
        await invoker.invoke("note", {"text": "a"}, call(key="k1"))
    tool.breaks = None
    with pytest.raises(ConflictError, match="cannot be told"):
        await invoker.invoke("note", {"text": "a"}, call(key="k1"))
    assert len(tool.written) == 1


async def test_what_the_tool_refused_can_be_called_again(tmp_path):
    tool = NoteTool()
    invoker, _ = open_invoker(tmp_path, tool)
    for _ in range(2):
        with pytest.raises(InputError, match="nothing to write"):
            await invoker.invoke("note", {"text": " "}, call(key="k1"))
    assert (await invoker.invoke("note", {"text": "a"}, call(key="k1"))).text == "noted a"


def test_settings_narrow_who_may_use_a_tool_and_never_widen_it():
    registry = ToolRegistry([CalculateTool(), SlowTool()], {"calculate": "editor", "slow": "reader"})
    assert [tool.name for tool in registry.usable("reader")] == []
    assert [tool.name for tool in registry.usable("editor")] == ["calculate", "slow"]
    with pytest.raises(SettingsError, match="two tools"):
        registry.add(CalculateTool())
