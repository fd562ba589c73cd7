"""Pairs that the reader learns from."""

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import Span
from evals.learned_questions import crop
from evals.pair_rows import CLAIM, QUESTION, common_part, question_rows

TEXT = "The north gate closes at six. Visitors sign the book. 泵的压力是三兆帕。阀门每天检查一次。"


@pytest.mark.parametrize(
    ("question", "passage", "part"),
    [
        ("When does the north gate close?", "The north gate closes at six.", "the north gate close"),
        ("泵的压力是多少？", TEXT, "泵的压力是"),
        ("Who?", "x", ""),
        ("gatekeeper", "The gate", ""),
    ],
)
def test_what_question_and_passage_share(question, passage, part):
    at, length = common_part(question, passage)
    assert question[at : at + length].strip() == part


@given(st.integers(0, len(TEXT) - 2), st.integers(1, 20), st.integers(0, 5))
def test_a_crop_keeps_the_answer(start, length, seed):
    span = Span(start, min(len(TEXT), start + length))
    text, moved = crop(TEXT, span, random.Random(seed))
    assert moved.of(text) == span.of(TEXT) and text in TEXT


def test_questions_of_articles_become_pairs_of_both_labels(tmp_path):
    paragraphs = [
        {
            "context": f"{name}位于城市的{side}，建于{year}年，由当地居民捐款修建。" + "它每年接待大量游客，门票收入用于维修。" * 6,
            "qas": [{"question": f"{name}建于哪一年？", "answers": [{"text": f"{year}年", "answer_start": 0}]}],
        }
        for name, side, year in (("白塔", "东边", 1832), ("石桥", "西边", 1764), ("钟楼", "北边", 1901))
    ]  # fmt: skip
    article = {"title": "", "id": "a", "paragraphs": paragraphs}
    files = ("cmrc2018/cmrc2018_trial.json", "drcd/DRCD_dev.json", "squad2_zh/dev-v2.0-zh.part.json")
    for name in (*files, "xquad/xquad.en.half.json", "xquad/xquad.zh.half.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        articles = [article | {"title": f"{name.split('/')[0]}{n}"} for n in range(12)]
        (tmp_path / name).write_text(json.dumps({"data": articles}), encoding="utf-8")
    lines = {"clapnq/answerable": [], "clapnq/unanswerable": [], "ramdocs/dev": []}
    lines |= {f"rgb/{part}": [] for part in ("zh_refine", "zh_int", "zh_fact", "en_fact")}
    for name in lines:
        path = tmp_path / f"{name}.jsonl" if name.startswith("ramdocs") else tmp_path / f"{name}.dev.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("", encoding="utf-8")
    rows = [row for row in question_rows(tmp_path) if row.source != "facts"]
    assert {row.label for row in rows} == {0, 1} and {row.kind for row in rows} == {QUESTION}
    for row in rows:
        if row.label and row.source != "across":
            [(start, end)] = row.marked
            assert row.second[start:end].endswith("年") and row.second[start:end][:4].isdigit()
        elif not row.label:
            assert row.marked == ()


@pytest.mark.torch
def test_what_is_trained_is_what_is_read(weights_folder):
    """The network in PyTorch and the graph made from what it learned give the same logits."""
    torch = pytest.importorskip("torch")
    import openvino as ov

    from evals.pair_network import PairNetwork
    from retrieval.embedders.e5 import WEIGHTS_FILE
    from retrieval.embedders.e5_graph import E5GraphBuilder
    from retrieval.embedders.e5_weights import E5Weights
    from retrieval.pairs.adapter import FIRST, SECOND, AdaptedWeights, PairAdapter

    torch.manual_seed(1)
    weights = E5Weights(weights_folder / WEIGHTS_FILE)
    network = PairNetwork(weights)
    with torch.no_grad():
        for name, value in network.trained():
            if name.endswith(".up"):
                value.normal_(0, 0.01)
    ids = np.array([[0, 100, 2000, 2, 2, 300, 4000, 5000, 2]])
    parts = np.array([[0, FIRST, FIRST, 0, 0, SECOND, SECOND, SECOND, 0]])
    words = weights.word_rows(ids)
    adapter = PairAdapter(network.arrays(), "test")
    model = E5GraphBuilder(AdaptedWeights(weights, adapter), None).build()
    graph = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    states = graph([words, np.ones(ids.shape, np.float32)])[0]
    with torch.no_grad():
        trained = network(torch.from_numpy(words), torch.ones(ids.shape, dtype=torch.bool))
        for kind, head in ((CLAIM, "wrong"), (QUESTION, "answer")):
            logit, _ = getattr(network, head)(trained, torch.from_numpy(parts))
            assert adapter.logits(head, states, parts)[0][0] == pytest.approx(logit.item(), abs=0.1), kind
