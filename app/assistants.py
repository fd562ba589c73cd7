"""What can be done with assistants and instructions, for REST and the command line alike.

Knows who may see and change what, and that a profile only narrows: who asks by one asks as themselves.
Knows nothing of HTTP or terminals. Every method is synchronous and gives plain JSON values, but for
`prepare`, which gives the question as the agent takes it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from app.asking import check_unicode
from app.auth import Caller
from app.keys import Role
from app.library import Library
from app.services import Services
from core.errors import AccessError, ConflictError, InputError, NotFoundError
from core.text import normalise
from core.types import EVERYONE, Turn
from retrieval.filters import check_name

if TYPE_CHECKING:
    from agents.asking import Ask
    from agents.assistants import Assistant

DEFAULT_COLLECTION = "default"
LANGUAGES = ("zh", "en")
MAX_NAME_CHARS = 80
MAX_LISTED = 50
"""Collections, tools or readers of one assistant."""


@dataclass(frozen=True, slots=True)
class AskWish:
    """A question as it is asked. What is empty is left to the assistant, or to the settings.
    `assistant` is a name or id, empty for none; None: that of the session. `instructions` hold for this
    question alone, behind all others; `history` is what was said before, where no session holds it; `keep`
    is that of `Ask`."""

    question: str
    collection: str = ""
    readers: Sequence[str] | None = None
    session_id: str = ""
    effort: str = ""
    policy: str = ""
    memory: str = ""
    assistant: str | None = None
    instructions: str = ""
    history: tuple[Turn, ...] = ()
    keep: bool = True


class Assistants:
    """The assistants of one data directory."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._library = Library(services)

    def list(self, caller: Caller) -> dict:
        """`{"assistants": […]}`: the caller's own and those shared with them, by name."""
        return {"assistants": [self._render(caller, found) for found in self._visible(caller)]}

    def show(self, caller: Caller, reference: str) -> dict:
        """By id or name. Raises NotFoundError when the caller may see none such."""
        return self._render(caller, self._find(caller, reference))

    def create(self, caller: Caller, given: Mapping[str, Any]) -> dict:
        """The new assistant, from its fields as `show` names them; what is not given is left open.

        Raises:
            InputError: a field cannot be so, or the caller has one of that name.
            AccessError: the caller may not share it with these.
        """
        from agents.assistants import Assistant

        made = self._checked(caller, Assistant(name="", owner=caller.owner), {"name": "", **given})
        return self._render(caller, self._services.assistants().add(made))

    def edit(self, caller: Caller, reference: str, given: Mapping[str, Any]) -> dict:
        """The assistant with these fields changed; its owner alone may do that. Raises as `create` and
        `show` do."""
        found = self._own(caller, reference)
        if not given:
            raise InputError("there is nothing to change", remedy="give a field of the assistant")
        return self._render(caller, self._services.assistants().change(self._checked(caller, found, given)))

    def delete(self, caller: Caller, reference: str) -> dict:
        """Removes one: its owner, or an admin with whom it is shared."""
        found = self._find(caller, reference) if caller.may(Role.ADMIN) else self._own(caller, reference)
        self._services.assistants().delete(found.id)
        return {"deleted": found.id}

    def instructions(self, caller: Caller) -> dict:
        """`{"instructions", "max_tokens"}`: what the caller wants of all answers."""
        return {
            "instructions": self._services.assistants().instructions(caller.owner),
            "max_tokens": self._max_tokens,
        }

    def instruct(self, caller: Caller, text: str) -> dict:
        """Stores them; an empty text removes them. Raises InputError where they cannot be so."""
        self._services.assistants().instruct(caller.owner, self._wishes(text))
        return self.instructions(caller)

    def prepare(self, caller: Caller, wish: AskWish, current: str = "") -> "Ask":
        """The question with what the assistant and the caller's instructions add; `current` is the id
        of the session's assistant.

        Raises:
            NotFoundError: the assistant or the collection is not there for the caller.
            AccessError: `readers` names one that the caller is not.
            InputError: the assistant is not for that collection, a name is unknown, or the instructions
                of the question cannot be so.
        """
        from agents.asking import Ask, Effort
        from agents.memory.building import check_strategy
        from agents.policy import Policy

        chosen = self._chosen(caller, wish.assistant, current)
        if wish.memory:
            check_strategy(wish.memory)
        # Chosen anew it brings its strategy along; afterwards the session has its own.
        brought = chosen.memory if chosen and chosen.id != current else ""
        policies = [wish.policy, chosen.policy if chosen else ""]
        policy = min((Policy(p) for p in policies if p), key=list(Policy).index, default=None)
        return Ask(
            question=wish.question,
            scope=caller.scope(self._collection(caller, wish.collection, chosen), wish.readers),
            owner=caller.owner,
            session_id=wish.session_id,
            effort=Effort(wish.effort or (chosen.effort if chosen else "") or Effort.STANDARD),
            policy=policy,
            keep=wish.keep,
            memory=wish.memory or brought,
            guidance=self._guidance(caller, chosen, self._wishes(wish.instructions)),
            role=caller.role.value,
            history=wish.history,
        )

    def _guidance(self, caller: Caller, chosen: "Assistant | None", asked: str):
        from agents.asking import Guidance
        from agents.wishes import usable_wishes, wished_language

        texts = [
            chosen.instructions if chosen else "",
            self._services.assistants().instructions(caller.owner),
            asked,
        ]
        wishes = tuple(kept for text in texts if (kept := usable_wishes(text, self._max_tokens)))
        tools = None if chosen is None or chosen.tools is None else frozenset(chosen.tools)
        named = chosen.language if chosen else ""
        return Guidance(chosen.id if chosen else "", wishes, named or wished_language(*wishes), tools)

    def _chosen(self, caller: Caller, asked: str | None, current: str) -> "Assistant | None":
        if asked is None and current:
            found = next((one for one in self._visible(caller) if one.id == current), None)
            if found is None:
                raise NotFoundError(
                    "the assistant of this session is no longer there for you",
                    remedy="name another one, or none by an empty name",
                )
            return found
        return self._find(caller, asked) if asked else None

    def _collection(self, caller: Caller, asked: str, chosen: "Assistant | None") -> str:
        if chosen is None or not chosen.collections:
            collection = asked or DEFAULT_COLLECTION
            self._library.require_collection(collection, caller.viewers)
            return collection
        there = self._there(caller, chosen)
        if asked and asked not in chosen.collections:
            raise InputError(
                f"the assistant {chosen.name!r} is not for the collection {asked!r}",
                remedy=f"choose of: {', '.join(there)}" if there else "choose another assistant",
            )
        if not there or (asked and asked not in there):
            raise NotFoundError(
                f"no such collection of the assistant {chosen.name!r} is there for you",
                remedy="choose another assistant, or ask who made it",
            )
        return asked or there[0]

    def _there(self, caller: Caller, assistant: "Assistant") -> tuple[str, ...]:
        """Its collections of which the caller may see something, in their order."""
        return tuple(name for name in assistant.collections if self._sees(caller, name))

    def _sees(self, caller: Caller, collection: str) -> bool:
        try:
            self._library.require_collection(collection, caller.viewers)
        except NotFoundError:
            return False
        return True

    def _visible(self, caller: Caller) -> tuple["Assistant", ...]:
        everyones = self._services.assistants().all()
        return tuple(found for found in everyones if _may_use(caller, found))

    def _find(self, caller: Caller, reference: str) -> "Assistant":
        """By id; else the caller's own of that name; else the one shared with them."""
        visible = self._visible(caller)
        named = [found for found in visible if normalise(found.name) == normalise(reference)]
        own = [found for found in named if found.owner == caller.owner]
        found = [one for one in visible if one.id == reference] or own or named
        if not found:
            raise NotFoundError(f"there is no assistant {reference!r}", remedy="see: attest assistants list")
        if len(found) > 1:
            ids = ", ".join(one.id for one in found)
            raise ConflictError(
                f"{len(found)} assistants are called {reference!r}", remedy=f"choose by id: {ids}"
            )
        return found[0]

    def _own(self, caller: Caller, reference: str) -> "Assistant":
        found = self._find(caller, reference)
        if found.owner != caller.owner:
            raise AccessError(
                f"the assistant {found.name!r} is another's",
                remedy="make one of your own",
                authenticated=True,
            )
        return found

    def _checked(self, caller: Caller, former: "Assistant", given: Mapping[str, Any]) -> "Assistant":
        """`former` with the fields of `given`, each in the form that is kept."""
        changes: dict[str, Any] = {name: value for name, value in given.items() if name in CHANGEABLE}
        if unknown := sorted(set(given) - CHANGEABLE):
            raise InputError(
                f"an assistant has no {unknown[0]!r}", remedy=f"give: {', '.join(sorted(CHANGEABLE))}"
            )
        for name in ("collections", "tools", "readers"):
            if name in changes and (name != "tools" or changes[name] is not None):
                changes[name] = _names(name, changes[name] or ())
        if "name" in changes:
            changes["name"] = _name(changes["name"])
        if "instructions" in changes:
            changes["instructions"] = self._wishes(changes["instructions"])
        self._check_tools(caller, changes.get("tools") or ())
        made = replace(former, **changes)
        # One that its owner no longer sees stays: without it the assistant would be for all collections.
        for collection in set(made.collections) - set(former.collections):
            self._library.require_collection(collection, caller.viewers)
        if made.readers and "readers" in changes:
            caller.require(Role.EDITOR)
            caller.check_grant(made.readers)
        _check_choices(made)
        return made

    def _check_tools(self, caller: Caller, names: Sequence[str]) -> None:
        """Raises for a name that is no tool, or one that the caller may not use."""
        if names:
            registry = self._services.tools().registry
            for name in names:
                registry.get(name, caller.role.value)

    def _wishes(self, text: str) -> str:
        from agents.wishes import check_wishes

        check_unicode(text, "instruction")
        return check_wishes(text, self._max_tokens)

    @property
    def _max_tokens(self) -> int:
        return self._services.settings.chat.max_instruction_tokens

    def _render(self, caller: Caller, assistant: "Assistant") -> dict:
        """All fields, and `mine`. Of another's collections those of which the caller may see something."""
        mine = assistant.owner == caller.owner
        lists = {
            "collections": list(assistant.collections if mine else self._there(caller, assistant)),
            "tools": None if assistant.tools is None else list(assistant.tools),
            "readers": list(assistant.readers),
        }
        return {**asdict(assistant), **lists, "mine": mine}


