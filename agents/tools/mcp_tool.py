"""Tools of MCP servers (Model Context Protocol), each of them named in the settings.

A server may offer more; what the settings do not name cannot be called, and its descriptions are not
read. What it answers is untrusted. Knows the protocol's client (extra [mcp]); knows nothing of servers.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpx
from pydantic import ConfigDict

from agents.guards.outgoing import plain_pictures
from agents.tools.tool import ROLES, ToolArguments, ToolCall, ToolResult
from core.errors import InputError, SettingsError, ToolError
from core.settings_tools import McpRule, McpServer
from core.text import storable

if TYPE_CHECKING:
    from mcp import ClientSession

MAX_TEXT_CHARS = 50_000
TIMEOUT = httpx.Timeout(10.0, read=300.0)
"""Of the connection; how long a call may take is the invoker's business."""


class McpArguments(ToolArguments):
    """Whatever the server takes: it checks them itself."""

    model_config = ConfigDict(extra="allow", frozen=True)


class McpTool:
    """One tool of one server. It is called over a connection of its own: none is left open while a
    conversation waits."""

    arguments = McpArguments
    reads_documents = False
    timeout_s = 0.0

    def __init__(self, server: str, tool: str, where: McpServer, rule: McpRule) -> None:
        self.name = f"{server}_{tool}".lower().replace("-", "_")
        self.effects = rule.effects
        self.roles = frozenset(ROLES[ROLES.index(rule.role) :])
        self.descriptions: Mapping[str, str] = {
            "zh": rule.description or f"MCP 服务器 {server} 的工具 {tool}。",
            "en": rule.description or f"The tool {tool} of the MCP server {server}.",
        }
        self._server, self._tool, self._where = server, tool, where

    async def run(self, arguments: McpArguments, call: ToolCall) -> ToolResult:
        """See `Tool.run`. The key of the call goes along as `idempotency_key` in the request's metadata,
        for a server that knows what to do with it."""
        from mcp import McpError

        try:
            async with self._session() as session:
                answer = await session.call_tool(
                    self._tool, arguments.model_dump(mode="json"), meta={"idempotency_key": call.key}
                )
        except (McpError, OSError, httpx.HTTPError, ExceptionGroup) as exc:
            raise ToolError(
                f"the MCP server {self._server} failed: {_reason(exc)}",
                remedy="see that it runs, and its log",
            ) from exc
        text = "\n".join(part.text for part in answer.content if part.type == "text")
        text = plain_pictures(storable(text))[:MAX_TEXT_CHARS]
        if answer.isError:
            why = f"{self.name}: {' '.join(text.split())[:300]}"
            if self.effects:
                # It may have failed behind its effect: not to be done again under this key.
                raise ToolError(why, remedy="look whether it had its effect; if not, call it anew")
            raise InputError(why, remedy="mend the arguments")
        return ToolResult(text, answer.structuredContent or {}, is_untrusted=True)

    @asynccontextmanager
    async def _session(self) -> "AsyncIterator[ClientSession]":
        from mcp import ClientSession, StdioServerParameters
        from mcp.client.stdio import stdio_client
        from mcp.client.streamable_http import streamable_http_client

        token = self._where.token.get_secret_value()
        headers = {"Authorization": f"Bearer {token}"} if token else None
        async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT) as client:
            if self._where.command:
                program, *words = self._where.command
                opened = stdio_client(StdioServerParameters(command=program, args=words))
            else:
                opened = streamable_http_client(self._where.url, http_client=client)
            async with opened as (reading, writing, *_), ClientSession(reading, writing) as session:
                await session.initialize()
                yield session


def build_mcp_tools(servers: Mapping[str, McpServer]) -> list[McpTool]:
    """The named tools of all servers; nothing is connected to.

    Raises:
        SettingsError: the client is not installed, or a server has no address or two.
    """
    if servers and find_spec("mcp") is None:
        raise SettingsError(
            "tools.mcp names servers, and mcp is not installed", remedy="run: pip install 'attest[mcp]'"
        )
    for name, server in servers.items():
        if bool(server.url) is bool(server.command):
            raise SettingsError(f"tools.mcp.{name} wants a url or a command", remedy="write one of both")
    return [
        McpTool(name, tool, server, rule)
        for name, server in servers.items()
        for tool, rule in server.tools.items()
    ]


def _reason(error: Exception) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return " ".join(str(error).split())[:200] or type(error).__name__
