"""The fold of events into a turn."""

from tests.ui.standin_api import answered, citation, partial, sentence
from ui.client import AskEvent
from ui.turn import Turn, recalled


def fold(script: list[tuple[str, dict]]) -> Turn:
    turn = Turn("q")
    for name, data in script:
        turn.apply(AskEvent(name, data))
    return turn


def test_sentences_and_sources_stand_before_the_end():
    turn = fold(answered()[:4])
    assert turn.running
    assert turn.stage == "answering"
    assert [item["text"] for item in turn.sentences] == ["每年有 15 天带薪年假。"]
    assert [source["marker"] for source in turn.cited()] == [1]
    assert turn.chunk_text("d1-00000").startswith("第三章")


def test_the_finished_answer_replaces_what_was_shown():
    turn = fold([("sentence", {"sentence": sentence("to be dropped", 9)}), *answered()])
    assert (turn.status, turn.session_id) == ("answered", "s1")
    assert "to be dropped" not in [item["text"] for item in turn.sentences]
    assert [source["marker"] for source in turn.cited()] == [1, 2]


def test_a_withheld_sentence_is_kept_apart_with_its_verdict():
    turn = fold(partial())
    assert turn.status == "partial"
    assert len(turn.withheld) == 1
    assert turn.withheld[0]["verdict"]["label"] == "contradicted"
    assert all("20" not in item["text"] for item in turn.sentences)


def test_a_replacement_is_shown_at_once():
    withheld = {"withheld": "a", "verdict": {}, "replacement": None, "citations": []}
    mended = {**withheld, "replacement": sentence("b", 1), "citations": [citation(1, "b", "b")]}
    turn = fold([("revised", withheld), ("revised", mended)])
    assert [item["text"] for item in turn.sentences] == ["b"]
    assert [item["text"] for item in turn.withheld] == ["a"] and len(turn.cited()) == 1


def test_a_failure_keeps_what_was_released():
    turn = fold([*answered()[:4], ("failed", {"code": "x", "message": "away", "remedy": "wait"})])
    assert (turn.status, turn.message, turn.remedy) == ("failed", "away", "wait")
    assert len(turn.sentences) == 1


def test_unknown_events_and_odd_shapes_do_no_harm():
    turn = fold([("tool_call", {"name": "x"}), ("retrieved", {"hits": "none"}), ("sentence", {})])
    assert turn.running
    assert (turn.hits, turn.sentences) == ([], [])


def test_an_older_turn_comes_back_as_words_or_as_a_whole_answer():
    words = recalled({"question": "q", "answer": "a [1]", "status": "partial"}, "s7")
    assert (words.text, words.status, words.session_id) == ("a [1]", "partial", "s7")
    whole = recalled({"question": "q", "answer": answered()[-1][1]}, "s7")
    assert (whole.status, len(whole.citations)) == ("answered", 2)
