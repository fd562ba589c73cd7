"""Tools and approvals over REST and the command line: by role, to their owner alone, and the log to admins."""

import json
import sqlite3

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.api import create_app
from app.cli.main import app
from app.keys import Role
from app.services import Services
from core.errors import StoreError
from core.settings import Settings
from tests.agents.doubles import CharacterVectors, LetterReader, ScriptedChat
from tests.agents.test_graph import GOOD, QUESTION, OneShelf
from tests.app.fakes import TOKEN, FakeIngestor, FakeLedger, FakeStore, ledger_row
from tests.app.test_cli import served  # noqa: F401


def services_over(folder, **more) -> Services:
    """A real asker with small models; the documents of one collection are fakes."""
    settings = Settings(_env_file=None, data=folder / "data", cache=folder / "weights", **more)
    ingestor = FakeIngestor([ledger_row("/docs/a.md"), ledger_row("/docs/hr.md", ("hr",))])
    parts = {
        "retriever": OneShelf(), "ingestor": ingestor, "ledger": FakeLedger(ingestor), "store": FakeStore(),
        "token_embedder": CharacterVectors(), "pair_reader": LetterReader(), "chat_model": ScriptedChat(),
    }  # fmt: skip
    return Services(settings, parts)


@pytest.fixture
def call(tmp_path):
    """A request as one of four callers."""
    services = services_over(tmp_path, tools={"roles": {"search": "editor"}})
    headers = {"owner": {"Authorization": f"Bearer {TOKEN}"}}
    for name, role in (("ann", Role.READER), ("bob", Role.READER), ("root", Role.ADMIN)):
        headers[name] = {"Authorization": f"Bearer {services.keys().create(name, [], role)[0]}"}
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:
        yield lambda who, method, path, **more: client.request(method, path, headers=headers[who], **more)


def test_each_role_has_its_tools(call):
    names = {who: [t["name"] for t in call(who, "GET", "/v1/tools").json()["tools"]] for who in ("ann", "root")}
    assert "search" not in names["ann"] and "search" in names["root"] and "calculate" in names["ann"]
    reply = call("ann", "POST", "/v1/tools/search", json={"arguments": {"query": "x"}})
    assert (reply.status_code, reply.json()["code"]) == (403, "access_denied")


def test_a_tool_is_called_and_the_admin_reads_the_log(call):
    reply = call("ann", "POST", "/v1/tools/calculate", json={"arguments": {"expression": "18% of 2,340"}})
    assert reply.status_code == 200 and reply.json()["data"]["value"] == "421.2"
    assert call("ann", "GET", "/v1/tools/calls").status_code == 403
    [row] = call("root", "GET", "/v1/tools/calls?owner=ann").json()["calls"]
    assert (row["owner"], row["tool"], row["outcome"]) == ("ann", "calculate", "done")
    assert call("root", "GET", "/v1/tools/calls?owner=bob").json() == {"calls": []}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("gone", {}, 404, "not_found"),
        ("calculate", {"arguments": {"expression": "1/0"}}, 400, "bad_input"),
        ("calculate", {"arguments": {}}, 400, "bad_input"),
        ("calculate", {"arguments": 3}, 422, "invalid_request"),
        ("read_document", {"arguments": {"document": "x"}, "collection": "gone"}, 404, "not_found"),
        ("read_document", {"arguments": {"document": "x"}, "readers": ["bob"]}, 403, "access_denied"),
        ("remember", {"arguments": {"text": "my team is red"}, "key": "a/b"}, 400, "bad_input"),
    ],
)
def test_a_wrong_call_is_a_problem_document(call, path, body, status, code):
    reply = call("ann", "POST", f"/v1/tools/{path}", json=body)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.headers["content-type"] == "application/problem+json"


def test_an_effect_is_had_once_under_its_key(call):
    body = {"arguments": {"text": "my team is red"}, "key": "k1"}
    one, other = (call("ann", "POST", "/v1/tools/remember", json=body) for _ in range(2))
    assert one.json() == other.json() and one.status_code == 200
    changed = body | {"arguments": {"text": "my team is blue"}}
    assert call("ann", "POST", "/v1/tools/remember", json=changed).status_code == 409
    assert call("bob", "POST", "/v1/tools/remember", json=changed).status_code == 200


def test_what_is_forgotten_is_kept_by_no_ledger_and_not_remembered_again(tmp_path, call):
    body = {"arguments": {"text": "my team is vermilion"}, "key": "k1"}
    said = call("ann", "POST", "/v1/tools/remember", json=body).json()
    assert "vermilion" in said["text"] and call("ann", "POST", "/v1/tools/remember", json=body).json() == said
    assert call("ann", "DELETE", "/v1/memory").status_code == 200
    with sqlite3.connect(tmp_path / "data" / "sessions.db") as database:
        rows = database.execute("SELECT * FROM tool_effects").fetchall()
    assert len(rows) == 1 and "vermilion" not in str(rows)
    again = call("ann", "POST", "/v1/tools/remember", json=body)
    assert again.status_code == 200 and "no longer there" in again.json()["text"]
    assert call("ann", "GET", "/v1/memory").json()["facts"] == []


