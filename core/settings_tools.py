"""The settings of tools: which there are, who may use them, and within which bounds."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from core.settings_section import Section

RoleName = Literal["reader", "editor", "admin"]
ServerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,30}$")]


class McpRule(Section):
    """What is known of a tool of an MCP server. Unless it is said otherwise, it changes something, so a
    conversation waits for approval."""

    effects: bool = True
    role: RoleName = "reader"
    description: str = Field("", max_length=500)


class McpServer(Section):
    """An MCP server: `url` (streamable HTTP, with `token` as bearer) or `command` (a program that speaks
    over its pipes), and which of its tools may be called."""

    url: str = ""
    command: tuple[str, ...] = ()
    token: SecretStr = SecretStr("")
    tools: dict[str, McpRule] = Field(min_length=1)


class ToolSettings(Section):
    """Tools that answers are made with, and that REST and the command line call by name."""

    enabled: tuple[str, ...] = Field(
        ("search", "read_document", "query_table", "calculate", "remember", "recall"),
        description="tools that there are, as a JSON list; python and web_search are off unless named",
    )
    roles: dict[str, RoleName] = Field(
        {},
        description="the least role that may use a tool, as JSON: tool to reader, editor or admin; else the tool's own",
    )
    timeout_s: float = Field(
        30.0, gt=0, le=600, description="longest run of a tool that names no time of its own"
    )
    calls_per_turn: int = Field(12, ge=1, le=100, description="calls of tools that one question may make")
    web_search_url: str = Field("", description="SearXNG server of the tool web_search, http://host:8080; it wants format json allowed")
    mcp: dict[ServerName, McpServer] = Field(
        {}, description="MCP servers and which of their tools may be called, as JSON (docs/tools.md; extra [mcp])"
    )
    audit_days: float = Field(90, ge=0, description="days that the log of calls is kept; 0: none is kept")
