"""What is remembered of users, over REST and the command line: everybody has their own alone."""

import json

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from agents.memory.facts import Fact
from app.api import create_app
from app.cli.main import app
from app.keys import Role
from tests.app.fakes import TOKEN
from tests.app.test_cli import served  # noqa: F401


@pytest.fixture
def call(services):
    """A request as one of three callers, each with a fact of the same key."""
    headers = {"owner": {"Authorization": f"Bearer {TOKEN}"}}
    for name, role in (("ann", Role.READER), ("root", Role.ADMIN)):
        headers[name] = {"Authorization": f"Bearer {services.keys().create(name, [], role)[0]}"}
    for name in ("local", "ann", "root"):
        services.facts().remember(name, [Fact("name", f"{name}'s", "s1", "t1")])
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:
        yield lambda who, method, path="", **more: client.request(
            method, f"/v1/memory{path}", headers=headers[who], **more
        )


def test_each_lists_their_own(call):
    for who, name in (("owner", "local"), ("ann", "ann"), ("root", "root")):
        found = call(who, "GET").json()
        assert found["enabled"] is True
        [fact] = found["facts"]
        assert (fact["key"], fact["value"], fact["session_id"], fact["expires"]) == ("name", f"{name}'s", "s1", None)


def test_nobody_reaches_what_is_another_s_not_even_an_admin(call):
    [fact] = call("ann", "GET").json()["facts"]
    for method, more in (("GET", {}), ("DELETE", {}), ("PATCH", {"json": {"value": "mine now"}})):
        for who in ("root", "owner"):
            reply = call(who, method, f"/{fact['id']}", **more)
            assert reply.status_code == 404 and fact["value"] not in reply.text
    assert call("root", "DELETE").json() == {"deleted": 1}
    assert call("root", "PUT", json={"enabled": False}).json() == {"enabled": False}
    found = call("ann", "GET").json()
    assert found == {"enabled": True, "facts": [fact]}


def test_a_fact_is_changed_and_deleted(call):
    [fact] = call("ann", "GET").json()["facts"]
    changed = call("ann", "PATCH", f"/{fact['id']}", json={"value": " Anna \n K. ", "expires": "2999-12-31"}).json()
    assert (changed["value"], changed["expires"][:10], changed["session_id"]) == ("Anna K.", "3000-01-01", "")
    assert call("ann", "GET", f"/{fact['id']}").json() == changed
    assert call("ann", "PATCH", f"/{fact['id']}", json={"expires": ""}).json()["expires"] is None
    assert call("ann", "DELETE", f"/{fact['id']}").json() == {"deleted": fact["id"]}
    assert call("ann", "GET", f"/{fact['id']}").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"value": " "}, 400), ({"value": "x" * 301}, 400), ({"expires": "soon"}, 400),
     ({"expires": "2020-01-01"}, 409), ({"value": "x" * 3000}, 422), ({"key": "role"}, 422)],
)  # fmt: skip
def test_what_cannot_be_changed_so_is_refused(call, body, status):
    [fact] = call("ann", "GET").json()["facts"]
    reply = call("ann", "PATCH", f"/{fact['id']}", json=body)
    assert reply.status_code in (status, 400) and "detail" in reply.json()
    assert call("ann", "GET").json()["facts"] == [fact]


def test_a_question_with_a_strategy_that_is_not_there_is_refused(client, asker):
    reply = client.post("/v1/ask", json={"question": "年假几天？", "memory": "elephant"})
    assert reply.status_code == 400 and "elephant" in reply.text and asker.asked == []
    client.post("/v1/ask", json={"question": "年假几天？", "memory": "window+vector"})
    assert asker.asked[-1].memory == "window+vector"


@pytest.mark.parametrize("way", ["local", "served"])
def test_the_commands_over_a_directory_and_over_a_running_api(way, request, services, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    services.facts().remember("local", [Fact("name", "Ann", "s1", "t1"), Fact("home", "Rome")])
    services.facts().remember("bob", [Fact("name", "Bob")])
    if way == "served":
        run = request.getfixturevalue("served")
    else:
        place = ["--data", str(services.settings.data)]
        run = lambda *words: CliRunner().invoke(app, [*words, *place])  # noqa: E731
    listed = json.loads(run("memory", "list", "--json").stdout)
    ids = {fact["key"]: fact["id"] for fact in listed["facts"]}
    assert listed["enabled"] and set(ids) == {"name", "home"} and "Bob" not in run("memory", "list").stdout
    assert "s1" in run("memory", "show", ids["name"]).stdout
    edited = run("memory", "edit", ids["name"], "--value", "Anna", "--expires", "2999-12-31", "--json")
    assert json.loads(edited.stdout)["value"] == "Anna"
    assert run("memory", "edit", ids["name"]).exit_code == 2
    assert run("memory", "delete", ids["name"]).exit_code == 0
    assert run("memory", "show", ids["name"]).exit_code == 2
    assert run("memory", "delete").exit_code == run("memory", "delete", "x", "--all").exit_code == 2
    assert run("memory", "switch", "off").stdout == "memory is off\n"
    assert "switch on" in run("memory", "list").stdout and run("memory", "switch", "maybe").exit_code == 2
    assert run("memory", "delete", "--all").stdout == "deleted 1\n"
    assert [fact.value for fact in services.facts().list("bob")] == ["Bob"]
