"""Trains the reader of pairs: `attest eval guard --train FOLDER`, or `make train-guard`.

Seeded; about two hours on two cores. PyTorch (the extra `[models]`) trains, then activation ranges
for 8 bit are measured, then the guard's probabilities are fitted on pairs that training did not draw.
Writes `retrieval/pairs/pairs.npz` and `agents/guards/grounding.json`. Knows the recipe; knows nothing
of where rows come from.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from agents.guards import learned
from core.errors import InputError, SettingsError
from core.seams import Passage
from core.wording import in_digits
from evals.draft_claims import SOURCE, WRONG, claims_on_drafts
from evals.drafts import read_drafts
from evals.logistic_fit import auroc, fit
from evals.pair_rows import CLAIM, PairRow, claim_rows, in_digit_row, question_rows
from retrieval.embedders.e5 import WEIGHTS_FILE, open_tokenizer
from retrieval.embedders.e5_graph import WIDE_SITE, E5GraphBuilder
from retrieval.embedders.e5_weights import E5Weights
from retrieval.pairs.adapter import ADAPTER_FILE, FIRST, SECOND, AdaptedWeights, PairAdapter, read_adapter
from retrieval.pairs.reader import (
    CLAIM_EVIDENCE_TOKENS,
    FIRST_TOKENS,
    LONGEST_SECOND,
    QUESTION_EVIDENCE_TOKENS,
    AdaptedReader,
    frame_pair,
)
from retrieval.pairs.window import cut_window

SEED = 7
ROUNDS, STEPS, BATCH, WARM_UP = 4, 700, 32, 60
RATES, LEAST_SHARE = (8e-4, 6e-4, 6e-4, 6e-4), 0.02
CLAIM_SHARE, DRAFT_SHARE = 0.56, 0.13
"""Of all rows that are drawn, and of claims: drafts to the other ones."""
TOKEN_WEIGHT, MARKED_WEIGHT = 0.5, 3.0
SORTED_BATCHES = 20
RANGE_PAIRS = 300
FITTED_PAIRS = 2500
KEPT_BACK = 10
"""One row in so many is not trained on."""
RIDGE = 1.0


def fit_and_write(
    folder: Path, drafts: Path | None, weights_folder: Path, on_progress: Callable[[str], None]
) -> dict:
    """Writes both files, and says what they were made from. `drafts` is a file of `evals.drafts`.

    Raises:
        SettingsError: PyTorch is not installed.
        InputError: the sets are not in the folder.
    """
    on_progress("making pairs")
    try:
        rows = [*claim_rows(folder), *question_rows(folder), *(_draft_rows(drafts) if drafts else ())]
    except FileNotFoundError as exc:
        raise InputError(f"the sets are not all in {folder} ({exc})", remedy="name their folder") from exc
    try:
        import torch
    except ImportError as exc:
        raise SettingsError(
            "training needs PyTorch, which is not installed", remedy="run: make train-guard DATA=FOLDER"
        ) from exc
    training = PairTraining(rows, weights_folder)
    torch.manual_seed(SEED)
    arrays, measured = training.run(on_progress)
    on_progress("measuring activations")
    arrays |= training.ranges(PairAdapter(arrays, "new"))
    np.savez_compressed(ADAPTER_FILE, **arrays)
    on_progress("fitting the probability")
    reader = AdaptedReader(weights_folder, adapter=read_adapter(ADAPTER_FILE))
    model = fit_probability([rows[at] for at in training.undrawn() if rows[at].kind == CLAIM], reader)
    learned.WEIGHTS_FILE.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    return {"weights": str(ADAPTER_FILE), "bytes": ADAPTER_FILE.stat().st_size, "n": len(rows), **measured}


def _draft_rows(path: Path) -> list[PairRow]:
    """Claims of drafts; drawn so often that they are a fixed share of all claims."""
    return [in_digit_row(row) for row in claims_on_drafts(read_drafts(path), random.Random(SEED))]


class PairTraining:
    """Rows framed and drawn; one run over them."""

    def __init__(self, rows: Sequence[PairRow], weights_folder: Path) -> None:
        self._rows = rows
        self._weights = E5Weights(weights_folder / WEIGHTS_FILE)
        self._tokenizer = open_tokenizer(weights_folder)
        self._order = self._draw()

    def undrawn(self) -> list[int]:
        """Rows that training never saw."""
        return sorted(set(range(len(self._rows))) - {int(at) for at in self._order})

    def run(self, on_progress: Callable[[str], None]) -> tuple[dict[str, np.ndarray], dict]:
        """What was learned, and the AUROC on the last rows before they were learned from."""
        import torch

        from evals.pair_network import PairNetwork

        network = PairNetwork(self._weights)
        named = network.trained()
        body = [value for name, value in named if name.startswith("products")]
        heads = [value for name, value in named if not name.startswith("products")]
        groups = [{"params": body, "lr": 0.0}, {"params": heads, "lr": 0.0}]
        optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01)
        seen: list[tuple[str, float, int]] = []
        for step, batch in enumerate(self._batches()):
            for group, rate in zip(optimiser.param_groups, (_rate(step), 2 * _rate(step)), strict=True):
                group["lr"] = rate
            loss, logits = self._loss(network, batch)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([value for _, value in named], 1.0)
            optimiser.step()
            rows = (self._rows[at] for at in batch)
            seen += [(row.kind, logit, row.label) for row, logit in zip(rows, logits, strict=True)]
            if step % SORTED_BATCHES == SORTED_BATCHES - 1:
                on_progress(f"step {step + 1} of {ROUNDS * STEPS}: {_online(seen)}")
        return network.arrays(), {"online_auroc": _online(seen)}

    def ranges(self, adapter: PairAdapter) -> dict[str, np.ndarray]:
        """Least and greatest input of each matrix product by channel, over a sample of pairs."""
        import openvino as ov

        builder = E5GraphBuilder(AdaptedWeights(self._weights, adapter), None)
        graph = ov.Core().compile_model(builder.build(), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        found: dict[str, np.ndarray] = {}
        for at in self._order[:: max(1, len(self._order) // RANGE_PAIRS)]:
            ids, _, _ = self._framed(self._rows[at])
            states = graph([self._weights.word_rows(np.array([ids])), np.ones((1, len(ids)), np.float32)])
            for index, name in enumerate(builder.probes, start=1):
                if not name.endswith(WIDE_SITE):
                    low, high = states[index][0].min(axis=0), states[index][0].max(axis=0)
                    found[f"{name}.min"] = np.minimum(found.get(f"{name}.min", low), low)
                    found[f"{name}.max"] = np.maximum(found.get(f"{name}.max", high), high)
        return {f"range.{name}": array.astype(np.float16) for name, array in found.items()}

    def _draw(self) -> np.ndarray:
        """Indices of the rows in the order of training; some are kept back for fitting the probability."""
        is_claim = np.array([row.kind == CLAIM for row in self._rows])
        share = np.array([row.weight for row in self._rows])
        share[::KEPT_BACK] = 0
        is_draft = np.array([row.source in (SOURCE, WRONG) for row in self._rows])
        if is_draft.any():
            share[is_draft] *= DRAFT_SHARE * share[is_claim & ~is_draft].sum() / share[is_draft].sum()
        share[is_claim] *= CLAIM_SHARE / share[is_claim].sum()
        share[~is_claim] *= (1 - CLAIM_SHARE) / share[~is_claim].sum()
        count = ROUNDS * STEPS * BATCH
        again = count > 0.8 * len(share)
        return np.random.default_rng(SEED).choice(len(share), count, again, share / share.sum())

    def _batches(self) -> Iterator[list[int]]:
        """Rows of like length stand together: padding is wasted work."""
        rng = np.random.default_rng(SEED)
        stretch = BATCH * SORTED_BATCHES
        for start in range(0, len(self._order), stretch):
            part = sorted(map(int, self._order[start : start + stretch]), key=self._length)
            batches = [part[at : at + BATCH] for at in range(0, len(part), BATCH)]
            for at in rng.permutation(len(batches)):
                yield batches[at]

    def _length(self, at: int) -> int:
        return len(self._rows[at].first) + min(len(self._rows[at].second), 500)

    def _framed(self, row: PairRow) -> tuple[list[int], list[int], list[float] | None]:
        """Ids, parts, and for each token of the part that is marked 1 where it is; None where that is
        not known."""
        budget = CLAIM_EVIDENCE_TOKENS if row.kind == CLAIM else QUESTION_EVIDENCE_TOKENS
        window = cut_window(row.first, row.second, budget, self._tokenizer.count)
        first = self._tokenizer.encode(row.first, FIRST_TOKENS + 2)[1:-1]
        second = self._tokenizer.encode(window, LONGEST_SECOND + 2)[1:-1]
        ids, parts = frame_pair(self._weights.special, first, second)
        own = parts.count(FIRST if row.kind == CLAIM else SECOND)
        if row.marked is None:
            return ids, parts, None
        text, marked = row.first, row.marked
        if row.kind != CLAIM:
            pieces = [(row.second[a:b], window.find(row.second[a:b])) for a, b in row.marked]
            text, marked = window, tuple((at, at + len(piece)) for piece, at in pieces if at >= 0)
        if len(self._tokenizer.normalise(text)) != len(text):
            return ids, parts, None  # its tokens stand in other places than the marks
        spans = self._tokenizer.spans(text)[:own]
        marks = [float(any(start < b and end > a for a, b in marked)) for start, end in spans]
        return ids, parts, None if row.marked and not any(marks) else marks

    def _loss(self, network, batch: Sequence[int]):
        """Of the pairs and, where they are known, of the marked tokens; and logits that labels are 1."""
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

        rows = [self._rows[at] for at in batch]
        framed = [self._framed(row) for row in rows]
        width = max(len(ids) for ids, _, _ in framed)
        ids = np.full((len(rows), width), self._weights.special.pad)
        parts, marks, known = (np.zeros(ids.shape, np.float32) for _ in range(3))
        for at, (row, (tokens, belongs, marked)) in enumerate(zip(rows, framed, strict=True)):
            ids[at, : len(tokens)], parts[at, : len(tokens)] = tokens, belongs
            if marked is not None:
                start = belongs.index(FIRST if row.kind == CLAIM else SECOND)
                marks[at, start : start + len(marked)], known[at, start : start + len(marked)] = marked, 1
        words = torch.from_numpy(self._weights.word_rows(ids))
        states = network(words, torch.from_numpy(ids != self._weights.special.pad))
        belongs = torch.from_numpy(parts)
        wrong, answer = network.wrong(states, belongs), network.answer(states, belongs)
        is_claim = torch.tensor([row.kind == CLAIM for row in rows])
        labels = torch.tensor([float(row.label) for row in rows])
        logits = torch.where(is_claim, -wrong[0], answer[0])
        tokens = torch.where(is_claim[:, None], wrong[1], answer[1])
        known = torch.from_numpy(known)
        weight = torch.tensor(MARKED_WEIGHT)
        told = cross_entropy(tokens, torch.from_numpy(marks), reduction="none", pos_weight=weight) * known
        told = (told.sum(1) / known.sum(1).clamp(min=1)).mean()
        return cross_entropy(logits, labels) + TOKEN_WEIGHT * told, logits.tolist()


def fit_probability(rows: Sequence[PairRow], reader: AdaptedReader) -> dict:
    """The logistic model of `agents.guards.learned`: Platt's map of the reader's logit, with the share
    of words that the evidence holds."""
    rng = np.random.default_rng(SEED)
    chosen = [rows[at] for at in rng.permutation(len(rows))[:FITTED_PAIRS]]
    logits = reader.read_claims([(in_digits(row.first), in_digits(row.second)) for row in chosen])
    passages = [Passage((row.second,), (row.second,)) for row in chosen]
    features = [
        learned.claim_features(row.first, logit, passage)
        for row, logit, passage in zip(chosen, logits, passages, strict=True)
    ]
    labels = np.array([row.label for row in chosen])
    table = np.array([[feature[name] for name in learned.FEATURES] for feature in features])
    bias, found = fit(table, labels, RIDGE)
    return {
        "about": "the grounding guard's probability, fitted by `attest eval guard --train`",
        "n": len(chosen),
        "auroc_of_reading": round(auroc(np.array(logits), labels), 4),
        "bias": round(bias, 4),
        "weights": {n: round(float(v), 4) for n, v in zip(learned.FEATURES, found, strict=True)},
    }


def _rate(step: int) -> float:
    """It rises and falls in each round: a warm restart (Loshchilov and Hutter 2017)."""
    within = step % STEPS
    share = min(1, (within + 1) / WARM_UP) * max(LEAST_SHARE, 1 - within / STEPS)
    return RATES[step // STEPS] * share


def _online(seen: Sequence[tuple[str, float, int]], last: int = 3000) -> dict[str, float]:
    found = {}
    for kind in sorted({kind for kind, _, _ in seen}):
        rows = [(logit, label) for own, logit, label in seen[-last:] if own == kind]
        labels = np.array([label for _, label in rows])
        if 0 < labels.sum() < len(labels):
            found[kind] = round(auroc(np.array([logit for logit, _ in rows]), labels), 4)
    return found
