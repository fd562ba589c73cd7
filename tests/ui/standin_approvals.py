"""The part of the stand-in for the REST API where a call of a tool waits for its owner's word."""

import json
from collections.abc import Iterator

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from tests.ui.standin_profile import HOSTILE

Script = list[tuple[str, dict]]
WORDS = f"my phone is 13800000000 {HOSTILE}"
CALL = {
    "id": "run1-0",
    "session_id": "s1",
    "tool": "remember",
    "arguments": {"text": WORDS},
    "proposed": "2026-11-26T08:00:00+00:00",
}
UNTOLD = {
    "text": "Noted.",
    "citations": [],
    "verdict": {"label": "supported", "score": 1.0, "guard": "remember"},
}


def finished(status: str, text: str, sentences: list[dict]) -> tuple[str, dict]:
    """The last event of a turn that calls tools."""
    answer = {
        "id": "a1",
        "status": status,
        "text": text,
        "sentences": sentences,
        "citations": [],
        "withheld": [],
    }
    return "finished", {**answer, "looked_for": [], "route": "tool", "timings_ms": {}, "session_id": "s1"}


def waiting() -> Script:
    """A turn that stops before an effect. Of the event's arguments a part is masked."""
    return [
        ("status", {"stage": "planning", "detail": ""}),
        ("approval", {"id": "run1-0", "tool": "remember", "arguments": {"text": "my phone is [phone]"}}),
        finished("waiting", "This waits for your approval: remember.", []),
    ]


def done() -> Script:
    """What comes once it was approved."""
    return [
        ("tool_call", {"tool": "remember", "arguments": {"text": WORDS}}),
        ("tool_result", {"tool": "remember", "text": "Noted."}),
        ("sentence", {"sentence": UNTOLD, "citations": []}),
        finished("answered", "Noted.", [UNTOLD]),
    ]


def failed(message: str) -> Script:
    """A decision that is refused."""
    return [("failed", {"code": "bad_input", "message": message, "remedy": "look at the list"})]


def streamed(script: Script) -> StreamingResponse:
    """The script as server-sent events."""

    def frames() -> Iterator[str]:
        for name, data in script:
            yield f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"

    return StreamingResponse(frames(), media_type="text/event-stream")


def add_approvals(app: FastAPI) -> None:
    """`app.state.approvals` wait, `later` wait when those are decided; with `breaks` a turn that goes on
    breaks off at once."""
    app.state.approvals = [dict(CALL)]
    app.state.later = []
    app.state.decided = []
    app.state.resumed = []
    app.state.breaks = False

    @app.get("/v1/approvals")
    def approvals() -> dict:
        return {"approvals": app.state.approvals}

    @app.post("/v1/approvals/{approval_id}")
    async def decide(approval_id: str, request: Request) -> StreamingResponse:
        body = await request.json()
        app.state.decided.append((approval_id, body))
        if approval_id not in [call["id"] for call in app.state.approvals]:
            return streamed(failed("nothing of this id waits for your approval"))
        if "other" in body.get("arguments", {}):
            return streamed(failed("remember takes no argument 'other'"))
        app.state.approvals[:] = [call for call in app.state.approvals if call["id"] != approval_id]
        if app.state.breaks:
            return streamed(done()[:1])
        if app.state.later:
            app.state.approvals.append(app.state.later.pop(0))
            return streamed(waiting())
        return streamed([finished("answered", "Rejected.", [])] if body["decision"] == "reject" else done())

    @app.post("/v1/sessions/{session_id}/resume")
    async def resume(session_id: str, request: Request) -> StreamingResponse:
        app.state.resumed.append((session_id, await request.json()))
        return streamed(done())