def test_what_an_earlier_version_kept_is_erased(tmp_path):
    services = services_over(tmp_path)
    services.tools()
    with sqlite3.connect(tmp_path / "data" / "sessions.db") as database:
        for tool in ("remember", "elsewhere"):
            database.execute(
                "INSERT INTO tool_effects VALUES ('ann', ?, ?, 'd', 'done', '2026-01-01', '{\"text\": \"red\"}')", (tool, tool)
            )
    services.close()
    services_over(tmp_path).tools()
    with sqlite3.connect(tmp_path / "data" / "sessions.db") as database:
        kept = dict(database.execute("SELECT tool, result FROM tool_effects").fetchall())
    assert kept["remember"] is None and "red" in kept["elsewhere"]


def test_personal_data_is_masked_in_what_tools_give_where_it_is_in_answers(tmp_path):
    services = services_over(tmp_path, guard={"pii": "mask"})
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:
        kept = client.post("/v1/tools/remember", json={"arguments": {"text": "my phone is 13812345678"}}, headers=headers)
        told = client.post("/v1/tools/recall", json={"arguments": {}}, headers=headers)
        assert kept.status_code == told.status_code == 200
        for reply in (kept, told):
            assert "13812345678" not in reply.text and "[phone]" in reply.text
        # Whose it is may read it.
        assert "13812345678" in client.get("/v1/memory", headers=headers).text


def test_what_waits_is_decided_by_its_owner_and_nobody_else(call):
    question = {"question": "/calculate 1+1\n/remember my team is red", "session_id": "s1"}
    waiting = call("ann", "POST", "/v1/ask", json=question).json()
    assert waiting["status"] == "waiting" and "remember" in waiting["text"]
    [approval] = call("ann", "GET", "/v1/approvals").json()["approvals"]
    assert (approval["tool"], approval["session_id"]) == ("remember", "s1")
    path = f"/v1/approvals/{approval['id']}"
    for who in ("bob", "root", "owner"):
        assert call(who, "GET", "/v1/approvals").json() == {"approvals": []}
        assert call(who, "POST", path, json={"decision": "approve"}).status_code == 404
    assert call("ann", "POST", path, json={"decision": "edit"}).status_code == 400
    assert call("ann", "POST", "/v1/ask", json=question).status_code == 409
    edited = {"decision": "edit", "arguments": {"text": "my team is blue"}}
    answer = call("ann", "POST", path, json=edited).json()
    assert answer["status"] == "answered" and answer["id"] == waiting["id"] and "blue" in answer["text"]
    assert [f["value"] for f in call("ann", "GET", "/v1/memory").json()["facts"]] == ["blue"]
    assert call("ann", "POST", path, json={"decision": "reject"}).status_code == 409
    assert call("ann", "POST", "/v1/sessions/s1/resume", json={}).status_code == 409
    [turn] = call("ann", "GET", "/v1/sessions/s1").json()["turns"]
    assert turn["status"] == "answered"


def test_a_waiting_turn_streams_its_events(call):
    body = {"question": "/remember my team is red", "stream": True}
    told = call("ann", "POST", "/v1/ask", json=body).text
    assert "event: approval" in told and '"status": "waiting"' in told
    [approval] = call("ann", "GET", "/v1/approvals").json()["approvals"]
    told = call("ann", "POST", f"/v1/approvals/{approval['id']}", json={"decision": "reject", "stream": True}).text
    assert "event: finished" in told and "rejected" in told


def test_the_commands_work_in_this_process(tmp_path):
    def run(*words, code=0):
        result = CliRunner().invoke(app, [*words, "--data", str(tmp_path / "data"), "--json"])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    assert run("tools", "call", "calculate", "18% of 2,340")["text"] == "18% of 2340 = 421.2"
    assert run("tools", "call", "calculate", '{"expression": "1+1"}')["data"]["value"] == "2"
    assert run("tools", "call", "calculate", "{", code=2)["error"]["code"] == "bad_input"
    assert run("tools", "call", "gone", "x", code=2)["error"]["code"] == "not_found"
    assert [row["tool"] for row in run("tools", "log")["calls"]] == ["calculate", "calculate"]
    assert run("approvals", "list") == {"approvals": []}
    assert "calculate" in [tool["name"] for tool in run("tools", "list")["tools"]]


def test_a_broken_turn_is_not_taken_up_by_a_key_that_reads_less(tmp_path):
    services = services_over(tmp_path)
    wide, narrow = (services.keys().create("ann", groups, Role.READER)[0] for groups in (["hr"], []))
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:

        def post(key, path, **body):
            return client.post(path, json=body, headers={"Authorization": f"Bearer {key}"})

        assert post(wide, "/v1/ask", question="What is 1+1?", session_id="s").status_code == 200
        services.retriever().fault = StoreError("the store is down")
        asked = {"question": QUESTION, "session_id": "s", "readers": ["hr"]}
        assert post(wide, "/v1/ask", **asked).status_code == 503
        services.retriever().fault = None
        services.chat_model().replies += [GOOD] * 3
        reply = post(narrow, "/v1/sessions/s/resume")
        assert (reply.status_code, reply.json()["code"]) == (403, "access_denied")
        assert post(wide, "/v1/sessions/s/resume").status_code == 200


@pytest.mark.parametrize("value", ["NaN", "-Infinity", '"\\ud800"', '{"\\udc00": 1}'])
def test_what_one_sends_does_not_keep_admins_from_the_log(call, value):
    body = f'{{"arguments": {{"expression": {value}}}}}'
    reply = call("ann", "POST", "/v1/tools/calculate", content=body)
    assert 400 <= reply.status_code < 500
    assert call("root", "GET", "/v1/tools/calls").status_code == 200
