"""The API client against a real socket, and the event stream cut at any byte."""

import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ui.standin_api import make_app, serving
from ui.client import ApiClient, ApiError, AskEvent, Question

ASKED = Question("年假有多少天？", "default", "s1", "deep")


class CutBody(httpx.SyncByteStream):
    """A response body that arrives in pieces of given sizes."""

    def __init__(self, body: bytes, sizes: list[int]) -> None:
        self.body, self.sizes = body, sizes

    def __iter__(self):
        rest = self.body
        for size in self.sizes:
            piece, rest = rest[:size], rest[size:]
            if piece:
                yield piece
        if rest:
            yield rest


class BreakingBody(httpx.SyncByteStream):
    """A response body whose line breaks after its first bytes."""

    def __iter__(self):
        yield b'event: status\ndata: {"stage": "searching"}\n\n'
        raise httpx.ReadError("connection reset")


def client_over(stream: httpx.SyncByteStream, content_type: str = "text/event-stream") -> ApiClient:
    def respond(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": content_type}, stream=stream)

    return ApiClient("http://api.test", transport=httpx.MockTransport(respond))


@settings(max_examples=60, deadline=None)
@given(
    payloads=st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=12), max_size=3), max_size=4),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    sizes=st.lists(st.integers(1, 9), max_size=80),
)
def test_any_cut_of_the_bytes_gives_the_same_events(payloads, ending, sizes):
    lines = []
    for number, payload in enumerate(payloads):
        data = json.dumps(payload, ensure_ascii=False, indent=1).split("\n")
        lines += [": heartbeat", "", f"id: {number}", "event: sentence", "retry: 10"]
        lines += [*[f"data: {line}" for line in data], ""]
    body = "".join(line + ending for line in lines).encode()
    events = list(client_over(CutBody(body, sizes)).ask(ASKED))
    assert events == [AskEvent("sentence", payload) for payload in payloads]


def test_an_event_without_its_closing_blank_line_is_not_delivered():
    body = b'event: status\ndata: {"stage": "a"}\n\nevent: finished\ndata: {"status": "answered"}\n'
    assert [event.name for event in client_over(CutBody(body, [])).ask(ASKED)] == ["status"]


def test_a_broken_line_is_an_error_after_the_events_before_it():
    seen = []
    with pytest.raises(ApiError, match="connection reset") as caught:
        for event in client_over(BreakingBody()).ask(ASKED):
            seen.append(event.name)
    assert seen == ["status"]
    assert caught.value.code == "broken"


def test_a_page_that_is_no_event_stream_is_told_apart():
    with pytest.raises(ApiError, match="not the Attest API") as caught:
        list(client_over(CutBody(b"<html>", []), "text/html").ask(ASKED))
    assert caught.value.remedy == "ATTEST_UI_API_URL"


def test_the_question_is_sent_as_the_interface_says():
    app = make_app()
    with serving(app) as url:
        names = [event.name for event in ApiClient(url).ask(ASKED)]
    assert names == ["status", "retrieved", "status", "sentence", "sentence", "finished"]
    assert app.state.asked == {
        "question": "年假有多少天？",
        "memory": "",
        "assistant": "",
        "collection": "default",
        "session_id": "s1",
        "effort": "deep",
        "stream": True,
        "resumable": False,
    }


def test_a_refused_question_carries_the_problem_document():
    with serving(make_app()) as url, pytest.raises(ApiError) as caught:
        list(ApiClient(url).ask(Question("refuse", "default")))
    assert (caught.value.status, caught.value.message) == (503, "Milvus does not answer")
    assert caught.value.remedy == "run: attest doctor"


def test_the_token_opens_the_door_and_stays_out_of_the_identity():
    with serving(make_app(token="sesame")) as url:
        assert ApiClient(url, "sesame").collections()[0]["name"] == "default"
        with pytest.raises(ApiError) as caught:
            ApiClient(url, "wrong").collections()
    assert caught.value.status == 401
    assert "sesame" not in ApiClient(url, "sesame").identity
    assert ApiClient(url, "sesame").identity != ApiClient(url, "wrong").identity


def test_nothing_at_the_address():
    with pytest.raises(ApiError, match="No API answers at http://127.0.0.1:1") as caught:
        ApiClient("http://127.0.0.1:1").collections()
    assert (caught.value.status, caught.value.code) == (0, "unreachable")


@pytest.mark.parametrize("body", [b"[]", b"<html>", b'{"other": []}', b'{"collections": {}}'])
def test_a_reply_of_another_shape_is_an_error_and_no_empty_list(body):
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=body))
    with pytest.raises(ApiError) as caught:
        ApiClient("http://api.test", transport=transport).collections()
    assert caught.value.code == "foreign"


def test_ids_cannot_leave_their_place_in_the_path():
    paths = []

    def respond(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(204)

    client = ApiClient("http://api.test", transport=httpx.MockTransport(respond))
    client.delete_session("../documents/d1?x")
    client.delete_document("a/b", "my docs")
    assert paths == [b"/v1/sessions/..%2Fdocuments%2Fd1%3Fx", b"/v1/documents/a%2Fb?collection=my+docs"]


@pytest.mark.parametrize("path", ["//evil.example/x.png", "/v1/keys", "/v1/documents/../keys/figures/a.png"])
def test_a_picture_is_read_from_its_own_route_alone(path):
    def respond(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"asked for {request.url}")

    with pytest.raises(ApiError, match="a picture lies elsewhere"):
        ApiClient("http://api", transport=httpx.MockTransport(respond)).figure(path, "default")
