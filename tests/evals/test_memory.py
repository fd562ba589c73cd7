"""The memory measure: over a conversation of our own, and that the best strategy reaches its goal
on the public ones."""

import json

import pytest

from core.errors import InputError
from evals.datasets.locomo import read_conversations
from evals.memory import BUDGETS, evaluate_memory
from tests.contracts.test_memory import LetterVectors

SAMPLE = {
    "sample_id": "own",
    "conversation": {
        "speaker_a": "Ann", "speaker_b": "Bob",
        "session_2_date_time": "3 June, 2024",
        "session_2": [
            {"speaker": "Bob", "dia_id": "D2:1", "text": "The heron nests again.", "blip_caption": "a bird on a pole"},
        ],
        "session_1_date_time": "1 June, 2024",
        "session_1": [
            {"speaker": "Ann", "dia_id": "D1:1", "text": "I bought a kayak. It is green, I think."},
            {"speaker": "Bob", "dia_id": "D1:2", "text": "Nice!"},
        ],
    },
    "qa": [
        {"question": "What did Ann buy, a kayak?", "answer": "a kayak", "evidence": ["D1:1; D9:9"], "category": 4},
        {"question": "What nests?", "answer": "a heron", "evidence": ["D2:1", "D1:1"], "category": 1},
        {"question": "Who sang?", "answer": "", "evidence": ["D1:1"], "category": 5},
        {"question": "Lost?", "answer": "", "evidence": ["D7:7"], "category": 2},
    ],
}  # fmt: skip


def write(tmp_path, value):
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def evaluate(path, *names):
    return evaluate_memory(path, names, LetterVectors, lambda _: None)


def test_a_conversation_is_read_in_the_order_of_its_sessions(tmp_path):
    [talk] = read_conversations(write(tmp_path, [SAMPLE]))
    assert [remark.id for remark in talk.remarks] == ["D1:1", "D1:2", "D2:1"]
    assert talk.remarks[2].text == "The heron nests again. [picture: a bird on a pole]"
    assert talk.remarks[0].said == "1 June, 2024"
    assert [asked.evidence for asked in talk.questions] == [{"D1:1"}, {"D2:1", "D1:1"}]


def test_all_is_recalled_where_all_fits(tmp_path):
    report = evaluate(write(tmp_path, [SAMPLE]), "full", "entities")
    assert report["updates"] == {"n": 200, "newest": 1.0, "older": 0.0}
    assert report["n"] == 2 and report["best"]["650"] == "full"
    full = report["strategies"]["full"]
    assert full["recall@650"] == full["words@650"] == report["best_recall@650"] == 1.0
    assert full["conversations"]["own"]["n"] == 2 and full["categories"]["single-hop"]["recall@650"] == 1.0
    assert report["queries"]["own/q1"] == {f"recall@{budget}": 1.0 for budget in BUDGETS}
    # A note of one of its sentences is a source, but not the whole of the turn.
    entities = report["strategies"]["entities"]
    assert entities["words@650"] < entities["recall@650"]


@pytest.mark.parametrize(
    "value",
    [[], [{}], {"qa": []}, [1], [{"conversation": {"session_1": [{}]}, "qa": []}], [{**SAMPLE, "qa": [{}]}], "x"],
)
def test_another_form_is_told(tmp_path, value):
    with pytest.raises(InputError):
        evaluate(write(tmp_path, value), "full")


def test_a_file_that_is_no_json_or_not_there_is_told(tmp_path):
    (tmp_path / "no.json").write_text("{", encoding="utf-8")
    for path in (tmp_path / "no.json", tmp_path / "gone.json", tmp_path):
        with pytest.raises(InputError):
            evaluate(path, "full")


@pytest.mark.models
def test_the_best_strategy_recalls_three_quarters_at_1300_tokens(eval_data, built_in_embedder):
    path = eval_data / "locomo" / "locomo_dev2.json"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    report = evaluate_memory(path, ["vector"], lambda: built_in_embedder, lambda _: None)
    assert report["best_recall@1300"] >= 0.75
    assert all(part["recall@1300"] >= 0.75 for part in report["strategies"]["vector"]["conversations"].values())
