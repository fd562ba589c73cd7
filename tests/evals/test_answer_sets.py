"""Public sets as questions with given passages, at shares of noise."""

import json

import pytest

from core.errors import InputError
from evals.answers import read_questions
from evals.convert import convert
from evals.datasets.answer_sets import LEAST_PASSAGES, clapnq_sets, noisy_passages, rgb_sets, squad2_sets
from tests.evals.conftest import write_lines

PLAIN = {"id": 3, "query": "人数", "answer": ["12人"], "positive": [f"是{n}" for n in range(6)],
         "negative": [f"否{n}" for n in range(9)]}  # fmt: skip
TWO_FACTS = {**PLAIN, "answer": ["a", ["b", "c"]], "positive": [["甲0", "甲1", "甲2"], ["乙0", "乙1"]]}


@pytest.mark.parametrize(
    ("noise", "passages"),
    [
        (0.0, ["是0", "是1", "是2", "是3", "是4"]),
        (0.4, ["是0", "是1", "是2", "否0", "否1"]),
        (0.8, ["是0", "否0", "否1", "否2", "否3"]),
        (1.0, ["否0", "否1", "否2", "否3", "否4"]),
    ],
)
def test_shares_of_noise(noise, passages):
    assert noisy_passages(PLAIN, noise) == passages


def test_each_fact_keeps_a_passage():
    assert noisy_passages(TWO_FACTS, 0.8) == ["甲0", "乙0", "否0", "否1", "否2"]
    assert noisy_passages(TWO_FACTS, 0.0) == ["甲0", "乙0", "甲1", "乙1", "甲2"]


def test_parts_that_lie_there_become_sets(tmp_path):
    write_lines(tmp_path / "zh_refine.dev.jsonl", [PLAIN, {**PLAIN, "id": 4, "negative": ["一"]}])
    write_lines(tmp_path / "en_fact.json", [PLAIN])
    found = dict(rgb_sets(tmp_path))
    assert [name for name in found if name.startswith("rgb-zh")] == [
        f"rgb-zh-refine-noise-{noise}" for noise in ("0", "0.4", "0.8", "1")
    ]
    assert len(found["rgb-zh-refine-noise-0"]) == 2 and len(found["rgb-zh-refine-noise-1"]) == 1
    (none,) = found["rgb-en-fact-noise-1"]
    assert not none["answerable"] and none["must_match"] == [] and len(none["passages"]) >= LEAST_PASSAGES
    assert found["rgb-en-fact-noise-0.8"][0]["must_match"] == [["12人"]]


def test_other_sets(tmp_path):
    for name in ("answerable", "unanswerable"):
        write_lines(
            tmp_path / f"{name}.dev.jsonl",
            [{"id": name, "input": "why", "passages": [{"title": "T", "text": "because"}]}],
        )
    ((_, rows),) = clapnq_sets(tmp_path)
    assert [row["answerable"] for row in rows] == [True, False] and rows[0]["passages"] == ["T\nbecause"]
    qas = [
        {"id": "1", "question": "谁？", "answers": [{"text": "甲", "answer_start": 0}]},
        {"id": "2", "question": "何时？", "answers": [], "is_impossible": True},
    ]
    article = {"title": "t", "paragraphs": [{"context": "甲乙", "qas": qas}]}
    (tmp_path / "squad.json").write_text(json.dumps({"data": [article]}), encoding="utf-8")
    ((_, rows),) = squad2_sets(tmp_path)
    assert [(row["answerable"], row["must_match"]) for row in rows] == [(True, [["甲"]]), (False, [])]


def test_sets_for_answers_become_files(tmp_path):
    write_lines(tmp_path / "zh_int.dev.jsonl", [TWO_FACTS])
    written = convert("rgb-answers", tmp_path, tmp_path / "out")
    assert [path.name for path in written][:2] == ["rgb-zh-int-noise-0.jsonl", "rgb-zh-int-noise-0.4.jsonl"]
    assert all(read_questions(path) for path in written)
    with pytest.raises(InputError, match="clapnq-answers"):
        convert("clapnq-answers", tmp_path, tmp_path / "out")


def test_the_public_part_has_noise_alone_and_answers(eval_data):
    found = dict(rgb_sets(eval_data / "rgb"))
    assert len(found["rgb-zh-refine-noise-0"]) == 53
    for name, rows in found.items():
        assert all(row["answerable"] != name.endswith("-noise-1") for row in rows), name
