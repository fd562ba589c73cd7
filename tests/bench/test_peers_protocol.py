"""What a worker answers, without a process."""

import time

import pytest

from bench.peers.protocol import Meter, Passage, answer, replies
from tests.bench.tiny_system import TinySystem


@pytest.fixture
def system(tmp_path):
    tiny = TinySystem(str(tmp_path))
    passages = [{"id": "a", "text": "wool and linen"}, {"id": "b", "text": "酒和茶"}]
    answer(tiny, {"do": "index", "library": "x", "passages": passages})
    return tiny


def query(ways):
    message = {"do": "query", "library": "x", "question": "酒", "ways": ways, "limit": 1, "settle_s": 0}
    return message


def test_a_query_is_encoded_once_and_searched_in_each_way(system):
    reply = answer(system, query(["forward", "backward"]))
    assert [reply["ways"][way]["ids"] for way in ("forward", "backward")] == [["b"], ["a"]]
    assert reply["encode"].keys() == {"wall_ms", "cpu_ms"} < reply["ways"]["forward"].keys()


def test_vectors_come_as_numbers(system):
    assert answer(system, {"do": "encode", "questions": ["ab", "a"]})["vectors"] == [[2.0, 1.0], [1.0, 1.0]]


def test_what_follows_close_is_not_done(system):
    messages = [{"do": "stats"}, {"do": "close"}, {"do": "no such thing"}]
    (only,) = replies(system, messages)
    assert 0 < only["rss_mb"] <= only["peak_rss_mb"] + 1


def test_an_unknown_message_is_an_error(system):
    with pytest.raises(ValueError, match="no such thing"):
        list(replies(system, [{"do": "no such thing"}]))


def test_the_meter_tells_waiting_from_working():
    with Meter() as waiting:
        time.sleep(0.05)
    with Meter() as working:
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
    assert waiting.wall_ms >= 50 and waiting.cpu_ms < 25
    assert working.cpu_ms >= 50 and working.wall_ms >= working.cpu_ms * 0.9


def test_a_passage_names_unknown_fields(system):
    with pytest.raises(TypeError):
        answer(system, {"do": "index", "library": "x", "passages": [{"id": "a", "body": "…"}]})
    assert Passage("a", "…").text == "…"
