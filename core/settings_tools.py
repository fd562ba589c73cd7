"""The settings of tools: which there are, who may use them, and within which bounds."""

from typing import Literal

from pydantic import Field

from core.settings_section import Section

RoleName = Literal["reader", "editor", "admin"]


class ToolSettings(Section):
    """Tools that answers are made with, and that REST and the command line call by name."""

    enabled: tuple[str, ...] = Field(
        ("search", "read_document", "query_table", "calculate", "remember", "recall"),
        description="tools that there are, as a JSON list",
    )
    roles: dict[str, RoleName] = Field(
        {},
        description="the least role that may use a tool, as JSON: tool to reader, editor or admin; else the tool's own",
    )
    timeout_s: float = Field(
        30.0, gt=0, le=600, description="longest run of a tool that names no time of its own"
    )
    calls_per_turn: int = Field(12, ge=1, le=100, description="calls of tools that one question may make")
    audit_days: float = Field(90, ge=0, description="days that the log of calls is kept; 0: none is kept")
