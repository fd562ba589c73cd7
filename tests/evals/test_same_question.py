"""Pairs of questions out of sets as their makers ship them, and what is counted of them."""

import json

import pytest

from core.errors import InputError
from evals.same_question import FILES, TABLE_FILES, measure, read_pairs
from tests.agents.doubles import CharacterVectors


def write_set(folder, name, *paragraphs) -> None:
    path = folder / FILES[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [
        {"context": "…", "qas": [{"id": i, "question": q, "answers": [{"text": a}]} for i, q, a in rows]}
        for rows in paragraphs
    ]
    path.write_text(json.dumps({"data": [{"paragraphs": made}]}), encoding="utf-8")


def test_pairs_are_of_one_paragraph_with_different_answers_and_of_two_translations(tmp_path):
    asked = [("1", "年假有多少天？", "15"), ("2", "病假有多少天？", "5"), ("3", "年休假几天？", "15")]
    write_set(tmp_path, "xquad_zh", asked, [("4", "谁审批？", "张三")])
    write_set(tmp_path, "squad2_zh", [("1", "年假有几天？", "15")])
    pairs = read_pairs(tmp_path)
    assert pairs.confusable["xquad_zh"] == [
        ("病假有多少天？", "年假有多少天？"), ("年休假几天？", "病假有多少天？")
    ]  # fmt: skip
    assert pairs.same["two translations"] == [("年假有多少天？", "年假有几天？")]
    assert len(pairs.same["xquad_zh, courtesy"]) == 4
    assert all(one != other for one, other in pairs.confusable["xquad_zh, a word replaced"])
    report = measure(pairs, CharacterVectors, 0.96)
    assert report["confusable"]["xquad_zh"] == {"pairs": 2, "passed": 0}
    assert report["same"]["xquad_zh, courtesy"]["passed"] == 4
    assert read_pairs(tmp_path) == pairs


def test_questions_about_one_table_are_pairs_too(tmp_path):
    path = tmp_path / TABLE_FILES["tatqa"]
    path.parent.mkdir()
    asked = [{"question": f"What was the revenue in {year}?", "answer": [str(year)]} for year in (2018, 2019)]
    path.write_text(json.dumps([{"table": {"uid": "t"}, "questions": asked}]), encoding="utf-8")
    report = measure(read_pairs(tmp_path), CharacterVectors, 0.0)
    assert report["confusable"] == {"tatqa": {"pairs": 1, "passed": 0}}


def test_a_folder_without_sets_is_named(tmp_path):
    with pytest.raises(InputError, match="no question set"):
        read_pairs(tmp_path)
