"""The small model of the grounding guard: P(the evidence supports the claim), calibrated.

An alignment head over token vectors and an ensemble of small networks over its findings and the
signals of the words; then a monotone map to a probability, fitted on claims of their own. Weights lie
beside this file; `attest eval guard --train` makes them. Knows arrays; knows nothing of
texts.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from agents.guards.alignment import token_logits
from agents.guards.reading import Reading

WEIGHTS_FILE = Path(__file__).with_name("grounding.npz")
FINDINGS = 12
"""Numbers that `findings` gives beside the signals."""


class GroundingModel:
    """Judges readings. Arrays are shared and never changed."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        """`weights` as `read_weights` gives them."""
        self.centre = weights["centre"]
        self._head = _part(weights, "head")
        self._claims = _part(weights, "claims")
        self._map = weights["map_from"], weights["map_to"]

    def probability(self, reading: Reading) -> float:
        """0…1."""
        logit = claims_logit(self._claims, claim_features(self._head, reading))
        return float(np.interp(logit, *self._map))


def claim_features(head: Mapping[str, np.ndarray], reading: Reading) -> np.ndarray:
    """(SIGNALS + FINDINGS,): what the ensemble reads of a claim."""
    return np.concatenate([reading.signals, findings(head, reading)])


def findings(head: Mapping[str, np.ndarray], reading: Reading) -> np.ndarray:
    """(FINDINGS,): how many tokens the head doubts, and how much; the plain cosines beside it."""
    logits = np.concatenate([token_logits(head, aligned) for aligned in reading.aligned])
    if not len(logits):
        return np.zeros(FINDINGS, np.float32)
    best = np.concatenate([aligned.best for aligned in reading.aligned])
    quoted = np.concatenate([aligned.quoted for aligned in reading.aligned])
    doubts = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    ordered, tenth = np.sort(logits)[::-1], max(1, len(logits) // 10)
    top = ordered[0]
    return np.array(
        [
            top + np.log(np.exp(logits - top).sum()), top, ordered[:3].mean(),
            ordered[: max(1, len(logits) // 4)].mean(), doubts.mean(), (doubts > 0.5).mean(),
            min(doubts.sum(), 10), best.mean(), np.sort(best)[:tenth].mean(),
            quoted.mean(), np.sort(quoted)[:tenth].mean(), len(reading.aligned),
        ],
        np.float32,
    )  # fmt: skip


def claims_logit(net: Mapping[str, np.ndarray], features: np.ndarray) -> float:
    """The mean logit of the ensemble's members that the claim is supported."""
    scaled = np.clip((features - net["mean"]) / net["spread"], -4, 4)
    hidden = np.maximum(np.einsum("f,mfh->mh", scaled, net["inner"]) + net["inner_bias"], 0)
    return float(((hidden * net["outer"]).sum(axis=1) + net["outer_bias"][:, 0]).mean())


def read_weights(path: Path = WEIGHTS_FILE) -> dict[str, np.ndarray]:
    """The arrays of a weights file; half precision becomes single."""
    with np.load(path, allow_pickle=False) as stored:
        return {
            name: stored[name].astype(np.float32) if stored[name].dtype == np.float16 else stored[name]
            for name in stored.files
        }


@lru_cache(maxsize=1)
def shipped_model() -> GroundingModel:
    """The model of this version; read once."""
    return GroundingModel(read_weights())


def _part(weights: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    return {
        key.removeprefix(f"{name}."): value for key, value in weights.items() if key.startswith(f"{name}.")
    }
