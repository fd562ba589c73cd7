"""Which tools there are, and who may use them by the settings.

Knows tools by their names; knows nothing of how one is run.
"""

from collections.abc import Iterable, Mapping

from agents.tools.tool import ROLES, Tool
from core.errors import AccessError, NotFoundError, SettingsError


class ToolRegistry:
    """The tools of one process. `least_roles` narrows who may use a tool, never widens it."""

    def __init__(self, tools: Iterable[Tool] = (), least_roles: Mapping[str, str] | None = None) -> None:
        self._tools: dict[str, Tool] = {}
        self._least_roles = dict(least_roles or {})
        for tool in tools:
            self.add(tool)

    def add(self, tool: Tool) -> None:
        """Raises SettingsError when there is one of this name: which one is meant would be left to
        chance."""
        if tool.name in self._tools:
            raise SettingsError(
                f"there are two tools of the name {tool.name!r}",
                remedy="take one out of tools.enabled or tools.mcp",
            )
        self._tools[tool.name] = tool

    def roles_of(self, tool: Tool) -> frozenset[str]:
        """Who may use it."""
        least = self._least_roles.get(tool.name, ROLES[0])
        return tool.roles & frozenset(ROLES[ROLES.index(least) :])

    def usable(self, role: str) -> list[Tool]:
        """Those that the role may use, by name."""
        return [tool for _, tool in sorted(self._tools.items()) if role in self.roles_of(tool)]

    def get(self, name: str, role: str) -> Tool:
        """Raises NotFoundError when there is none of this name, AccessError when the role may not use it."""
        tool = self._tools.get(name)
        if tool is None:
            raise NotFoundError(f"there is no tool {name[:64]!r}", remedy="see: attest tools list")
        if role not in self.roles_of(tool):
            raise AccessError(
                f"the role {role} may not use the tool {name}",
                remedy="ask for a key of a role that may, or have tools.roles changed",
                authenticated=True,
            )
        return tool
