"""The event stream's grammar, and that the cut of the bytes never matters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.event_stream import read_events

LINE_TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8)


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in zip(edges, edges[1:], strict=False)]


@given(
    events=st.lists(st.tuples(st.sampled_from(["status", "sentence"]), st.lists(LINE_TEXT, min_size=1))),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    places=st.lists(st.integers(0, 10_000), max_size=40),
)
def test_written_events_are_read_back_however_the_bytes_are_cut(events, ending, places):
    lines = []
    for name, data in events:
        lines += [": heartbeat", "", f"event: {name}", "id: 7", *[f"data: {line}" for line in data], ""]
    body = "".join(line + ending for line in lines).encode()
    assert list(read_events(cut(body, places))) == [(name, "\n".join(data)) for name, data in events]


@given(body=st.binary(max_size=60) | st.text(alphabet="data:evnt \r\n\ufeff字", max_size=60).map(str.encode))
def test_any_bytes_one_by_one_give_what_they_give_at_once(body):
    assert list(read_events(cut(body, list(range(len(body)))))) == list(read_events([body]))


@pytest.mark.parametrize(
    ("body", "events"),
    [
        ("data: a\ndata: b\n\n", [("message", "a\nb")]),
        ("data:a\n\ndata:  a\n\n", [("message", "a"), ("message", " a")]),
        ("data\n\n", [("message", "")]),
        ("event: x\n\ndata: a\n\n", [("message", "a")]),
        (": c\nid: 1\n\n: c\n\nretry: 5\n\n", []),
        ("\ufeffdata: a\n\n", [("message", "a")]),
        ("data: a\u2028b\x0bc\x85d\n\n", [("message", "a\u2028b\x0bc\x85d")]),
        ("data: a\n\ndata: lost\n", [("message", "a")]),
        ("dataset: no\nunknown\ndata: a\n\n", [("message", "a")]),
    ],
)
def test_the_grammar_case_by_case(body, events):
    assert list(read_events([body.encode()])) == events


def test_an_event_closed_by_carriage_returns_is_not_held_back():
    chunks = iter([b"data: a\r\r"])
    assert next(read_events(chunks)) == ("message", "a")


def test_broken_utf8_spoils_one_character_only():
    assert list(read_events([b"data: \xff\xe5\xad", b"\x97\n\n"])) == [("message", "\ufffd字")]
