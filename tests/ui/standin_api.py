"""A stand-in for the REST API: canned replies over real HTTP, for tests of the page alone."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request, UploadFile
from fastapi.responses import JSONResponse, Response, StreamingResponse

from tests.ui.standin_approvals import add_approvals, waiting
from tests.ui.standin_profile import HOSTILE, add_assistants, add_communities, add_graph, add_memory, problem

Pace = Callable[[list[str]], None]

CHUNK = "第三章 休假。员工每年享有 15 天带薪年假。未使用的年假可结转至次年三月底。"
QUOTE = "员工每年享有 15 天带薪年假。"
CARRY = "未使用的年假可结转至次年三月底。"
HIT = {
    "chunk_id": "d1-00000",
    "document_id": "d1",
    "title": "员工手册",
    "uri": "file:///handbook.pdf",
    "page": 12,
    "text": CHUNK,
    "score": 0.9,
    "stage": "reranked",
    "ranks": {"dense": 1},
}


def citation(marker: int, quote: str, chunk: str = CHUNK, **over) -> dict:
    """A citation of the quote where it stands in the chunk."""
    start = chunk.index(quote)
    place = {"marker": marker, "quote": quote, "start": start, "end": start + len(quote), "boxes": []}
    source = {name: HIT[name] for name in ("chunk_id", "document_id", "title", "uri", "page")}
    return {**source, **place, **over}


def sentence(text: str, *markers: int) -> dict:
    """A supported sentence."""
    return {
        "text": text,
        "citations": list(markers),
        "verdict": {"label": "supported", "score": 0.97, "guard": "g"},
    }


def answer(status: str, sentences: list[dict], citations: list[dict], **over) -> dict:
    """An answer's JSON."""
    return {
        "id": "a1",
        "status": status,
        "text": "".join(item["text"] for item in sentences),
        "sentences": sentences,
        "citations": citations,
        "withheld": [],
        "looked_for": [],
        "route": "search",
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "model_calls": 1},
        "timings_ms": {"retrieve": 20, "first_sentence": 900, "total": 2400},
        "trace_id": "t1",
        "session_id": "s1",
        **over,
    }


def answered() -> list[tuple[str, dict]]:
    """Two sentences, two sources."""
    one, two = sentence("每年有 15 天带薪年假。", 1), sentence("没有休完的可以留到次年三月底。", 2)
    first, second = citation(1, QUOTE), citation(2, CARRY)
    return [
        ("status", {"stage": "searching", "detail": ""}),
        ("retrieved", {"hits": [HIT], "queries": ["年假天数"]}),
        ("status", {"stage": "answering", "detail": ""}),
        ("sentence", {"sentence": one, "citations": [first]}),
        ("sentence", {"sentence": two, "citations": [second]}),
        ("finished", answer("answered", [one, two], [first, second])),
    ]


def partial() -> list[tuple[str, dict]]:
    """One sentence released, one withheld."""
    verdict = {"label": "contradicted", "score": 0.04, "guard": "g", "reason": "15 ≠ 20"}
    one = sentence("每年有 15 天带薪年假。", 1)
    withheld = [{"text": "高级员工有 20 天。", "verdict": verdict}]
    return [
        ("retrieved", {"hits": [HIT], "queries": []}),
        ("sentence", {"sentence": one, "citations": [citation(1, QUOTE)]}),
        ("revised", {"withheld": "高级员工有 20 天。", "verdict": verdict, "replacement": None}),
        ("finished", answer("partial", [one], [citation(1, QUOTE)], withheld=withheld)),
    ]


FIGURE = f"/v1/documents/{'d' * 64}/figures/{'f' * 32}.png"
# One pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63b8c08d"
    "000002860111d9a6fda20000000049454e44ae426082"
)


def pictured() -> list[tuple[str, dict]]:
    """A source that is a picture."""
    one, source = sentence("每年有 15 天带薪年假。", 1), citation(1, QUOTE, figure=FIGURE)
    return [
        ("retrieved", {"hits": [HIT], "queries": ["年假天数"]}),
        ("finished", answer("answered", [one], [source])),
    ]


def abstained() -> list[tuple[str, dict]]:
    """Nothing found."""
    words = "The documents do not say who won the 1998 cup."
    return [
        ("status", {"stage": "searching", "detail": ""}),
        ("retrieved", {"hits": [HIT], "queries": ["1998 cup winner"]}),
        ("finished", answer("abstained", [], [], text=words, looked_for=["1998 cup winner"])),
    ]


