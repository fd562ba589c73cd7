"""The embedded model behind HTTP: one generation at a time, a short queue, cancellation.

Knows FastAPI and threads; knows nothing of retrieval. Two generations at once would
halve the speed of both on a few cores, so the second waits.
"""

import asyncio
import hmac
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from app.model_server.engine import OpenVinoEngine, Outcome
from app.model_server.protocol import ChatRequest, ReplyShapes

MAX_WAITING = 16
_END = object()


class GenerationQueue:
    """Lets one caller at a time use the engine and refuses the one too many."""

    def __init__(self, engine: OpenVinoEngine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()
        # A cancelled request gives its turn back before its thread has left the engine;
        # this lock is what really keeps the next one out until then.
        self._engine_free = threading.Lock()
        self._waiting = 0

    @property
    def is_full(self) -> bool:
        """Whether the next one would be refused."""
        return self._waiting >= MAX_WAITING

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[None]:
        """Waits for the turn. Raises OverflowError when too many wait already."""
        if self.is_full:
            raise OverflowError
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    async def pieces(self, request: ChatRequest) -> AsyncIterator[str | Outcome]:
        """Text as it comes, and the outcome last. Closing the iterator stops the engine."""
        loop = asyncio.get_running_loop()
        received: asyncio.Queue = asyncio.Queue()
        stopped = threading.Event()

        def on_text(piece: str) -> bool:
            loop.call_soon_threadsafe(received.put_nowait, piece)
            return not stopped.is_set()

        work = asyncio.ensure_future(asyncio.to_thread(self._generate, request, on_text))
        work.add_done_callback(lambda _: received.put_nowait(_END))
        try:
            while (piece := await received.get()) is not _END:
                yield piece
            yield work.result()
        finally:
            stopped.set()

    def _generate(self, request: ChatRequest, on_text: Callable[[str], bool]) -> Outcome:
        messages = [message.model_dump() for message in request.messages]
        with self._engine_free:
            return self._engine.generate(messages, request.sampling(), on_text)


def create_model_app(engine: OpenVinoEngine, model: str, api_key: str) -> FastAPI:
    """The application. Every call but /health needs `Authorization: Bearer api_key`."""
    app = FastAPI(title="attest embedded model", docs_url=None, redoc_url=None, openapi_url=None)
    queue = GenerationQueue(engine)

    @app.middleware("http")
    async def check_key(request: Request, call_next):
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if request.url.path != "/health" and not hmac.compare_digest(given.encode(), api_key.encode()):
            return _error(401, "invalid_api_key", "the key is wrong")
        return await call_next(request)

    @app.get("/health")
    async def health() -> dict:
        return {"status": "ok"}

    @app.get("/v1/models")
    async def models() -> dict:
        return {"object": "list", "data": [{"id": model, "object": "model", "owned_by": "attest"}]}

    @app.post("/v1/chat/completions")
    async def complete(request: ChatRequest):
        if request.fault:
            return _error(400, "unsupported", request.fault)
        if queue.is_full:
            return _error(429, "overloaded", "too many requests are waiting")
        if request.stream:
            return StreamingResponse(_stream(queue, request, model), media_type="text/event-stream")
        try:
            async with queue.admit():
                return JSONResponse(await _collect(queue, request, model))
        except OverflowError:
            return _error(429, "overloaded", "too many requests are waiting")
        except RuntimeError as exc:
            return _error(400, "generation_failed", str(exc).strip().splitlines()[-1])

    return app


async def _collect(queue: GenerationQueue, request: ChatRequest, model: str) -> dict:
    text: list[str] = []
    async for piece in queue.pieces(request):
        if isinstance(piece, Outcome):
            shapes = ReplyShapes(model)
            return (shapes.call if request.callable_tools else shapes.whole)("".join(text), piece)
        text.append(piece)
    raise RuntimeError("the engine ended without an outcome")


async def _stream(queue: GenerationQueue, request: ChatRequest, model: str) -> AsyncIterator[str]:
    shapes = ReplyShapes(model)
    try:
        async with queue.admit():
            async for piece in queue.pieces(request):
                if not isinstance(piece, Outcome):
                    yield _event(shapes.chunk(piece))
                    continue
                yield _event(shapes.chunk(finish_reason=piece.finish_reason))
                if request.stream_options.include_usage:
                    yield _event(shapes.usage_chunk(piece))
    except OverflowError:
        yield _event({"error": {"message": "too many requests are waiting", "code": "overloaded"}})
    except RuntimeError as exc:
        yield _event({"error": {"message": str(exc).strip().splitlines()[-1], "code": "generation_failed"}})
    yield "data: [DONE]\n\n"


def _event(body: dict) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "code": code}}, status_code=status)
