"""Fits the check of answers: `python -m evals.fit_answer_check DRAFTS.jsonl WEIGHTS_FOLDER`.

Drafts are those that `python -m evals.drafts EVALS_FOLDER DRAFTS.jsonl --weighed` wrote. The first sentence
of each is bound and judged as in an answer; right is what holds the known answer. Writes
agents/guards/answer_check.json, and answer_check_probed.json with the word of the probes besides, each with
what the parts and the whole tell apart (the whole by five folds over questions). Knows drafts and guards;
knows nothing of the graph.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.binding import EvidenceBinder
from agents.drafting import DraftChecker
from agents.guards import answer_check
from agents.guards.answer_check import (
    FEATURES,
    GROUNDING,
    PROBED_FEATURES,
    PROBED_TEXTS,
    answer_features,
)
from agents.guards.building import GuardModels, assemble_guard
from agents.guards.sufficiency import SufficiencyGate
from app.model_server.process import prepare_in_child
from app.weights.catalogue import BUILT_IN_CHAT
from core.settings import GuardSettings
from core.text import split_sentences
from core.types import Chunk, Label, Verdict
from evals.draft_claims import is_right
from evals.drafts import Drafted, read_drafts
from evals.logistic_fit import auroc, fit
from retrieval.embedders.e5 import E5Embedder
from retrieval.pairs.reader import AdaptedReader
from retrieval.probes.reader import StateReader
from retrieval.token_cache import CachedTokenEmbedder

COMMAND = "python -m evals.fit_answer_check DRAFTS.jsonl WEIGHTS_FOLDER"
RIDGE, FOLDS = 1.0, 5
KEPT_TOKENS = 400_000
AT = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A first sentence: what the check reads of it, the verdict before, and whether it is right."""

    question: str
    features: Mapping[str, float]
    verdict: Verdict
    right: bool
    answerable: bool


class DraftReader:
    """Judges the first sentences of drafts as an answer's are judged."""

    def __init__(self, models: GuardModels, settings: GuardSettings) -> None:
        self._models = models
        self._gate = SufficiencyGate(models.tokens, models.pairs, probes=models.probes)
        self._binder = EvidenceBinder(models.tokens)
        self._guard = assemble_guard(models.pairs, settings, [], models.probes)

    def weighed(self, drafts: Sequence[Drafted]) -> Iterator[Weighed]:
        """Of drafts whose verdict the check may change."""
        for drafted in drafts:
            yield from self._of(drafted)

    def _of(self, drafted: Drafted) -> Iterator[Weighed]:
        case, text = drafted.case, drafted.draft.strip()
        sentences = [span.of(text) for span in split_sentences(text)]
        if not sentences:
            return
        chunks = [Chunk(str(at), "", at, one, "", f"{at}.txt") for at, one in enumerate(case.passages)]
        sufficiency = self._gate.read(case.question, chunks).score
        found: list[Weighed] = []

        def note(question: str, said: str, texts: Sequence[str], verdict: Verdict) -> Verdict:
            if texts and verdict.guard == GROUNDING and verdict.label is not Label.CONTRADICTED:
                readings = self._models.pairs.find_answers(question, texts)
                read = dict(answer_features(question, said, readings, sufficiency, verdict.score))
                if self._models.probes is not None:
                    read["fit"] = max(self._models.probes.read_fit(question, said, texts[:PROBED_TEXTS]))
                found.append(Weighed(question, read, verdict, is_right(said, case), bool(case.groups)))
            return verdict

        checker = DraftChecker(self._binder.pool(chunks), self._guard, case.question)
        checker.weigh = note
        checker.check(sentences[0])
        yield from found[:1]


def fit_check(rows: Sequence[Weighed], names: Sequence[str]) -> dict:
    """The content of the file that weighs these features."""
    labels = np.array([float(row.right) for row in rows])
    table = np.array([[row.features[name] for name in names] for row in rows])
    questions = sorted({row.question for row in rows})
    folds = np.array([questions.index(row.question) % FOLDS for row in rows])
    scores = np.zeros(len(rows))
    for fold in range(FOLDS):
        bias, weights = fit(table[folds != fold], labels[folds != fold], RIDGE)
        scores[folds == fold] = 1 / (1 + np.exp(-(table[folds == fold] @ weights + bias)))
    bias, weights = fit(table, labels, RIDGE)
    noise = np.array([not row.answerable for row in rows])
    return {
        "about": f"whether a drafted sentence is the answer: fitted by `{COMMAND}`",
        "n": len(rows),
        "right": int(labels.sum()),
        "auroc": {n: round(auroc(table[:, at], labels), 3) for at, n in enumerate(names)}
        | {"together": round(auroc(scores, labels), 3)},
        "let through": {
            f"{at:g}": {
                "right": round(float((scores[labels == 1] >= at).mean()), 3),
                "wrong": round(float((scores[(labels == 0) & ~noise] >= at).mean()), 3),
                "unanswerable": round(float((scores[noise] >= at).mean()), 3),
            }
            for at in AT
        },
        "bias": round(bias, 4),
        "weights": {n: round(float(value), 4) for n, value in zip(names, weights, strict=True)},
    }


def main() -> None:
    """Reads the command line, fits and writes."""
    parser = argparse.ArgumentParser(prog="python -m evals.fit_answer_check")
    parser.add_argument("drafts", type=Path)
    parser.add_argument("weights", type=Path)
    given = parser.parse_args()
    embedder = CachedTokenEmbedder(E5Embedder(given.weights), KEPT_TOKENS)
    pairs, file = AdaptedReader(given.weights), given.weights / BUILT_IN_CHAT.file_name
    drafts = read_drafts(given.drafts)
    for names, path, probes in (
        (FEATURES, answer_check.WEIGHTS_FILE, None),
        (PROBED_FEATURES, answer_check.PROBED_FILE, StateReader(lambda: prepare_in_child(file))),
    ):
        reading = DraftReader(GuardModels(embedder, pairs, probes), GuardSettings())
        model = fit_check(list(reading.weighed(drafts)), names)
        path.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
