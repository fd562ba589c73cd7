"""A stream taken up behind a restart: the turn as it was stored, by the real agent over a real store."""

import pytest

from app.keys import Role
from app.streams import StreamBook
from tests.app.curating import GOOD, PAY_QUESTION, QUESTION, open_desk
from tests.app.test_ask_route import read_events


@pytest.fixture(scope="module")
def desk(tmp_path_factory, built_in_embedder):
    with open_desk(tmp_path_factory.mktemp("desk"), built_in_embedder) as desk:
        yield desk


def stream(desk, who, last="", question=QUESTION, **more):
    desk.chat.replies = [GOOD] * 3
    headers = {"Authorization": f"Bearer {desk.keys[who]}"} | ({"Last-Event-ID": last} if last else {})
    return desk.client.post("/v1/ask", json={"question": question, "stream": True} | more, headers=headers)


def forget_streams(desk):
    """What is left of them after a restart."""
    desk.client.app.state.streams = StreamBook(30.0)


@pytest.mark.models
def test_behind_a_restart_the_stored_answer_is_told_to_who_asked_alone(desk):
    told = read_events(stream(desk, "ann").text)
    answer, last = told[-1]["data"], told[2]["id"]
    assert (answer["status"], last.split(".")[1]) == ("answered", answer["id"])
    forget_streams(desk)
    [event] = read_events(stream(desk, "ann", last).text)
    assert event["event"] == "finished" and int(event["id"].rpartition(".")[2]) == 4
    same = {"timings_ms", "guarded"}
    assert {k: v for k, v in event["data"].items() if k not in same} == {
        k: v for k, v in answer.items() if k not in same
    }
    assert stream(desk, "bob", last).status_code == 404
    assert stream(desk, "ann", last, question=PAY_QUESTION).status_code == 400
    # The session has gone on: there is its list of turns.
    stream(desk, "ann", session_id=answer["session_id"])
    forget_streams(desk)
    assert stream(desk, "ann", last).status_code == 404


@pytest.mark.models
def test_a_right_that_has_ended_gives_no_stored_answer(desk):
    told = read_events(stream(desk, "ann", readers=["hr"]).text)
    forget_streams(desk)
    desk.services.keys().revoke(desk.services.keys().find(desk.keys["ann"]).id)
    desk.keys["ann"], _ = desk.services.keys().create("ann", [], Role.EDITOR)
    assert stream(desk, "ann", told[0]["id"], readers=["hr"]).status_code == 403
