"""The REST API as small typed functions.

Knows addresses, status codes and problem documents (RFC 9457). Does not know Streamlit,
nor how anything looks.
"""

import hashlib
import json
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from ui.event_stream import read_events

Json = dict[str, Any]

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
UPLOAD_TIMEOUT_S = 600.0
# The server sends a heartbeat every 15 s, so that a silence of four of them is a broken line.
STREAM_SILENCE_S = 60.0
_FIGURE_PATH = re.compile(r"/v1/documents/[0-9a-f]{64}/figures/[0-9a-f]{32}\.(?:png|jpg)")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class ApiError(Exception):
    """The API refused, failed or could not be reached. `status` is 0 when nothing answered."""

    def __init__(self, message: str, *, remedy: str = "", status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class AskEvent:
    """One server-sent event of a question: its name and its JSON object."""

    name: str
    data: Json


@dataclass(frozen=True, slots=True)
class Question:
    """The body of `POST /v1/ask`. An empty `effort` or `memory` is left to the assistant or the session."""

    text: str
    collection: str
    session_id: str = ""
    effort: str = "standard"
    memory: str = ""
    assistant: str = ""


class ApiClient:
    """One API at one address with one token. Safe to use from several threads."""

    def __init__(
        self, base_url: str, token: str = "", *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._token = token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=self.base_url,
            headers=headers,
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            transport=transport,
            # A proxy of the environment must not stand between two processes of one machine.
            trust_env=urlsplit(self.base_url).hostname not in LOOPBACK,
        )

    @property
    def identity(self) -> str:
        """Who asks whom, without revealing the token: what cached answers are kept under."""
        return self.identity_of(self.base_url, self._token)

    @staticmethod
    def identity_of(base_url: str, token: str) -> str:
        """The identity that a client of this address and token has."""
        return f"{base_url.rstrip('/')}#{hashlib.sha256(token.encode()).hexdigest()}"

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def collections(self) -> list[Json]:
        """`[{"name", "documents", "chunks"}]`."""
        return self._rows("/v1/collections", "collections")

    def documents(self, collection: str) -> list[Json]:
        """`[{"document_id", "uri", "title", "status", "chunks", "pages"}]` of one collection."""
        return self._rows("/v1/documents", "documents", collection=collection)

    def sessions(self) -> list[Json]:
        """`[{"session_id", "title", "turns", "updated"}]`."""
        return self._rows("/v1/sessions", "sessions")

    def session(self, session_id: str) -> list[Json]:
        """The turns of one session, oldest first: `[{"question", "answer", "status"}]`."""
        return self._rows(f"/v1/sessions/{quote(session_id, safe='')}", "turns")

    def delete_session(self, session_id: str) -> None:
        """Forgets one session."""
        self._call("DELETE", f"/v1/sessions/{quote(session_id, safe='')}")

    def delete_document(self, reference: str, collection: str) -> None:
        """Removes one document, by its uri or its id, from a collection."""
        path = f"/v1/documents/{quote(reference, safe='')}"
        self._call("DELETE", path, params={"collection": collection})

    def figure(self, path: str, collection: str) -> bytes:
        """The picture that a citation names by its `figure`."""
        if not _FIGURE_PATH.fullmatch(path):
            raise _foreign(self.base_url, "a picture lies elsewhere")
        with _transport_errors(self.base_url):
            response = self._http.get(path, params={"collection": collection})
        if response.is_error:
            raise problem_of(response)
        return response.content

    def upload(self, name: str, content: bytes, collection: str, readers: list[str]) -> Json:
        """Hands one file over, for these readers, or for everyone when none is named. Returns `{"job_id",
        "accepted", "unchanged", "failures"}` as soon as it is safe on the server's disk; `job` tells of the
        rest."""
        return self._call(
            "POST",
            "/v1/documents",
            files={"file": (name, content)},
            data={"collection": collection, "wait": "false", "readers": readers},
            timeout=httpx.Timeout(UPLOAD_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        )

    def job(self, job_id: str) -> Json:
        """How far an upload is: `{"state", "done", "total", "report", "error"}` and more."""
        return self._call("GET", f"/v1/jobs/{quote(job_id, safe='')}")

    def rate(self, answer_id: str, words: Json) -> None:
        """A thumb on an answer: `{"vote", "reason", "right_answer"}`."""
        self._call("POST", "/v1/feedback", json={"answer_id": answer_id, **words})

    def faq(self, collection: str) -> Json:
        """`{"entries": [{"id", "questions", "status", "reason", "text"}], "may_curate"}`: the curated
        answers."""
        found = self._call("GET", "/v1/faq", params={"collection": collection})
        return found if isinstance(found, dict) else {}

    def faq_suggestions(self, collection: str) -> list[Json]:
        """`[{"id", "question", "count", "answer"}]`: questions that want a curated answer."""
        return self._rows("/v1/faq/suggestions", "suggestions", collection=collection)

    def add_faq(self, collection: str, wish: Json) -> None:
        """A new curated answer: `{"questions", "answer", "force"}` or `{"suggestion"}`."""
        self._call("POST", "/v1/faq", json={"collection": collection, **wish})

    def delete_faq(self, entry_id: str) -> None:
        """Removes a curated answer."""
        self._call("DELETE", f"/v1/faq/{quote(entry_id, safe='')}")

    def graph(self, collection: str, entity: str, to: str, limit: int) -> Json:
        """`{"entities", "links": [{"source", "target", "names", "kind", "evidence"}]}`: an entity with its
        relations, or the way from it `to` another one."""
        params = {"collection": collection, "entity": entity, "to": to, "limit": limit}
        return self._call("GET", "/v1/graph", params=params)

    def communities(self, collection: str, limit: int) -> Json:
        """`{"communities": [{"id", "names", "sentences", "citations"}], "more"}`: groups of entities, and
        what documents say of each."""
        return self._call("GET", "/v1/graph/communities", params={"collection": collection, "limit": limit})

    def memory(self) -> Json:
        """`{"enabled", "facts": [{"id", "key", "value", "said", "expires"}]}`: what is remembered of the
        caller."""
        return self._call("GET", "/v1/memory")

    def switch_memory(self, enabled: bool) -> None:
        """Whether anything is remembered of the caller, and used."""
        self._call("PUT", "/v1/memory", json={"enabled": enabled})

    def edit_fact(self, fact_id: str, words: Json) -> None:
        """Another `{"value", "expires"}` for what is remembered."""
        self._call("PATCH", f"/v1/memory/{quote(fact_id, safe='')}", json=words)

    def forget_fact(self, fact_id: str) -> None:
        """Forgets one fact; all when the id is empty."""
        self._call("DELETE", f"/v1/memory/{quote(fact_id, safe='')}" if fact_id else "/v1/memory")

    def tools(self) -> list[Json]:
        """`[{"name", "description", "effects", "arguments"}]`: those that the reader may use."""
        return self._rows("/v1/tools", "tools")

    def assistants(self) -> list[Json]:
        """`[{"id", "name", "mine", …}]`: the caller's own and those shared with them."""
        return self._rows("/v1/assistants", "assistants")

    def save_assistant(self, assistant_id: str, fields: Json) -> None:
        """Changes one; makes one when the id is empty."""
        if assistant_id:
            self._call("PATCH", f"/v1/assistants/{quote(assistant_id, safe='')}", json=fields)
        else:
            self._call("POST", "/v1/assistants", json=fields)

    def delete_assistant(self, assistant_id: str) -> None:
        """Removes one."""
        self._call("DELETE", f"/v1/assistants/{quote(assistant_id, safe='')}")

    def instructions(self) -> str:
        """What the caller wants of all answers."""
        return str(self._call("GET", "/v1/instructions").get("instructions") or "")

    def instruct(self, text: str) -> None:
        """Says what the caller wants of all answers; empty: nothing."""
        self._call("PUT", "/v1/instructions", json={"instructions": text})

    def ask(self, question: Question) -> Generator[AskEvent, None, None]:
        """The events of one question as they arrive. Closing the iterator ends the request.

        Raises:
            ApiError: the request was refused, or the line broke before the stream's end.
        """
        body = {
            "question": question.text,
            "collection": question.collection,
            "session_id": question.session_id,
            "effort": question.effort or None,
            "memory": question.memory,
            "assistant": question.assistant,
            "stream": True,
            "resumable": False,  # who stops an answer does not wait for it
        }
        yield from self._events("/v1/ask", body)

    def approvals(self) -> list[Json]:
        """`[{"id", "session_id", "tool", "arguments", "proposed"}]`: the calls of tools that wait for the
        caller, the oldest first."""
        return self._rows("/v1/approvals", "approvals")

    def decide(
        self, approval_id: str, decision: str, arguments: Json | None = None
    ) -> Generator[AskEvent, None, None]:
        """Sends approve, edit (with `arguments`) or reject; the events of the turn that goes on, as of
        `ask`."""
        body: Json = {"decision": decision, "stream": True}
        if arguments is not None:
            body["arguments"] = arguments
        yield from self._events(f"/v1/approvals/{quote(approval_id, safe='')}", body)

    def resume(self, session_id: str) -> Generator[AskEvent, None, None]:
        """The events of a turn that was broken off and goes on from its last step, as of `ask`."""
        yield from self._events(f"/v1/sessions/{quote(session_id, safe='')}/resume", {"stream": True})

    def _events(self, path: str, body: Json) -> Generator[AskEvent, None, None]:
        timeout = httpx.Timeout(STREAM_SILENCE_S, connect=CONNECT_TIMEOUT_S)
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        with (
            _transport_errors(self.base_url),
            self._http.stream("POST", path, json=body, headers=headers, timeout=timeout) as response,
        ):
            if response.is_error:
                response.read()
                raise problem_of(response)
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                raise _foreign(self.base_url, "the reply is no event stream")
            for name, data in read_events(response.iter_bytes()):
                yield AskEvent(name, _object(data))

    def _rows(self, path: str, key: str, **params: str) -> list[Json]:
        rows = self._call("GET", path, params=params).get(key)
        if not isinstance(rows, list):
            raise _foreign(self.base_url, f"{path} has no list {key!r}")
        return rows

    def _call(self, method: str, path: str, **kwargs: Any) -> Json:
        with _transport_errors(self.base_url):
            response = self._http.request(method, path, **kwargs)
        if response.is_error:
            raise problem_of(response)
        return _object(response.text) if response.content else {}


def problem_of(response: httpx.Response) -> ApiError:
    """The problem document of a refused request; a bare status when the body is none."""
    try:
        body = response.json()
    except ValueError:
        body = None
    problem: Mapping[str, Any] = body if isinstance(body, dict) else {}
    detail = problem.get("detail") or problem.get("title")
    return ApiError(
        detail if isinstance(detail, str) else f"HTTP {response.status_code} {response.reason_phrase}",
        remedy=str(problem.get("remedy") or ""),
        status=response.status_code,
        code=str(problem.get("code") or ""),
    )


@contextmanager
def _transport_errors(base_url: str) -> Iterator[None]:
    """Whatever breaks on the line becomes an `ApiError` that names the address."""
    try:
        yield
    except httpx.ConnectError as exc:
        raise ApiError(f"No API answers at {base_url}", remedy="attest up", code="unreachable") from exc
    except httpx.TimeoutException as exc:
        raise ApiError(f"{base_url} took too long to answer", code="timeout") from exc
    except (httpx.TransportError, httpx.InvalidURL) as exc:
        raise ApiError(f"The connection to {base_url} broke: {exc}", code="broken") from exc


def _object(text: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError as exc:
        raise ApiError("The reply is not JSON", code="foreign") from exc
    if not isinstance(value, dict):
        raise ApiError("The reply is not a JSON object", code="foreign")
    return value


def _foreign(base_url: str, reason: str) -> ApiError:
    return ApiError(
        f"What answers at {base_url} is not the Attest API: {reason}",
        remedy="ATTEST_UI_API_URL",
        code="foreign",
    )
