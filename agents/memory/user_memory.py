"""Long-term memory of users: reads it for a question, and takes up what the question says.

Knows the rules, the table and the settings; knows nothing of the graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from agents.memory.background import Background, Recaller
from agents.memory.building import MemoryStrategies, check_strategy
from agents.memory.facts import FOREVER, Fact, Facts, in_future
from agents.memory.statements import EVERYTHING, Statement, read_said
from core.errors import InputError, SettingsError
from core.seams import Embedder
from core.settings import MemorySettings
from core.types import Turn


@dataclass(frozen=True, slots=True)
class UserMemory:
    """The facts of users by the settings."""

    facts: Facts
    settings: MemorySettings

    def background(self, owner: str, turns: list[Turn]) -> Background:
        """What is known for a question of the owner."""
        if not self.settings.facts:
            return Background(tuple(turns))
        keeps = self.facts.is_enabled(owner)
        return Background(tuple(turns), tuple(self.facts.list(owner)) if keeps else (), keeps)

    def note(self, owner: str, session_id: str, turn: Turn) -> None:
        """Takes up what a question says of its user, if they let it."""
        if not self.settings.facts:
            return
        said = read_said(turn.question)
        if not (said.statements or said.forgotten) or not self.facts.is_enabled(owner):
            return
        if said.forgotten:
            self.facts.forget(owner, None if EVERYTHING in said.forgotten else said.forgotten)
        if said.statements:
            self.keep(owner, said.statements, Fact("", "", session_id, turn.id, turn.said))

    def keep(self, owner: str, statements: Sequence[Statement], where: Fact) -> None:
        """Stores statements as facts; `where` names in which session and turn, and when, they were said."""
        facts = [replace(where, key=s.key, value=s.value, expires=self._end(s.lasts)) for s in statements]
        self.facts.remember(owner, facts)

    def _end(self, lasts: timedelta | None) -> str:
        days = self.settings.facts_days
        ends = [span for span in (lasts, timedelta(days=days) if days else None) if span is not None]
        return in_future(min(ends)) if ends else FOREVER


def build_recaller(settings: MemorySettings, embedder: Embedder) -> Recaller:
    """Raises SettingsError when the settings name a strategy that is not there."""
    try:
        check_strategy(settings.strategy)
    except InputError as exc:
        raise SettingsError(f"memory.strategy: {exc.message}", remedy=exc.remedy) from exc
    return Recaller(MemoryStrategies(embedder), settings.strategy, settings.tokens)
