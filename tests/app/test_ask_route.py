"""POST /v1/ask as JSON and as events, and what goes wrong in it."""

import json

import pytest

from agents.events import Failed, StatusChanged
from core.errors import StoreError


def read_events(text: str) -> list[dict]:
    events = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if "event" in fields:
            events.append(fields | {"data": json.loads(fields["data"])})
    return events


def test_json_answer_has_the_public_shape(client, asker):
    reply = client.post("/v1/ask", json={"question": "年假几天？", "session_id": "s1", "effort": "quick"})
    assert reply.status_code == 200
    body = reply.json()
    assert set(body) == {
        "id", "session_id", "status", "text", "sentences", "citations", "withheld", "looked_for", "route", "policy",
        "usage", "guarded", "timings_ms", "trace_id",
    }  # fmt: skip
    assert body["sentences"][0]["citations"] == [1]
    assert body["citations"][0]["quote"] == "年假为15天。"
    ask = asker.asked[0]
    assert (ask.owner, ask.session_id, ask.effort.value) == ("local", "s1", "quick")
    assert ask.scope.principals == ("everyone",)


@pytest.mark.parametrize("how", [{"json_more": {"stream": True}}, {"accept": "text/event-stream"}])
def test_stream_gives_events_in_order_with_ids(client, how):
    headers = {"Accept": how["accept"]} if "accept" in how else {}
    body = {"question": "年假几天？"} | how.get("json_more", {})
    reply = client.post("/v1/ask", json=body, headers=headers)
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = read_events(reply.text)
    assert [event["event"] for event in events] == ["status", "retrieved", "sentence", "finished"]
    turn, _ = events[0]["id"].rsplit(".", 1)
    assert [event["id"] for event in events] == [f"{turn}.{number}" for number in (1, 2, 3, 4)]
    assert events[1]["data"]["hits"][0]["ranks"]["lexical"] == 2
    assert events[3]["data"]["session_id"] == "s1"


@pytest.mark.parametrize(
    ("last", "status", "code"),
    [
        (Failed("model_unavailable", "no model", "start it"), 503, "model_unavailable"),
        (Failed("model_refused", "too long", "ask less"), 502, "model_refused"),
        (StoreError("Milvus is gone", remedy="run: attest doctor"), 503, "store_unavailable"),
        (ZeroDivisionError("secret detail"), 500, "internal"),
        (StatusChanged("searching"), 500, "internal"),
    ],
)
def test_failure_is_a_problem_document_or_a_last_event(client, asker, last, status, code):
    asker.events = (StatusChanged("planning"), last)
    reply = client.post("/v1/ask", json={"question": "q"})
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.headers["content-type"] == "application/problem+json"
    events = read_events(client.post("/v1/ask", json={"question": "q", "stream": True}).text)
    assert events[-1]["event"] == "failed"
    assert events[-1]["data"]["code"] == code
    assert "secret" not in reply.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"question": "  "}, 400),
        ({"question": "x" * 4001}, 400),
        ({"question": "q", "surprise": 1}, 422),
        ({"question": "q", "session_id": "../x"}, 422),
        ({"question": "q", "collection": "nowhere"}, 404),
        ({"question": "q", "collection": "a' or 1"}, 400),
    ],
)
def test_bad_questions_are_refused_before_the_stream(client, asker, body, status):
    reply = client.post("/v1/ask", json=body | {"stream": True})
    assert reply.status_code == status
    assert reply.json()["status"] == status
    assert reply.json()["type"].startswith("urn:attest:problem:")
    assert not asker.asked


def test_an_unknown_collection_is_named_with_its_command(client):
    body = client.post("/v1/search", json={"query": "q", "collection": "hr"}).json()
    assert "'hr'" in body["detail"]
    assert "attest ingest" in body["remedy"]


def test_search_gives_hits_with_ranks(client, retriever):
    reply = client.post("/v1/search", json={"query": "年假", "limit": 3, "readers": ["hr"]})
    assert reply.json()["hits"][0]["chunk_id"] == "doc1-00000"
    query, scope, limit = retriever.searched[0]
    assert (query, limit, scope.principals) == ("年假", 3, ("everyone", "hr"))


@pytest.mark.parametrize("keep", [True, False])
def test_a_caller_may_have_nothing_remembered(client, asker, keep):
    more = {} if keep else {"keep": False}
    client.post("/v1/ask", json={"question": "I work in sales"} | more)
    assert asker.asked[0].keep is keep
