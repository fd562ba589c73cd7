"""The work in this process: opens the store itself, as the owner of the data."""

from collections.abc import AsyncIterator, Sequence

from app.cli.backend import IngestJob, Progress, Query, Question
from app.services import Services
from core.settings import Settings
from core.types import Scope


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
        import asyncio

        from agents.asking import Ask, Effort
        from agents.policy import Policy
        from app.asking import stream_answer
        from app.auth import LOCAL_OWNER

        await asyncio.to_thread(self._library.require_collection, question.collection)
        scope = Scope(question.collection, frozenset(question.readers or ()))
        effort, policy = Effort(question.effort), Policy(question.policy) if question.policy else None
        ask = Ask(question.text, scope, LOCAL_OWNER, question.session_id, effort, policy)
        async for pair in stream_answer(self._services, ask):
            yield pair

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

    def close(self) -> None:
        """Gives the store free."""
        self._services.close()


def _visible(readers: Sequence[str] | None) -> frozenset[str] | None:
    return None if readers is None else frozenset(readers)
