"""Fits the gate: `python -m evals.fit_sufficiency EVALS_FOLDER WEIGHTS_FOLDER`.

A logistic model over what `agents/guards/sufficiency.py` reads, fitted on one half of the
questions (by article or question) and reported on the other; and one that weighs it with the probes, fitted
on a half of that other half (`is_weighed`) and reported on the rest. Writes the JSON files beside the
gate, and bench/results/abstention.json with their risk-coverage curves. Nothing is generated.
docs/abstention.md names the data.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from agents.guards import sufficiency
from agents.guards.building import GuardModels
from agents.guards.logistic import logit
from agents.guards.probed import FEATURES as MAP_FEATURES
from app.model_server.process import prepare_in_child
from app.weights.catalogue import BUILT_IN_CHAT
from core.settings import IngestSettings
from core.types import Chunk, Document
from evals.logistic_fit import auroc, fit, risk_coverage
from evals.record import write_result
from evals.sufficiency_data import Case, is_asked, is_weighed, read_cases
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.parsers.plain import parse_plain
from retrieval.embedders.e5 import E5Embedder, open_tokenizer
from retrieval.embedders.e5_tokenizer import E5Tokenizer
from retrieval.pairs.reader import AdaptedReader
from retrieval.probes.reader import StateReader
from retrieval.token_cache import CachedTokenEmbedder

COMMAND = "python -m evals.fit_sufficiency EVALS_FOLDER WEIGHTS_FOLDER"
RGB_ALONE = "rgb, noise 1"
COVERAGES = (0.2, 0.4, 0.6, 0.8, 1.0)
RIDGE = 1.0
REPORTED_ONLY = ("squad2-zh",)
"""Made so that words and vectors cannot tell: fitting the gate on it makes it worse elsewhere. The reader of
pairs learns from its other half."""
MOST_CHUNKS = 8
KEPT_TOKENS = 100_000


class GateReader:
    """Cases as the gate reads them."""

    def __init__(self, tokenizer: E5Tokenizer, models: GuardModels) -> None:
        settings = IngestSettings()
        self._limits = ChunkLimits(settings.chunk_tokens, settings.overlap_tokens)
        self._tokenizer, self._models = tokenizer, models
        self._probed: dict[tuple[str, str], float] = {}

    def features(self, case: Case) -> Mapping[str, float]:
        """Of the passages cut as ingestion cuts them, those that match the question best. Of a reported case
        also `probe`: the best word of the probes on the chunks that the gate has read again."""
        texts = [chunk.text for text in case.passages for chunk in self._chunks(text)]
        embedder = self._models.tokens
        words, *tables = embedder.embed_tokens([case.question, *texts])
        scores = [float((words @ table.T).max(axis=1).mean()) if len(table) else 0.0 for table in tables]
        best = [texts[at] for at in np.argsort(scores)[::-1][:MOST_CHUNKS]]
        readings = self._models.pairs.read_questions([(case.question, text) for text in best])
        found = dict(sufficiency.question_features(embedder, case.question, best, max(readings)))
        if case.reported:
            liked = np.argsort(readings)[::-1][: sufficiency.PROBED_TEXTS]
            found["probe"] = max(self._read_again(case.question, best[at]) for at in liked)
        return found

    def _read_again(self, question: str, text: str) -> float:
        if (question, text) not in self._probed:
            [self._probed[question, text]] = self._models.probes.read_answers(question, [text])
        return self._probed[question, text]

    def _chunks(self, text: str) -> list[Chunk]:
        document = Document("0" * 64, "x", "", "text/plain", len(text), "x")
        return chunk_elements(document, parse_plain(text), self._limits, self._tokenizer.count)


def fit_model(
    rows: Sequence[Mapping[str, float]], labels: np.ndarray, fitted: np.ndarray, weights: np.ndarray
) -> tuple[dict, np.ndarray]:
    """(bias and weights, probabilities of all rows), from the rows that are `fitted`, each
    counted by its weight."""
    table = np.array([[row[name] for name in sufficiency.FEATURES] for row in rows])
    times = np.repeat(np.flatnonzero(fitted), weights[fitted])
    bias, found = fit(table[times], labels[times], RIDGE)
    model = {
        "bias": round(bias, 4),
        "weights": {
            name: round(float(value), 4) for name, value in zip(sufficiency.FEATURES, found, strict=True)
        },
    }
    return model, 1 / (1 + np.exp(-(table @ found + bias)))


def measures(
    sources: Sequence[str], scores: np.ndarray, labels: np.ndarray, reported: np.ndarray
) -> dict[str, dict]:
    """AUROC and accuracy at one half of each source, on the reported rows."""
    found = {}
    for source in sorted(set(sources)):
        here = reported & np.array([name == source for name in sources])
        if 0 < labels[here].sum() < here.sum():
            accuracy = float(((scores[here] > 0.5) == labels[here]).mean())
            found[source] = {
                "n": int(here.sum()), "auroc": round(auroc(scores[here], labels[here]), 3),
                "accuracy": round(accuracy, 3),
            }  # fmt: skip
    return found


def curve(scores: np.ndarray, labels: np.ndarray) -> dict:
    """Risk at several coverages, and how many of the unanswerable are declined while 95 of
    100 declined are such."""
    coverage, risk = risk_coverage(scores, labels)
    points = {f"{at:g}": round(float(risk[np.searchsorted(coverage, at - 1e-9)]), 3) for at in COVERAGES}
    order = np.argsort(scores, kind="stable")
    wrong = np.cumsum(1 - labels[order])
    precise = np.flatnonzero(wrong / np.arange(1, len(order) + 1) >= 0.95)
    recall = float(wrong[precise[-1]] / max(1, wrong[-1])) if len(precise) else 0.0
    return {
        "n": len(labels), "unanswerable": int((1 - labels).sum()), "auroc": round(auroc(scores, labels), 3),
        "risk": points, "declined_at_precision_0.95": round(recall, 3),
    }  # fmt: skip


def family(source: str) -> str:
    """RGB's shares of noise are one source when models are judged."""
    return source.split("-noise-")[0]