CHANGEABLE = frozenset({"name", "instructions", "collections", "tools", "memory"}) | frozenset(
    {"effort", "policy", "language", "readers", "role"}
)


def _may_use(caller: Caller, assistant: "Assistant") -> bool:
    if assistant.owner == caller.owner:
        return True
    if assistant.role and not caller.may(Role(assistant.role)):
        return False
    # The owner of the data directory may act as any reader.
    return bool(assistant.readers) and (
        caller.readers is None or bool(set(assistant.readers) & (caller.readers | {EVERYONE}))
    )


def _name(given: str) -> str:
    check_unicode(given, "name")
    name = " ".join(given.split())
    if not 0 < len(name) <= MAX_NAME_CHARS or len(normalise(name)) > MAX_NAME_CHARS:
        raise InputError(
            f"the name of an assistant has 1 to {MAX_NAME_CHARS} characters", remedy="choose another"
        )
    return name


def _names(what: str, given: Sequence[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(given))
    if len(names) > MAX_LISTED:
        raise InputError(f"an assistant has at most {MAX_LISTED} {what}", remedy="name fewer")
    for name in names:
        check_name(what.removesuffix("s"), name)
    return names


def _check_choices(made: "Assistant") -> None:
    """Raises InputError for a value that is none of its field."""
    from agents.asking import Effort
    from agents.memory.building import check_strategy
    from agents.policy import Policy

    if made.memory:
        check_strategy(made.memory)
    choices = {"effort": Effort, "policy": Policy, "language": LANGUAGES, "role": Role}
    for field, known in choices.items():
        value = getattr(made, field)
        if value and value not in list(known):
            raise InputError(
                f"there is no {field} {value!r}",
                remedy=f"choose of: {', '.join(map(str, known))}; or leave it empty",
            )


async def prepare_ask(services: Services, caller: Caller, wish: AskWish) -> "Ask":
    """As `Assistants.prepare`, with the assistant that the session goes on with."""
    current = ""
    if wish.session_id:
        asker = await services.asker()
        current = await asker.assistant_of(caller.owner, wish.session_id)
    return await asyncio.to_thread(Assistants(services).prepare, caller, wish, current)
