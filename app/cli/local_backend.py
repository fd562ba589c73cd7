"""The work in this process: opens the store itself, as the owner of the data."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.cli.backend import FaqWish, IngestJob, Progress, Query, Question, ToolWish, tool_arguments
from app.services import Services
from core.errors import NotFoundError
from core.settings import Settings
from core.types import Scope

if TYPE_CHECKING:
    from app.assistants import Assistants
    from app.auth import Caller
    from app.curation import Curation
    from app.entity_view import EntityWish
    from app.memory import UserFacts
    from app.tools import ToolBox


class LocalBackend:
    """A `Backend` over services of its own. Each is built when a command first needs it."""

    def __init__(self, settings: Settings, services: Services | None = None) -> None:
        from app.library import Library

        self._services = services or Services(settings)
        self._library = Library(self._services)

    def search(self, query: Query) -> dict:
        """See `Backend.search`."""
        scope = Scope(query.collection, frozenset(query.readers or ()))
        return self._library.search(scope, query.text, query.limit, narrowed=query.narrowed)

    async def ask(self, question: Question) -> AsyncIterator[tuple[str, dict]]:
        """See `Backend.ask`."""
        from dataclasses import asdict

        from app.asking import stream_answer
        from app.assistants import AskWish, prepare_ask

        asked = asdict(question)
        wish = AskWish(asked.pop("text"), **asked)
        ask = await prepare_ask(self._services, _owner(), wish)
        async for pair in stream_answer(self._services, ask):
            yield pair

    async def forget_session(self, session_id: str) -> None:
        """See `Backend.forget_session`."""
        asker = await self._services.asker()
        if not await asker.forget(_owner().owner, session_id):
            raise NotFoundError(f"there is no session {session_id!r}", remedy="see: GET /v1/sessions")

    async def aclose(self) -> None:
        """Closes what belongs to the event loop; must run in the loop that asked."""
        await self._services.aclose()

    def ingest(self, job: IngestJob, on_progress: Progress) -> dict:
        """See `Backend.ingest`."""
        from app.jobs import JobBook
        from app.library import IngestOrder

        order = IngestOrder(
            job.paths,
            job.collection,
            job.readers,
            job.meta,
            job.dry_run,
            job.retry_failed,
            job.force,
            addresses=job.addresses,
            prune=job.prune,
        )
        book = JobBook()
        watched = book.open("ingest", job.collection, "")

        def note(step) -> None:
            watched.note(step)
            on_progress(watched.to_dict())

        return book.run(watched, lambda: self._library.ingest(order, note))

    def verify(self, collection: str, repair: bool) -> dict:
        """See `Backend.verify`."""
        return self._library.verify(collection, repair)

    def documents(self, collection: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.documents`."""
        return self._library.documents(collection, _visible(readers))

    def document(self, collection: str, reference: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.document`."""
        return self._library.document(collection, reference, _visible(readers))

    def edit_document(
        self, collection: str, reference: str, given: Mapping[str, Any], readers: Sequence[str] | None
    ) -> dict:
        """See `Backend.edit_document`."""
        from app.amending import Amending, AmendWish

        wish = AmendWish(collection, reference, given, readers)
        return Amending(self._services, self._library).amend(_owner(), wish)

    def delete_document(self, collection: str, reference: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.delete_document`."""
        return self._library.delete_document(collection, reference, _visible(readers))

    def failures(self, collection: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.failures`."""
        return self._library.failures(collection, _visible(readers))

    def duplicates(self, collection: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.duplicates`."""
        return self._library.duplicates(collection, _visible(readers))

    def collections(self, readers: Sequence[str] | None) -> dict:
        """See `Backend.collections`."""
        return self._library.collections(_visible(readers), show_empty=True)

    def create_collection(self, name: str) -> dict:
        """See `Backend.create_collection`."""
        return self._library.create_collection(name)

    def drop_collection(self, name: str) -> dict:
        """See `Backend.drop_collection`."""
        return self._library.drop_collection(name)

    def entity(self, collection: str, wish: "EntityWish", readers: Sequence[str] | None) -> dict:
        """See `Backend.entity`."""
        from app.entity_view import EntityView

        return EntityView(self._services).show(Scope(collection, frozenset(readers or ())), wish)

    def communities(self, collection: str, limit: int, readers: Sequence[str] | None) -> dict:
        """See `Backend.communities`."""
        from app.communities import Communities

        scope = Scope(collection, frozenset(readers or ()))
        return Communities(self._services).show(scope, limit)

    async def make_communities(self, collection: str, on_progress: Progress) -> dict:
        """See `Backend.make_communities`."""
        from app.communities import Communities

        def tell(done: int, total: int) -> None:
            on_progress({"done": done, "total": total})

        return await Communities(self._services).make(collection, tell)

    def faq_entries(self, collection: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.faq_entries`."""
        return self._curation().entries(_owner(), collection, _names(readers))

    def add_faq_entry(self, wish: FaqWish) -> dict:
        """See `Backend.add_faq_entry`."""
        from app.curation import FaqOrder

        order = FaqOrder(
            wish.collection,
            wish.questions,
            wish.answer.strip(),
            wish.from_answer,
            wish.suggestion,
            _names(wish.readers),
            wish.force,
        )
        return self._curation().add(_owner(), order)

    def delete_faq_entry(self, entry_id: str) -> dict:
        """See `Backend.delete_faq_entry`."""
        return self._curation().delete(_owner(), entry_id)

    def faq_suggestions(self, collection: str, readers: Sequence[str] | None, min_count: int) -> dict:
        """See `Backend.faq_suggestions`."""
        return self._curation().suggestions(_owner(), collection, _names(readers), min_count)

    def rate(self, answer_id: str, vote: str, reason: str, right_answer: str) -> dict:
        """See `Backend.rate`."""
        from agents.kept_answers import Rating, Vote

        return self._curation().rate(_owner(), answer_id, Rating(Vote(vote), reason, right_answer))

    def bad_cases(self, collection: str) -> dict:
        """See `Backend.bad_cases`."""
        return self._curation().cases(_owner(), collection)

    def golden_rows(self, collection: str) -> dict:
        """See `Backend.golden_rows`."""
        return self._curation().golden_rows(_owner(), collection)

    def memory(self) -> dict:
        """See `Backend.memory`."""
        return self._user_facts().list(_owner())

    def memory_fact(self, fact_id: str) -> dict:
        """See `Backend.memory_fact`."""
        return self._user_facts().show(_owner(), fact_id)

    def edit_memory(self, fact_id: str, value: str | None, expires: str | None) -> dict:
        """See `Backend.edit_memory`."""
        return self._user_facts().edit(_owner(), fact_id, value, expires)

    def delete_memory(self, fact_id: str) -> dict:
        """See `Backend.delete_memory`."""
        facts, owner = self._user_facts(), _owner()
        return facts.delete(owner, fact_id) if fact_id else facts.clear(owner)

    def switch_memory(self, enabled: bool) -> dict:
        """See `Backend.switch_memory`."""
        return self._user_facts().switch(_owner(), enabled)

    def assistants(self) -> dict:
        """See `Backend.assistants`."""
        return self._assistants().list(_owner())

    def assistant(self, reference: str) -> dict:
        """See `Backend.assistant`."""
        return self._assistants().show(_owner(), reference)

    def create_assistant(self, given: Mapping[str, Any]) -> dict:
        """See `Backend.create_assistant`."""
        return self._assistants().create(_owner(), given)

    def edit_assistant(self, reference: str, given: Mapping[str, Any]) -> dict:
        """See `Backend.edit_assistant`."""
        return self._assistants().edit(_owner(), reference, given)

    def delete_assistant(self, reference: str) -> dict:
        """See `Backend.delete_assistant`."""
        return self._assistants().delete(_owner(), reference)

    def instructions(self) -> dict:
        """See `Backend.instructions`."""
        return self._assistants().instructions(_owner())

    def instruct(self, text: str) -> dict:
        """See `Backend.instruct`."""
        return self._assistants().instruct(_owner(), text)

    def _assistants(self) -> "Assistants":
        from app.assistants import Assistants

        return Assistants(self._services)

    def tools(self) -> dict:
        """See `Backend.tools`."""
        return self._tool_box().list(_owner())

    def call_tool(self, wish: ToolWish) -> dict:
        """See `Backend.call_tool`."""
        import asyncio

        from app.tools import ToolOrder

        arguments = tool_arguments(self.tools(), wish)
        order = ToolOrder(wish.name, arguments, wish.collection, _names(wish.readers), wish.key)
        return asyncio.run(self._tool_box().call(_owner(), order))

    def tool_calls(self, limit: int, owner: str, tool: str) -> dict:
        """See `Backend.tool_calls`."""
        return self._tool_box().calls(_owner(), limit, owner, tool)

    def approvals(self) -> dict:
        """See `Backend.approvals`."""
        return self._tool_box().waiting(_owner())

    def decide(
        self, approval_id: str, decision: str, arguments: dict | None
    ) -> AsyncIterator[tuple[str, dict]]:
        """See `Backend.decide`."""
        from app.tools import ApprovalWish

        return self._tool_box().decide(_owner(), ApprovalWish(approval_id, decision, arguments))

    def resume(self, session_id: str) -> AsyncIterator[tuple[str, dict]]:
        """See `Backend.resume`."""
        return self._tool_box().resume(_owner(), session_id)

    def _tool_box(self) -> "ToolBox":
        from app.tools import ToolBox

        return ToolBox(self._services, self._library)

    def _user_facts(self) -> "UserFacts":
        from app.memory import UserFacts

        return UserFacts(self._services)

    def _curation(self) -> "Curation":
        from app.curation import Curation

        return Curation(self._services)

    def close(self) -> None:
        """Gives the store free."""
        self._services.close()


def _visible(readers: Sequence[str] | None) -> frozenset[str] | None:
    return None if readers is None else frozenset(readers)


def _names(readers: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if readers is None else tuple(readers)


def _owner() -> "Caller":
    """Whoever can open the data directory owns it."""
    from app.auth import LOCAL_OWNER, Caller
    from app.keys import Role

    return Caller(LOCAL_OWNER, None, Role.ADMIN)