def curves(
    cases: Sequence[Case], scores: np.ndarray, labels: np.ndarray, reported: np.ndarray
) -> dict[str, dict]:
    """By source, on the reported rows; RGB as one, at each share of noise against noise alone."""
    names = [_pooled(case.source) for case in cases]
    found = {}
    for name in sorted(set(names) - {RGB_ALONE}):
        against = {name, RGB_ALONE} if name.startswith("rgb") else {name}
        here = reported & np.array([own in against for own in names])
        if 0 < labels[here].sum() < here.sum():
            found[name] = curve(scores[here], labels[here])
    return found


def _pooled(source: str) -> str:
    _, noise, share = source.partition("-noise-")
    return f"rgb, noise {share}" if noise else source


def weigh(cases: Sequence[Case]) -> np.ndarray:
    """Whole numbers by which cases count: RGB's questions stand thrice with an answer, at three
    shares of noise, and once without."""
    return np.array([3 if case.source.endswith("-noise-1") else 1 for case in cases])


def fit_second(
    cases: Sequence[Case], rows: Sequence[Mapping[str, float]], scores: np.ndarray, labels: np.ndarray
) -> tuple[dict, np.ndarray]:
    """(the model that weighs the gate's score with the probes, its probabilities of all rows: of those that
    have no probe the gate's own), fitted on the weighed half of the reported rows."""
    table = np.array(
        [[logit(score), row.get("probe", 0.0)] for score, row in zip(scores, rows, strict=True)]
    )
    fitted = np.array([case.reported and is_weighed(case.group) for case in cases])
    bias, found = fit(table[fitted], labels[fitted], RIDGE)
    model = {
        "bias": round(bias, 4),
        "weights": {n: round(float(value), 4) for n, value in zip(MAP_FEATURES, found, strict=True)},
    }
    in_doubt = (scores >= sufficiency.DOUBT[0]) & (scores <= sufficiency.DOUBT[1])
    again = np.array(["probe" in row for row in rows]) & in_doubt
    return model, np.where(again, 1 / (1 + np.exp(-(table @ found + bias))), scores)


def run(folder: Path, reader: GateReader) -> None:
    """Fits and writes everything."""
    cases = read_cases(folder)
    sources = [family(case.source) for case in cases]
    labels = np.array([int(case.answerable) for case in cases])
    reported = np.array([case.reported for case in cases])
    rows = [reader.features(case) for case in cases]
    fitted = ~reported & np.array([source not in REPORTED_ONLY for source in sources])
    model, scores = fit_model(rows, labels, fitted, weigh(cases))
    second, probed = fit_second(cases, rows, scores, labels)
    asked = np.array([is_asked(case.group) for case in cases])
    for path, about, found, values, told in (
        (sufficiency.WEIGHTS_FILE, "sufficiency", model, scores, reported),
        (sufficiency.PROBED_FILE, "sufficiency, with the probes", second, probed, asked),
    ):
        text = f"{about}: fitted by `{COMMAND}`; measured on the part that was not fitted on"
        held = {"about": text, "measures": measures(sources, values, labels, told), **found}
        path.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
    report = {
        "gate": curves(cases, scores, labels, reported),
        "gate on the quarter": curves(cases, scores, labels, asked),
        "with the second reading": curves(cases, probed, labels, asked),
    }
    write_result("abstention", COMMAND, report)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.fit_sufficiency")
    parser.add_argument("evals", type=Path)
    parser.add_argument("weights", type=Path)
    arguments = parser.parse_args()
    embedder = CachedTokenEmbedder(E5Embedder(arguments.weights), KEPT_TOKENS)
    file = arguments.weights / BUILT_IN_CHAT.file_name
    probes = StateReader(lambda: prepare_in_child(file))
    models = GuardModels(embedder, AdaptedReader(arguments.weights), probes)
    run(arguments.evals, GateReader(open_tokenizer(arguments.weights), models))


if __name__ == "__main__":
    main()
