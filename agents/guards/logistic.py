"""A logistic model in a JSON file: names, weights, means and spreads of its features.

Knows arithmetic only. The files are written by commands in `evals/`; each says from
which data.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path


class LogisticModel:
    """P(label = 1 | features)."""

    def __init__(self, path: Path) -> None:
        about = json.loads(path.read_text(encoding="utf-8"))
        self._bias = float(about["bias"])
        self._weights = {name: float(value) for name, value in about["weights"].items()}

    def probability(self, features: Mapping[str, float]) -> float:
        """0…1. Raises KeyError when a feature is missing."""
        total = self._bias + sum(w * features[name] for name, w in self._weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def logit(probability: float) -> float:
    """The logarithm of the odds; a probability is taken to lie between .01 and .99."""
    held = min(max(probability, 0.01), 0.99)
    return math.log(held / (1 - held))
