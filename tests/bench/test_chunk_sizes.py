"""Chunk sizes are compared on the same questions; figures are for bench/results."""

import json

import pytest

from bench.chunk_sizes import measure


@pytest.mark.slow
@pytest.mark.models
def test_each_size_cuts_otherwise_and_is_measured(tmp_path, weights_folder):
    words = "".join(f"第{n}号水泵每{n}个月校准一次，记录保存五年。" for n in range(1, 60))
    rows = [{"context": words, "qas": [{"id": "q", "question": "第7号水泵多久校准一次？"}]}]
    rows += [{"context": "员工每年有十五天年假。", "qas": [{"id": "r", "question": "年假几天？"}]}]
    folder = tmp_path / "cmrc2018"
    folder.mkdir()
    data = {"data": [{"title": "t", "paragraphs": rows}]}
    (folder / "cmrc2018_trial.json").write_text(json.dumps(data), encoding="utf-8")
    found = measure(tmp_path, (60, 220), ["cmrc2018"])
    assert set(found["ndcg@10"]["cmrc2018"]) == {"n", "60 tokens", "220 tokens"}
    assert found["ndcg@10"]["cmrc2018"]["220 tokens"] == 1.0
