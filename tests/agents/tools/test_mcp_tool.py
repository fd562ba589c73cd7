"""Tools of a real MCP server in a process of its own: named ones alone, untrusted, and failing as ours do."""

import sys
from pathlib import Path

import pytest

from agents.tools.mcp_tool import build_mcp_tools
from app.services import Services
from core.errors import ConflictError, InputError, NotFoundError, SettingsError, ToolError
from core.settings import Settings
from core.settings_tools import McpServer
from tests.agents.tools.doubles import call, open_invoker

pytestmark = pytest.mark.anyio
SCRIPT = str(Path(__file__).with_name("mcp_server.py"))


def server(**more) -> McpServer:
    return McpServer(**{"command": (sys.executable, SCRIPT), "tools": {"add": {"effects": False}}} | more)


async def test_a_named_tool_is_called_and_not_trusted(tmp_path):
    invoker, _ = open_invoker(tmp_path, *build_mcp_tools({"notes": server()}))
    found = await invoker.invoke("notes_add", {"text": "milk"}, call())
    assert found.is_untrusted and found.text.startswith("added milk") and "![" not in found.text
    assert [tool.name for tool in invoker.registry.usable("reader")] == ["notes_add"]
    assert "Ignore" not in invoker.registry.get("notes_add", "reader").descriptions["en"]
    with pytest.raises(NotFoundError):
        await invoker.invoke("notes_hidden", {}, call())


@pytest.mark.parametrize(
    ("tool", "arguments", "error", "words"),
    [
        ("add", {"text": ""}, InputError, "no text"),
        ("add", {"wrong": 1}, InputError, "text"),
        ("add", {"text": "die"}, ToolError, "MCP server notes"),
        ("gone", {}, InputError, "gone"),
    ],
)
async def test_what_fails_there_is_an_error_here(tmp_path, tool, arguments, error, words):
    invoker, _ = open_invoker(tmp_path, *build_mcp_tools({"notes": server(tools={tool: {"effects": False}})}))
    with pytest.raises(error, match=words):
        await invoker.invoke(f"notes_{tool}", arguments, call())


async def test_what_failed_there_and_may_have_had_its_effect_is_not_done_again(tmp_path):
    invoker, _ = open_invoker(tmp_path, *build_mcp_tools({"notes": server(tools={"add": {"effects": True}})}))
    with pytest.raises(ToolError, match="no text"):
        await invoker.invoke("notes_add", {"text": ""}, call(key="k1"))
    with pytest.raises(ConflictError, match="cannot be told"):
        await invoker.invoke("notes_add", {"text": ""}, call(key="k1"))


@pytest.mark.parametrize("where", [{"command": ("/gone/program",)}, {"command": (), "url": "http://127.0.0.1:9/mcp"}])
async def test_a_server_that_is_not_there_is_an_outage(tmp_path, where):
    invoker, _ = open_invoker(tmp_path, *build_mcp_tools({"notes": server(**where)}))
    with pytest.raises(ToolError, match="MCP server notes"):
        await invoker.invoke("notes_add", {"text": "x"}, call())


def test_a_tool_has_effects_unless_it_is_said_otherwise_and_settings_are_checked(tmp_path):
    [tool] = build_mcp_tools({"notes": server(tools={"add": {"role": "editor"}})})
    assert tool.effects and tool.roles == {"editor", "admin"}
    with pytest.raises(SettingsError, match="url or a command"):
        build_mcp_tools({"notes": server(url="http://x.example/mcp")})
    settings = Settings(_env_file=None, data=tmp_path, tools={"roles": {"gone": "admin"}})
    with pytest.raises(SettingsError, match="'gone'"):
        Services(settings).tools()
