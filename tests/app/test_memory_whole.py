"""Memory over the whole of the API: real store, real embedder, a scripted chat model."""

import json

import pytest

from tests.app.curating import GOOD, QUESTION, open_desk

BATTERY = "电池的保修期为 6 个月。[1]"


@pytest.fixture(scope="module")
def desk(tmp_path_factory, built_in_embedder):
    with open_desk(tmp_path_factory.mktemp("desk"), built_in_embedder) as desk:
        yield desk


def ask(desk, who, question, session, reply=""):
    desk.chat.replies = [reply] * 3
    body = {"question": question, "session_id": session, "memory": "window+vector"}
    answer = desk.call(who, "POST", "/v1/ask", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.models
def test_what_two_users_tell_stays_with_each_and_follow_ups_know_their_session(desk):
    for who, place in (("ann", "上海"), ("bob", "成都")):
        told = ask(desk, who, f"请记住我在{place}分公司工作", "s")
        assert (told["route"], told["status"], told["sentences"]) == ("chat", "answered", [])
        assert place in told["text"] and told["usage"]["model_calls"] == 0
    facts = {who: desk.call(who, "GET", "/v1/memory").json()["facts"] for who in ("ann", "bob", "eve", "root")}
    assert {who: [fact["value"] for fact in found] for who, found in facts.items()} == {
        "ann": ["上海分公司"], "bob": ["成都分公司"], "eve": [], "root": [],
    }  # fmt: skip
    assert facts["ann"][0]["session_id"] == "s"

    asked = len(desk.chat.asked)
    ask(desk, "ann", QUESTION, "s", GOOD)
    ask(desk, "ann", "那我的电池呢？", "s", BATTERY)
    first, follow_up = (messages[-1].content for messages in desk.chat.asked[asked : asked + 2])
    assert "recalled-" not in first
    assert "上海" in follow_up and "成都" not in follow_up and f"User: {QUESTION}" in follow_up
    turns = desk.call("ann", "GET", "/v1/sessions/s").json()["turns"]
    assert [turn["question"] for turn in turns][1:] == [QUESTION, "那我的电池呢？"]
    assert desk.call("bob", "GET", "/v1/sessions/s").json()["turns"][0]["question"].startswith("请记住我在成都")


@pytest.mark.models
def test_a_follow_up_in_messages_alone_is_answered_as_in_a_session(desk):
    asked, before = len(desk.chat.asked), desk.call("eve", "GET", "/v1/sessions").json()["sessions"]
    desk.chat.replies = [BATTERY] * 3
    said = [("user", QUESTION), ("assistant", GOOD), ("user", "那电池呢？")]
    body = {
        "model": "attest", "messages": [{"role": role, "content": text} for role, text in said],
        "stream": True,
    }  # fmt: skip
    reply = desk.call("eve", "POST", "/v1/chat/completions", json=body)
    *chunks, done = (line.removeprefix("data: ") for line in reply.text.split("\n") if line.startswith("data: "))
    deltas = [json.loads(chunk)["choices"][0]["delta"] for chunk in chunks]
    answer = deltas[-1]["attest"]
    assert done == "[DONE]" and answer["status"] == "answered" and answer["citations"]
    assert "6 个月" in answer["text"] == "".join(delta.get("content", "") for delta in deltas)
    assert f"User: {QUESTION}" in desk.chat.asked[asked][-1].content
    (new,) = [
        one for one in desk.call("eve", "GET", "/v1/sessions").json()["sessions"] if one not in before
    ]
    assert (new["session_id"], new["turns"], new["title"]) == (answer["session_id"], 1, "那电池呢？")
