"""Fits the small logistic model of the gate on public development data.

A command: `python -m evals.fit_guards EVALS_FOLDER WEIGHTS_FOLDER`. It prints the
cross-validated AUROC of each set and writes the JSON file beside the gate. The
data are not part of this repository; docs/guards.md names them.
"""

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.guards import sufficiency
from retrieval.embedders.e5 import E5Embedder

FOLDS = 5
SEED = 7
PAIRS_PER_SET = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled example of one set."""

    source: str
    text: str
    passages: tuple[str, ...]
    label: int


def question_rows(folder: Path) -> Iterator[Row]:
    """Questions with passages that hold the answer (1) or do not (0)."""
    for name in ("zh_refine", "zh_int", "en_fact"):
        for row in _jsonl(folder / f"rgb/{name}.dev.jsonl"):
            positive, negative = _flat(row["positive"]), row["negative"]
            if positive and len(negative) >= 4:
                yield Row(f"rgb_{name}", row["query"], (positive[0], *negative[:3]), 1)
                yield Row(f"rgb_{name}", row["query"], tuple(negative[:4]), 0)
    for name, label in (("answerable", 1), ("unanswerable", 0)):
        for row in _jsonl(folder / f"clapnq/{name}.dev.jsonl"):
            yield Row("clapnq", row["input"], tuple(p["text"] for p in row["passages"]), label)
    yield from _across_questions(folder / "xquad")
    rows = [
        Row("squad2_zh", question["question"], (context,), int(not question.get("is_impossible")))
        for question, context in _squad(folder / "squad2_zh/dev-v2.0-zh.part.json")
    ]
    yield from random.sample(rows, min(len(rows), PAIRS_PER_SET))


def _across_questions(folder: Path) -> Iterator[Row]:
    english = list(_squad(folder / "xquad.en.half.json"))
    chinese = list(_squad(folder / "xquad.zh.half.json"))
    for at in random.sample(range(len(english)), min(len(english), PAIRS_PER_SET // 4)):
        for asked, held in ((english, chinese), (chinese, english)):
            # Near misses: other paragraphs of the same article, which stand close by.
            near = [held[(at + step) % len(held)][1] for step in (15, 20, 25)]
            near = [text for text in near if text != held[at][1]]
            yield Row("xquad_across", asked[at][0]["question"], (held[at][1], *near[:2]), 1)
            yield Row("xquad_across", asked[at][0]["question"], tuple(near), 0)


def _squad(path: Path) -> Iterator[tuple[dict, str]]:
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                yield question, paragraph["context"]


def _jsonl(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as source:
        yield from map(json.loads, source)


def _flat(passages: list) -> list[str]:
    return [text for item in passages for text in (item if isinstance(item, list) else [item])]


def question_table(embedder: E5Embedder, rows: list[Row]) -> tuple[np.ndarray, list[str]]:
    """The gate's features of each row."""
    found = [
        sufficiency.question_features(embedder, row.text, [p[:900] for p in row.passages]) for row in rows
    ]
    return np.array([list(f.values()) for f in found]), list(found[0])


def fit(features: np.ndarray, labels: np.ndarray, ridge: float = 1.0) -> tuple[float, np.ndarray]:
    """Ridge logistic regression by Newton's method: (bias, weights) of the raw features."""
    mean, spread = features.mean(0), features.std(0) + 1e-9
    table = np.c_[np.ones(len(features)), (features - mean) / spread]
    weights = np.zeros(table.shape[1])
    penalty = np.eye(len(weights)) * ridge
    penalty[0, 0] = 0
    for _ in range(50):
        p = 1 / (1 + np.exp(-table @ weights))
        curve = table.T @ (table * (p * (1 - p))[:, None]) + penalty
        weights += np.linalg.solve(curve, table.T @ (labels - p) - penalty @ weights)
    return float(weights[0] - (weights[1:] * mean / spread).sum()), weights[1:] / spread


def auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve by ranks."""
    ranks = np.argsort(np.argsort(scores))
    positive = labels.sum()
    above = ranks[labels == 1].sum() - positive * (positive - 1) / 2
    return float(above / (positive * (len(labels) - positive)))


def report_and_write(name: str, rows: list[Row], table: np.ndarray, names: list[str], path: Path) -> None:
    """Prints the cross-validated AUROC of each set and writes the model of all rows."""
    labels = np.array([row.label for row in rows])
    fold = np.random.default_rng(SEED).permutation(len(rows)) % FOLDS
    scores = np.zeros(len(rows))
    for at in range(FOLDS):
        bias, weights = fit(table[fold != at], labels[fold != at])
        scores[fold == at] = table[fold == at] @ weights + bias
    sources = np.array([row.source for row in rows])
    measures = {}
    for source in sorted(set(sources)):
        here = sources == source
        hits = float(((scores[here] > 0) == labels[here]).mean())
        measures[source] = {"n": int(here.sum()), "auroc": round(auroc(scores[here], labels[here]), 3),
                            "accuracy": round(hits, 3)}  # fmt: skip
    bias, weights = fit(table, labels)
    model = {
        "about": f"{name}: fitted by `python -m evals.fit_guards`; AUROC by {FOLDS}-fold cross-validation",
        "measures": measures,
        "bias": round(bias, 4),
        "weights": {key: round(float(value), 4) for key, value in zip(names, weights, strict=True)},
    }
    path.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(model, indent=1))


def run(folder: Path, weights_folder: Path) -> None:
    """Fits it."""
    random.seed(SEED)
    embedder = E5Embedder(weights_folder)
    questions = list(question_rows(folder))
    report_and_write("sufficiency", questions, *question_table(embedder, questions), sufficiency.WEIGHTS_FILE)


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