def calculated() -> list[tuple[str, dict]]:
    """What a tool reckons; what it gives back is hostile."""
    one = sentence("15 × 3 = 45", 1)
    return [
        ("status", {"stage": "planning", "detail": ""}),
        ("tool_call", {"tool": "calculate", "arguments": {"expression": "15 * 3"}}),
        ("tool_result", {"tool": "calculate", "text": f"45 {HOSTILE}"}),
        ("sentence", {"sentence": one, "citations": [citation(1, QUOTE)]}),
        ("finished", answer("answered", [one], [citation(1, QUOTE)], route="tool")),
    ]


def hostile() -> list[tuple[str, dict]]:
    """Document text that tries to be more than text."""
    hit = {**HIT, "title": f"T {HOSTILE}", "text": f"before {HOSTILE} after"}
    cited = citation(1, HOSTILE, hit["text"], title=hit["title"])
    one = sentence(HOSTILE, 1)
    return [
        ("status", {"stage": "searching", "detail": HOSTILE}),
        ("retrieved", {"hits": [hit], "queries": [HOSTILE]}),
        ("sentence", {"sentence": one, "citations": [cited]}),
        ("finished", answer("answered", [one], [cited])),
    ]


def failed() -> list[tuple[str, dict]]:
    """The model is away."""
    return [
        ("status", {"stage": "answering", "detail": ""}),
        (
            "failed",
            {"code": "model", "message": "the chat model does not answer", "remedy": "run: attest doctor"},
        ),
    ]


SCRIPTS = {
    "picture": pictured,
    "partial": partial,
    "nothing": abstained,
    "hostile": hostile,
    "reckon": calculated,
    "fail": failed,
    "remember": waiting,
    "cut": lambda: answered()[:4],
}


def make_app(
    *, token: str = "", pace: Pace = lambda sent: None, documents: list[dict] | None = None
) -> FastAPI:
    """An API that demands `token` when given, and remembers requests in `app.state.seen`. Before each event
    of an answer `pace` is called with the names of those that were sent; it may take its time."""
    app = FastAPI()
    app.state.seen = []
    app.state.jobs = {}
    app.state.ends_with = None
    app.state.documents = (
        [
            {
                "document_id": "d1",
                "uri": "file:///handbook.pdf",
                "title": "员工手册",
                "status": "done",
                "chunks": 84,
                "pages": 40,
            }
        ]
        if documents is None
        else documents
    )
    app.state.sessions = [
        {"session_id": "s0", "title": "差旅标准 *如何* 报销？", "turns": 1, "updated": "2026-11-01"}
    ]

    @app.middleware("http")
    async def check_token(request: Request, call_next):
        app.state.seen.append((request.method, request.url.path))
        if token and request.headers.get("authorization") != f"Bearer {token}":
            return problem(401, "Unauthorized", "an API key is needed", "run: attest keys create")
        return await call_next(request)

    _add_library(app)
    _add_sessions(app)
    _add_curation(app)
    add_memory(app)
    add_assistants(app)
    add_graph(app)
    add_communities(app, citation(1, QUOTE), sentence("每年有 15 天带薪年假。", 1))
    add_approvals(app)
    _add_ask(app, pace)
    return app


