"""The work in the API that owns the data: the same commands over HTTP.

Knows REST's paths and problem documents; knows nothing of stores.
"""

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from app.cli.backend import (
    FaqWish,
    IngestJob,
    Progress,
    Query,
    Question,
    ToolWish,
    failed_turn,
    tool_arguments,
)
from core.errors import AccessError, AttestError, InputError, ServiceError

if TYPE_CHECKING:
    from app.entity_view import EntityWish

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 120.0
POLL_S = 1.0


class HttpBackend:
    """A `Backend` that calls the API at `url` with a bearer `token`, if there is one."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=url,
            headers=self._headers,
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            # The API is on this machine: a proxy of the environment has no say.
            trust_env=False,
        )

    def search(self, query: Query) -> dict:
        """See `Backend.search`."""
        body = {
            "query": query.text,
            "collection": query.collection,
            "limit": query.limit,
            "filter": query.narrowed,
        }
        return self._call("POST", "/v1/search", json=body | _readers(query.readers))

    async def ask(self, question: Question) -> AsyncIterator[tuple[str, dict]]:
        """See `Backend.ask`."""
        body = {
            "question": question.text,
            "collection": question.collection,
            "session_id": question.session_id,
            "effort": question.effort or None,
            "policy": question.policy or None,
            "memory": question.memory,
            "assistant": question.assistant,
            "keep": question.keep,
            "resumable": False,
        } | _readers(question.readers)
        async with aclosing(self._events("/v1/ask", body)) as pairs:
            async for pair in pairs:
                yield pair

    async def _events(self, path: str, body: dict) -> AsyncIterator[tuple[str, dict]]:
        """The events of a turn."""
        try:
            async with (
                httpx.AsyncClient(
                    base_url=self._url, headers=self._headers, timeout=READ_TIMEOUT_S, trust_env=False
                ) as client,
                client.stream("POST", path, json=body | {"stream": True}) as reply,
            ):
                if reply.status_code != httpx.codes.OK:
                    await reply.aread()
                    raise _error_of(reply)
                async for pair in _read_events(reply.aiter_lines()):
                    yield pair
        except UnicodeEncodeError as exc:
            raise _not_unicode(exc) from exc
        except httpx.HTTPError as exc:
            raise self._unreachable(exc) from exc

    async def forget_session(self, session_id: str) -> None:
        """See `Backend.forget_session`."""
        path = f"/v1/sessions/{quote(session_id, safe='')}"
        await asyncio.to_thread(self._call, "DELETE", path)

    async def aclose(self) -> None:
        """Nothing is left open in the event loop."""

    def ingest(self, job: IngestJob, on_progress: Progress) -> dict:
        """See `Backend.ingest`. The server reads the paths itself: it is on this machine."""
        body = {
            "paths": [str(path) for path in job.paths],
            "addresses": list(job.addresses),
            "collection": job.collection,
            "readers": list(job.readers),
            "meta": job.meta,
            "dry_run": job.dry_run,
            "retry_failed": job.retry_failed,
            "force": job.force,
            "prune": job.prune,
        }
        job_id = uuid.uuid4().hex[:12]
        with self._followed(job_id, on_progress):
            return self._call("POST", "/v1/ingest", json=body | {"job_id": job_id}, timeout=None)

    @contextmanager
    def _followed(self, job_id: str, on_progress: Progress) -> Iterator[None]:
        """Tells how far a job is while the block runs."""
        over = threading.Event()

        def follow() -> None:
            while not over.wait(POLL_S):
                try:
                    reply = self._client.get(f"/v1/jobs/{job_id}")
                    if reply.is_success:
                        on_progress(reply.json())
                except (httpx.HTTPError, ValueError):
                    continue  # who waits for the report hears of it

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def verify(self, collection: str, repair: bool) -> dict:
        """See `Backend.verify`."""
        body = {"collection": collection, "repair": repair}
        return self._call("POST", "/v1/verify", json=body, timeout=None)

    def documents(self, collection: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.documents`."""
        return self._call("GET", "/v1/documents", params=_query(collection, readers))

    def document(self, collection: str, reference: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.document`."""
        return self._call("GET", _document_path(reference), params=_query(collection, readers))

    def edit_document(
        self, collection: str, reference: str, given: Mapping[str, Any], readers: Sequence[str] | None
    ) -> dict:
        """See `Backend.edit_document`."""
        place = {"params": _query(collection, readers), "timeout": None}
        return self._call("PATCH", _document_path(reference), json=dict(given), **place)

    def delete_document(self, collection: str, reference: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.delete_document`."""
        return self._call("DELETE", _document_path(reference), params=_query(collection, readers))

    def failures(self, collection: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.failures`."""
        return self._call("GET", "/v1/documents/failed", params=_query(collection, readers))

    def duplicates(self, collection: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.duplicates`."""
        return self._call("GET", "/v1/documents/duplicates", params=_query(collection, readers))

    def collections(self, readers: Sequence[str] | None) -> dict:
        """See `Backend.collections`."""
        return self._call("GET", "/v1/collections", params={"readers": list(readers or ())})

    def create_collection(self, name: str) -> dict:
        """See `Backend.create_collection`."""
        return self._call("POST", "/v1/collections", json={"name": name})

    def drop_collection(self, name: str) -> dict:
        """See `Backend.drop_collection`."""
        return self._call("DELETE", f"/v1/collections/{quote(name, safe='')}")

    def entity(self, collection: str, wish: "EntityWish", readers: Sequence[str] | None) -> dict:
        """See `Backend.entity`."""
        asked = {"collection": collection, "entity": wish.name, "to": wish.to, "limit": wish.limit}
        return self._call("GET", "/v1/graph", params={**asked, "readers": list(readers or ())})

    def communities(self, collection: str, limit: int, readers: Sequence[str] | None) -> dict:
        """See `Backend.communities`."""
        asked = {**_query(collection, readers), "limit": limit}
        return self._call("GET", "/v1/graph/communities", params=asked)

    async def make_communities(self, collection: str, on_progress: Progress) -> dict:
        """See `Backend.make_communities`."""
        body = {"collection": collection, "job_id": uuid.uuid4().hex[:12]}
        with self._followed(body["job_id"], on_progress):
            path = "/v1/graph/communities"
            return await asyncio.to_thread(self._call, "POST", path, json=body, timeout=None)

    def faq_entries(self, collection: str, readers: Sequence[str] | None) -> dict:
        """See `Backend.faq_entries`."""
        return self._call("GET", "/v1/faq", params=_query(collection, readers))

    def add_faq_entry(self, wish: FaqWish) -> dict:
        """See `Backend.add_faq_entry`."""
        body = {
            "collection": wish.collection,
            "questions": list(wish.questions),
            "answer": wish.answer,
            "from_answer": wish.from_answer,
            "suggestion": wish.suggestion,
            "force": wish.force,
        }
        return self._call("POST", "/v1/faq", json=body | _readers(wish.readers))

    def delete_faq_entry(self, entry_id: str) -> dict:
        """See `Backend.delete_faq_entry`."""
        return self._call("DELETE", f"/v1/faq/{quote(entry_id, safe='')}")

    def faq_suggestions(self, collection: str, readers: Sequence[str] | None, min_count: int) -> dict:
        """See `Backend.faq_suggestions`."""
        params = _query(collection, readers) | {"min_count": min_count}
        return self._call("GET", "/v1/faq/suggestions", params=params)

    def rate(self, answer_id: str, vote: str, reason: str, right_answer: str) -> dict:
        """See `Backend.rate`."""
        body = {"answer_id": answer_id, "vote": vote, "reason": reason, "right_answer": right_answer}
        return self._call("POST", "/v1/feedback", json=body)

    def bad_cases(self, collection: str) -> dict:
        """See `Backend.bad_cases`."""
        return self._call("GET", "/v1/feedback/cases", params={"collection": collection})

    def golden_rows(self, collection: str) -> dict:
        """See `Backend.golden_rows`."""
        return self._call("GET", "/v1/feedback/golden", params={"collection": collection})

    def memory(self) -> dict:
        """See `Backend.memory`."""
        return self._call("GET", "/v1/memory")

    def memory_fact(self, fact_id: str) -> dict:
        """See `Backend.memory_fact`."""
        return self._call("GET", f"/v1/memory/{quote(fact_id, safe='')}")

    def edit_memory(self, fact_id: str, value: str | None, expires: str | None) -> dict:
        """See `Backend.edit_memory`."""
        body = {"value": value, "expires": expires}
        return self._call("PATCH", f"/v1/memory/{quote(fact_id, safe='')}", json=body)

    def delete_memory(self, fact_id: str) -> dict:
        """See `Backend.delete_memory`."""
        return self._call("DELETE", f"/v1/memory/{quote(fact_id, safe='')}" if fact_id else "/v1/memory")

    def switch_memory(self, enabled: bool) -> dict:
        """See `Backend.switch_memory`."""
        return self._call("PUT", "/v1/memory", json={"enabled": enabled})

    def assistants(self) -> dict:
        """See `Backend.assistants`."""
        return self._call("GET", "/v1/assistants")

    def assistant(self, reference: str) -> dict:
        """See `Backend.assistant`."""
        return self._call("GET", f"/v1/assistants/{quote(reference, safe='')}")

    def create_assistant(self, given: Mapping[str, Any]) -> dict:
        """See `Backend.create_assistant`."""
        return self._call("POST", "/v1/assistants", json=dict(given))

    def edit_assistant(self, reference: str, given: Mapping[str, Any]) -> dict:
        """See `Backend.edit_assistant`."""
        return self._call("PATCH", f"/v1/assistants/{quote(reference, safe='')}", json=dict(given))

    def delete_assistant(self, reference: str) -> dict:
        """See `Backend.delete_assistant`."""
        return self._call("DELETE", f"/v1/assistants/{quote(reference, safe='')}")

    def instructions(self) -> dict:
        """See `Backend.instructions`."""
        return self._call("GET", "/v1/instructions")

    def instruct(self, text: str) -> dict:
        """See `Backend.instruct`."""
        return self._call("PUT", "/v1/instructions", json={"instructions": text})

    def tools(self) -> dict:
        """See `Backend.tools`."""
        return self._call("GET", "/v1/tools")

    def call_tool(self, wish: ToolWish) -> dict:
        """See `Backend.call_tool`."""
        body = {
            "arguments": tool_arguments(self.tools(), wish),
            "collection": wish.collection,
            "key": wish.key,
        }
        path = f"/v1/tools/{quote(wish.name, safe='')}"
        return self._call("POST", path, json=body | _readers(wish.readers))

    def tool_calls(self, limit: int, owner: str, tool: str) -> dict:
        """See `Backend.tool_calls`."""
        return self._call("GET", "/v1/tools/calls", params={"limit": limit, "owner": owner, "tool": tool})

    def approvals(self) -> dict:
        """See `Backend.approvals`."""
        return self._call("GET", "/v1/approvals")

    def decide(
        self, approval_id: str, decision: str, arguments: dict | None
    ) -> AsyncIterator[tuple[str, dict]]:
        """See `Backend.decide`."""
        body = {"decision": decision, "arguments": arguments}
        return self._events(f"/v1/approvals/{quote(approval_id, safe='')}", body)

    def resume(self, session_id: str) -> AsyncIterator[tuple[str, dict]]:
        """See `Backend.resume`."""
        return self._events(f"/v1/sessions/{quote(session_id, safe='')}/resume", {})

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _call(self, method: str, path: str, **request) -> dict:
        try:
            reply = self._client.request(method, path, **request)
        except UnicodeEncodeError as exc:
            raise _not_unicode(exc) from exc
        except httpx.HTTPError as exc:
            raise self._unreachable(exc) from exc
        if reply.is_error:
            raise _error_of(reply)
        return reply.json()

    def _unreachable(self, exc: httpx.HTTPError) -> ServiceError:
        return ServiceError(
            f"the API at {self._url} broke off ({exc or type(exc).__name__})",
            remedy="see the output of attest serve, and start it again",
        )


async def _read_events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, dict]]:
    """Our own stream: one line of data an event, comments between."""
    name, data = "", []
    async for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            yield name, json.loads("\n".join(data))
            name, data = "", []


def _not_unicode(exc: UnicodeEncodeError) -> InputError:
    """Bytes of the command line that are no UTF-8 come as lone surrogates, which JSON over
    HTTP cannot carry."""
    return InputError(
        f"an argument holds {exc.object[exc.start : exc.end][:40]!r}, which is not valid Unicode",
        remedy="write it again, as UTF-8",
    )


def _error_of(reply: httpx.Response) -> AttestError:
    try:
        body = reply.json()
        payload = {"code": body["code"], "message": body["detail"], "remedy": body.get("remedy", "")}
    except (ValueError, KeyError, TypeError):
        return ServiceError(
            f"{reply.request.url} answered {reply.status_code} without a reason", remedy="see its log"
        )
    if payload["code"] == AccessError.code:
        return AccessError(payload["message"], remedy=payload["remedy"], authenticated=True)
    return failed_turn(payload)


def _document_path(reference: str) -> str:
    return f"/v1/documents/{quote(reference, safe='')}"


def _query(collection: str, readers: Sequence[str] | None) -> dict:
    return {"collection": collection, "readers": list(readers or ())}


def _readers(readers: Sequence[str] | None) -> dict:
    return {} if readers is None else {"readers": list(readers)}
