"""What users can do with what is remembered of them, for REST and the command line alike.

Knows that everybody has to do with their own memory alone, whatever their role; knows nothing of
HTTP or terminals. Every method is synchronous and gives what is shown, as plain JSON values.
"""

from typing import TYPE_CHECKING

from app.asking import check_unicode
from app.auth import Caller
from app.services import Services
from core.errors import ConflictError, InputError

if TYPE_CHECKING:
    from agents.memory.facts import Fact, Facts


class UserFacts:
    """The facts of whoever calls, over one data directory."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def list(self, caller: Caller) -> dict:
        """`{"enabled", "facts": […]}`: the latest said first."""
        facts = self._facts()
        is_on = self._services.settings.memory.facts and facts.is_enabled(caller.owner)
        return {"enabled": is_on, "facts": [render_fact(fact) for fact in facts.list(caller.owner)]}

    def show(self, caller: Caller, fact_id: str) -> dict:
        """Raises NotFoundError when the caller has none of this id."""
        return render_fact(self._facts().get(caller.owner, fact_id))

    def edit(self, caller: Caller, fact_id: str, value: str | None, expires: str | None) -> dict:
        """The fact as it is then; `expires` is a day or a moment of ISO 8601, empty: no end.

        Raises:
            NotFoundError: the caller has none of this id.
            InputError: there is nothing to change, or not to this.
        """
        from agents.memory.facts import read_expiry
        from agents.memory.statements import MAX_VALUE_CHARS

        facts = self._facts()
        facts.get(caller.owner, fact_id)
        if value is None and expires is None:
            raise InputError("there is nothing to change", remedy="give a value or an end")
        if value is not None:
            check_unicode(value, "memory")
            value = " ".join(value.split())
            if not 0 < len(value) <= MAX_VALUE_CHARS:
                raise InputError(
                    f"a memory has 1 to {MAX_VALUE_CHARS} characters", remedy="shorten it, or delete it"
                )
        end = read_expiry(expires) if expires is not None else None
        return render_fact(facts.edit(caller.owner, fact_id, value, end))

    def delete(self, caller: Caller, fact_id: str) -> dict:
        """Raises NotFoundError when the caller has none of this id."""
        self._facts().delete(caller.owner, fact_id)
        return {"deleted": fact_id}

    def clear(self, caller: Caller) -> dict:
        """Deletes all; `{"deleted": n}`."""
        return {"deleted": self._facts().forget(caller.owner, None)}

    def switch(self, caller: Caller, enabled: bool) -> dict:
        """Whether the caller's statements are remembered and used from now on.

        Raises:
            ConflictError: it is off for everybody.
        """
        if enabled and not self._services.settings.memory.facts:
            raise ConflictError("memory is switched off here", remedy="set ATTEST_MEMORY__FACTS=true")
        self._facts().switch(caller.owner, enabled)
        return {"enabled": enabled}

    def _facts(self) -> "Facts":
        return self._services.facts()


def render_fact(fact: "Fact") -> dict:
    """`expires` is null when it never does; `session_id` and `turn_id` name where it was said."""
    return {
        "id": fact.id,
        "key": fact.key,
        "value": fact.value,
        "said": fact.said,
        "expires": fact.expires or None,
        "session_id": fact.session_id,
        "turn_id": fact.turn_id,
    }