def _add_library(app: FastAPI) -> None:
    fresh = not app.state.documents

    @app.get("/v1/collections")
    def collections() -> dict:
        if fresh and not app.state.documents:
            return {"collections": []}
        count = len(app.state.documents)
        return {"collections": [{"name": "default", "documents": count, "chunks": 84 * count}]}

    @app.get("/v1/documents")
    def documents(collection: str):
        if fresh and not app.state.documents:
            return problem(404, "Not Found", f"there is no collection {collection!r}", "run: attest ingest")
        return {"documents": app.state.documents if collection == "default" else []}

    @app.get(FIGURE)
    def figure(collection: str) -> Response:
        return Response(PNG if collection == "default" else b"", media_type="image/png")

    @app.post("/v1/documents")
    async def upload(request: Request) -> JSONResponse:
        form = await request.form()
        file: UploadFile = form["file"]
        app.state.readers = form.getlist("readers")
        assert form["wait"] == "false"
        base = {"updated": 0, "skipped": 0, "chunks": 0, "pages": 0, "seconds": 0.1}
        report = {**base, "added": 1, "failed": 0, "failures": []}
        if file.filename.endswith(".exe"):
            failure = {
                "uri": f"upload:{file.filename}",
                "code": "unsupported",
                "reason": "no parser reads <b>this</b>",
            }
            report = {**base, "added": 0, "failed": 1, "failures": [failure]}
        else:
            app.state.documents.append(
                {"document_id": file.filename, "uri": f"upload:{file.filename}", "title": file.filename}
            )
        job_id = f"job-{len(app.state.jobs)}"
        app.state.jobs[job_id] = [
            {"state": "waiting"},
            {"state": "running"},
            app.state.ends_with or {"state": "done", "report": report},
        ]
        return JSONResponse({"job_id": job_id, "accepted": [], "unchanged": [], "failures": []}, 202)

    @app.get("/v1/jobs/{job_id}")
    def job(job_id: str) -> dict:
        states = app.state.jobs[job_id]
        return states.pop(0) if len(states) > 1 else states[0]

    @app.delete("/v1/documents/{reference:path}")
    def delete(reference: str, collection: str) -> dict:
        named = [row for row in app.state.documents if reference in (row["uri"], row["document_id"])]
        app.state.documents.remove(named[0])
        return {}


def _add_sessions(app: FastAPI) -> None:
    app.state.turns = [{"question": "差旅标准如何报销？", "answer": "凭发票报销。[1]", "status": "answered"}]

    @app.get("/v1/sessions")
    def sessions() -> dict:
        return {"sessions": app.state.sessions}

    @app.get("/v1/sessions/{session_id}")
    def session(session_id: str) -> dict:
        return {"turns": app.state.turns}

    @app.delete("/v1/sessions/{session_id}")
    def delete(session_id: str) -> dict:
        app.state.sessions[:] = [row for row in app.state.sessions if row["session_id"] != session_id]
        return {}


def _add_curation(app: FastAPI) -> None:
    app.state.rated = []
    app.state.may_curate = True
    app.state.faq = [
        {
            "id": "f1",
            "questions": ["年假有多少天？"],
            "status": "expired",
            "reason": "<b>gone</b>",
            "text": HOSTILE,
        }
    ]
    app.state.added = []
    app.state.looked = 0

    @app.post("/v1/feedback")
    async def rate(request: Request) -> dict:
        app.state.rated.append(await request.json())
        return {}

    @app.get("/v1/faq")
    def entries(collection: str) -> dict:
        return {"entries": app.state.faq, "may_curate": app.state.may_curate}

    @app.get("/v1/faq/suggestions")
    def suggestions(collection: str):
        if not app.state.may_curate:
            return problem(403, "Forbidden", "the role reader may not do this")
        app.state.looked += 1
        found = {"id": "s1", "question": "产假有多少天？", "count": 3, "answer": {"text": "98 天。[1]"}}
        return {"suggestions": [found]}

    @app.post("/v1/faq")
    async def add(request: Request):
        app.state.added.append(await request.json())
        if app.state.added[-1].get("answer") == "wrong":
            return problem(400, "Bad Request", "the documents do not bear out: “wrong”", "mend the words")
        return {}

    @app.delete("/v1/faq/{entry_id}")
    def delete(entry_id: str) -> dict:
        app.state.faq[:] = [entry for entry in app.state.faq if entry["id"] != entry_id]
        return {}


def _add_ask(app: FastAPI, pace: Pace) -> None:
    @app.post("/v1/ask")
    async def ask(request: Request):
        body = await request.json()
        app.state.asked = body
        if "refuse" in body["question"]:
            return problem(503, "Unavailable", "Milvus does not answer", "run: attest doctor")
        script = next((make for word, make in SCRIPTS.items() if word in body["question"]), answered)

        def stream() -> Iterator[str]:
            yield ": heartbeat\n\n"
            sent: list[str] = []
            for number, (name, data) in enumerate(script()):
                pace(sent)
                sent.append(name)
                yield f"id: {number}\nevent: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serves the app on a free loopback port in a thread; yields its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        deadline = time.monotonic() + 60
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)


def slow_app() -> FastAPI:
    """The same at a pace that the eye can follow: `uvicorn --factory tests.ui.standin_api:slow_app`."""
    return make_app(pace=lambda sent: time.sleep(0.6))
