"""Fits the probes: `python -m evals.fit_probes EVALS_FOLDER DRAFTS WEIGHED WEIGHTS_FOLDER`.

Drafts are those that `python -m evals.drafts` wrote, without and with `--weighed`. The built-in chat model
reads each text once; a ridge regression from its states to the labels is the probe. Writes
retrieval/probes/probes.npz, the maps that weigh probes with the small reader where that is in doubt (fitted
on one half of the reported rows), and bench/results/probes.json: how well each tells reported rows apart, and
both the doubtful ones of the other half.
Reading takes most of an hour for 2,000 rows; with `--states FILE` what was read is kept, and not read again.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.guards.learned import LearnedGuard
from agents.guards.logistic import logit
from agents.guards.probed import DOUBT as GUARD_DOUBT
from agents.guards.probed import FEATURES
from agents.guards.probed import WEIGHTS_FILE as GROUNDING_FILE
from agents.guards.sufficiency import ANSWERING_FILE
from agents.guards.sufficiency import DOUBT as GATE_DOUBT
from app.model_server.process import prepare_in_child
from app.weights.catalogue import BUILT_IN_CHAT
from evals.logistic_fit import auroc, fit
from evals.probe_rows import LEARNED, REPORTED, WEIGHED, ProbeRow, probe_rows
from evals.record import write_result
from evals.splitting import stable_hash
from evals.sufficiency_data import is_weighed
from retrieval.embedders.e5 import E5Embedder
from retrieval.pairs.reader import AdaptedReader
from retrieval.probes.reader import (
    ANSWERS,
    FITS,
    HOLDS,
    PROBES_FILE,
    PROMPTS_FINGERPRINT,
    Probes,
    StateReader,
)
from retrieval.token_cache import CachedTokenEmbedder

COMMAND = "python -m evals.fit_probes EVALS_FOLDER DRAFTS WEIGHED WEIGHTS_FOLDER"
LAYER = 19
RIDGE = 1.0
EVERY = 100
ROWS = 2000
KEPT_TOKENS = 100_000
EMPTY = Probes({"layer": np.array(LAYER)}, "empty")


class KeptStates:
    """States of rows, read where they are not kept."""

    def __init__(self, reader: StateReader, path: Path | None) -> None:
        self._reader, self._path = reader, path
        self._held: dict[str, np.ndarray] = {}
        if path is not None and path.exists():
            with np.load(path, allow_pickle=False) as held:
                self._held = dict(held)

    def of(self, rows: Sequence[ProbeRow]) -> np.ndarray:
        """Shape (rows, size), float32."""
        for at, row in enumerate(rows):
            key = key_of(row)
            if key not in self._held:
                state = self._reader.states_of(row.probe, row.text, **row.said)
                self._held[key] = state.astype(np.float16)
                if at % EVERY == 0:
                    self._keep()
                    print(f"{at} of {len(rows)}", flush=True)
        self._keep()
        return np.stack([self._held[key_of(row)] for row in rows]).astype(np.float32)

    def _keep(self) -> None:
        if self._path is not None:
            part = self._path.with_suffix(".part.npz")
            np.savez(part, **self._held)
            part.replace(self._path)


def key_of(row: ProbeRow) -> str:
    """Of what is read, and by what: another text, question, prompt, layer or model has another key."""
    about = f"{LAYER} {PROMPTS_FINGERPRINT} {BUILT_IN_CHAT.sha256}"
    parts = "\0".join((about, row.probe, row.text, row.question, row.sentence))
    return hashlib.sha256(parts.encode()).hexdigest()[:24]


def fit_probe(states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """(weights, bias) of a ridge regression over standardised states, in its dual form since there are fewer
    rows than dimensions."""
    middle, spread = states.mean(axis=0), states.std(axis=0) + 1e-6
    rows = (states - middle) / spread
    wanted = labels * 2.0 - 1.0
    size = rows.shape[1]
    dual = np.linalg.solve(rows @ rows.T / size + RIDGE * np.eye(len(rows)), wanted - wanted.mean())
    weights = rows.T @ dual / size / spread
    return weights, float(wanted.mean() - middle @ weights)


def measures(rows: Sequence[ProbeRow], logits: np.ndarray) -> dict[str, dict]:
    """n and AUROC of each source, and of all."""
    labels = np.array([row.label for row in rows])
    found = {}
    for source in [*sorted({row.source for row in rows}), "all"]:
        here = np.array([source in ("all", row.source) for row in rows])
        if 0 < labels[here].sum() < here.sum():
            area = round(auroc(logits[here], labels[here]), 3)
            found[source] = {"n": int(here.sum()), "auroc": area}
    return found


def fit_probes(rows: Sequence[ProbeRow], states: np.ndarray) -> tuple[dict[str, np.ndarray], dict]:
    """(the file's arrays, figures of each probe)."""
    arrays: dict[str, np.ndarray] = {"layer": np.array(LAYER)}
    figures = {}
    labels = np.array([row.label for row in rows])
    for probe, shown in ((ANSWERS, REPORTED), (HOLDS, REPORTED), (FITS, WEIGHED)):
        learned, told = (
            np.array([row.probe == probe and row.part == part for row in rows]) for part in (LEARNED, shown)
        )
        weights, bias = fit_probe(states[learned], labels[learned])
        arrays[f"{probe}.weights"] = weights.astype(np.float32)
        arrays[f"{probe}.bias"] = np.array(bias, np.float32)
        own = [row for row, is_told in zip(rows, told, strict=True) if is_told]
        found = measures(own, states[told] @ weights + bias)
        figures[probe] = {"learned from": int(learned.sum()), "sets": found}
    return arrays, figures


def is_fitted_on(row: ProbeRow) -> bool:
    """Whether a reported row is of the half that the maps are fitted on: of questions the quarter that the
    check of answers learns from too."""
    return is_weighed(row.group) if row.probe == ANSWERS else stable_hash(row.group) % 2 == 0


def fit_map(
    rows: Sequence[ProbeRow], small: np.ndarray, probed: np.ndarray
) -> tuple[dict, dict[str, dict]]:
    """(a logistic model over both logits, figures of small reader, probe and both on the half of the groups
    that it was not fitted on)."""
    labels = np.array([float(row.label) for row in rows])
    table = np.stack([small, probed], axis=1)
    fitted = np.array([is_fitted_on(row) for row in rows])
    bias, weights = fit(table[fitted], labels[fitted], RIDGE)
    told, rest = [row for row in rows if not is_fitted_on(row)], table[~fitted]
    rounded = [round(float(weight), 4) for weight in weights]
    model = {"bias": round(bias, 4), "weights": dict(zip(FEATURES, rounded, strict=True))}
    figures = {"small": rest[:, 0], "probe": rest[:, 1], "both": rest @ weights + bias}
    return model, {name: measures(told, logits) for name, logits in figures.items()}


class SmallReadings:
    """What the small reader thinks of reported rows, as logits."""

    def __init__(self, reader: AdaptedReader) -> None:
        self._reader, self._guard = reader, LearnedGuard(reader, 0.5)

    def of(self, row: ProbeRow) -> float:
        """Of a claim by the guard's probability, of a question by the reader's own."""
        if row.passage is not None:
            return logit(self._guard.check(row.sentence, row.passage, "").score)
        read = self._reader.read_questions([(row.question, row.text)])[0]
        return logit(1 / (1 + np.exp(-read)))


def run(rows: Sequence[ProbeRow], states: np.ndarray, small: SmallReadings) -> None:
    """Fits and writes everything."""
    arrays, figures = fit_probes(rows, states)
    maps = {}
    for probe, path, (least, most) in (
        (ANSWERS, ANSWERING_FILE, GATE_DOUBT), (HOLDS, GROUNDING_FILE, GUARD_DOUBT)
    ):  # fmt: skip
        at = [n for n, row in enumerate(rows) if row.probe == probe and row.part == REPORTED]
        own, first = [rows[n] for n in at], np.array([small.of(rows[n]) for n in at])
        probed = states[at] @ arrays[f"{probe}.weights"] + arrays[f"{probe}.bias"]
        doubt = (first >= logit(least)) & (first <= logit(most))
        doubtful = [row for row, is_doubtful in zip(own, doubt, strict=True) if is_doubtful]
        model, maps[probe] = fit_map(doubtful, first[doubt], probed[doubt])
        about = f"{probe}, by the small reader and a probe: fitted by `{COMMAND}`"
        path.write_text(json.dumps({"about": about, **model}, indent=1) + "\n", encoding="utf-8")
    np.savez(PROBES_FILE, **arrays)
    write_result("probes", COMMAND, {"layer": LAYER, "probes": figures, "with the small reader": maps})


def main() -> None:
    """Reads the command line, fits and writes."""
    parser = argparse.ArgumentParser(prog="python -m evals.fit_probes")
    for name in ("evals", "drafts", "weighed", "weights"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--states", type=Path, help="file to keep states in")
    parser.add_argument("--rows", type=int, default=ROWS)
    given = parser.parse_args()
    file = given.weights / BUILT_IN_CHAT.file_name
    reader = StateReader(lambda: prepare_in_child(file), probes=EMPTY)
    embedder = CachedTokenEmbedder(E5Embedder(given.weights), KEPT_TOKENS)
    rows = probe_rows(given.evals, given.drafts, given.weighed, reader.window, embedder)[: given.rows]
    states = KeptStates(reader, given.states).of(rows)
    run(rows, states, SmallReadings(AdaptedReader(given.weights)))


if __name__ == "__main__":
    main()
