"""How the tools are made of other parts. Knows builders and the settings; holds no logic."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.errors import SettingsError

if TYPE_CHECKING:
    from agents.memory.user_memory import UserMemory
    from agents.tools.audit import ToolAudit
    from agents.tools.invoker import ToolInvoker
    from agents.tools.tool import Tool
    from app.services import Services


def build_tools(services: "Services") -> "ToolInvoker":
    """The tools that the settings name, and what runs them. Nothing is loaded before a tool needs it.

    Raises:
        SettingsError: the settings name a tool that is not there.
    """
    from agents.tools.approvals import Approvals
    from agents.tools.effects import EffectLedger
    from agents.tools.invoker import ToolInvoker
    from agents.tools.mcp_tool import build_mcp_tools
    from agents.tools.registry import ToolRegistry
    from agents.tools.tool import ResolvingTool

    settings = services.settings.tools
    makers = _makers(services)
    remote = build_mcp_tools(settings.mcp)
    known = makers.keys() | {tool.name for tool in remote}
    if unknown := {*settings.enabled} - makers.keys() | {*settings.roles} - known:
        raise SettingsError(
            f"tools names {min(unknown)!r}, which is no tool",
            remedy=f"there are: {', '.join(sorted(makers))}",
        )
    own = [makers[name]() for name in dict.fromkeys(settings.enabled)]
    registry = ToolRegistry([*own, *remote], settings.roles)
    effects = EffectLedger(services.sessions_engine())
    effects.erase_results([tool.name for tool in own if isinstance(tool, ResolvingTool)])
    approvals = Approvals(services.sessions_engine())
    return ToolInvoker(registry, services.tool_audit(), effects, approvals, settings)


def build_audit(services: "Services") -> "ToolAudit":
    """The log of calls, beside the ledger."""
    from agents.tools.audit import ToolAudit

    return ToolAudit(services.engine(), services.settings.tools.audit_days)


def _makers(services: "Services") -> dict[str, Callable[[], "Tool"]]:
    """Every tool by its name."""
    from agents.tools.calculate import CalculateTool
    from agents.tools.documents import ReadDocumentTool, SearchTool
    from agents.tools.memory import RecallTool, RememberTool
    from agents.tools.python_code import PythonTool
    from agents.tools.query_table import QueryTableTool
    from agents.tools.web_search import WebSearchTool

    def memory() -> "UserMemory":
        from agents.memory.user_memory import UserMemory

        return UserMemory(services.facts(), services.settings.memory)

    return {
        "search": lambda: SearchTool(services.retriever),
        "read_document": lambda: ReadDocumentTool(services.store),
        "query_table": lambda: QueryTableTool(services.tables, services.store, services.settings.tables),
        "calculate": CalculateTool,
        "remember": lambda: RememberTool(memory),
        "recall": lambda: RecallTool(memory),
        "python": PythonTool,
        "web_search": lambda: WebSearchTool(services.settings.tools.web_search_url),
    }
