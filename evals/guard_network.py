"""Trains the two small networks of the grounding guard, by hand-written gradients in NumPy.

The alignment head learns from the tokens that are known to be wrong and, through the pooled claim, from
labels of whole claims; the claim network learns from claims alone. Adam (Kingma and Ba 2015),
seeded. Knows arrays; knows nothing of texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agents.guards.alignment import SCALARS, pair_features

SIZE, HIDDEN = 64, 96
RATE = 2e-3
TOKENS_A_BATCH = 1500
WRONG_WEIGHT = 3.0
DECAY = 1e-4
KEPT = 0.8
"""Of the hidden units while training: dropout."""


@dataclass(frozen=True, slots=True)
class Example:
    """One claim: its tokens' vectors and counterparts, (tokens, dimensions); scalars; whether each token is
    wrong (None when not known); whether the claim is unsupported; how much it counts."""

    claim: np.ndarray
    held: np.ndarray
    scalars: np.ndarray
    wrong: np.ndarray | None
    unsupported: float
    weight: float = 1.0


class Adam:
    """Steps of one set of parameters, in place."""

    def __init__(self, parameters: dict[str, np.ndarray], rate: float) -> None:
        self._parameters, self._rate, self._count = parameters, rate, 0
        self._first = {name: np.zeros_like(value) for name, value in parameters.items()}
        self._second = {name: np.zeros_like(value) for name, value in parameters.items()}

    def step(self, gradients: Mapping[str, np.ndarray], share: float) -> None:
        """`share` of the rate is used, for a schedule."""
        self._count += 1
        for name, gradient in gradients.items():
            first, second = self._first[name], self._second[name]
            first += 0.1 * (gradient - first)
            second += 0.01 * (gradient**2 - second)
            size = np.sqrt(second / (1 - 0.99**self._count)) + 1e-8
            self._parameters[name] -= self._rate * share * (first / (1 - 0.9**self._count)) / size


def train_head(examples: Sequence[Example], epochs: int, seed: int) -> dict[str, np.ndarray]:
    """The weights of `agents.guards.alignment.token_logits`."""
    rng = np.random.default_rng(seed)
    head = _new_head(examples, rng)
    learned = ("projection", "inner", "inner_bias", "outer", "outer_bias", "pool")
    adam = Adam({name: head[name] for name in learned}, RATE)
    steps = epochs * len(_batches(examples, rng))
    done = 0
    for _ in range(epochs):
        for batch in _batches(examples, rng):
            adam.step(_gradients(head, [examples[at] for at in batch], rng), 1 - done / (steps + 1))
            done += 1
    return head


def pooled(head: Mapping[str, np.ndarray], logits: np.ndarray) -> float:
    """The logit that a claim is not held, of its tokens' logits."""
    top = logits.max()
    total = top + np.log(np.exp(logits - top).sum())
    return float(head["pool"][0] * total + head["pool"][1])


def _new_head(examples: Sequence[Example], rng: np.random.Generator) -> dict[str, np.ndarray]:
    sample = np.concatenate([examples[at].claim for at in rng.permutation(len(examples))[:1500]]).astype(
        np.float32
    )
    _, directions = np.linalg.eigh(sample.T @ sample)
    scalars = np.concatenate([e.scalars for e in examples])
    inputs = 4 * SIZE + SCALARS
    return {
        "projection": np.ascontiguousarray(directions[:, ::-1][:, :SIZE]).astype(np.float32) * 2.0,
        "mean": scalars.mean(0),
        "spread": scalars.std(0) + 1e-3,
        "inner": (rng.standard_normal((inputs, HIDDEN)) * np.sqrt(1.5 / inputs)).astype(np.float32),
        "inner_bias": np.zeros(HIDDEN, np.float32),
        "outer": (rng.standard_normal(HIDDEN) * 0.1).astype(np.float32),
        "outer_bias": np.array([-3.0], np.float32),
        "pool": np.array([1.0, 0.0], np.float32),
    }


def _batches(examples: Sequence[Example], rng: np.random.Generator) -> list[list[int]]:
    batches: list[list[int]] = [[]]
    count = 0
    for at in rng.permutation(len(examples)):
        if count > TOKENS_A_BATCH:
            batches.append([])
            count = 0
        batches[-1].append(int(at))
        count += len(examples[at].claim)
    return batches


def _gradients(
    head: dict[str, np.ndarray], batch: Sequence[Example], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    claim = np.concatenate([e.claim for e in batch]).astype(np.float32)
    held = np.concatenate([e.held for e in batch]).astype(np.float32)
    scalars = (np.concatenate([e.scalars for e in batch]) - head["mean"]) / head["spread"]
    pairs = pair_features(head, claim, held)
    inputs = np.concatenate([pairs, scalars], axis=1)
    keep = (rng.random((len(inputs), HIDDEN), np.float32) < KEPT) * np.float32(1 / KEPT)
    before = inputs @ head["inner"] + head["inner_bias"]
    hidden = np.maximum(before, 0) * keep
    logits = hidden @ head["outer"] + head["outer_bias"][0]
    slope, pool_slope = _loss_slope(head, batch, logits)
    inner_slope = (slope[:, None] * head["outer"]) * keep * (before > 0)
    gradients = {
        "outer": hidden.T @ slope,
        "outer_bias": np.array([slope.sum()], np.float32),
        "inner": inputs.T @ inner_slope + DECAY * len(batch) * head["inner"],
        "inner_bias": inner_slope.sum(0),
        "pool": pool_slope,
        "projection": _projection_gradient(head, claim, held, pairs, inner_slope @ head["inner"].T),
    }
    return {name: value / len(batch) for name, value in gradients.items()}


def _projection_gradient(
    head: Mapping[str, np.ndarray], claim: np.ndarray, held: np.ndarray, pairs: np.ndarray, slope: np.ndarray
) -> np.ndarray:
    one, other = pairs[:, :SIZE], pairs[:, SIZE : 2 * SIZE]
    product, distance = slope[:, 2 * SIZE : 3 * SIZE], slope[:, 3 * SIZE : 4 * SIZE] * np.sign(one - other)
    return claim.T @ (slope[:, :SIZE] + product * other + distance) + held.T @ (
        slope[:, SIZE : 2 * SIZE] + product * one - distance
    )


def _loss_slope(
    head: Mapping[str, np.ndarray], batch: Sequence[Example], logits: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of the loss, by each token's logit and by the pool's two numbers."""
    slope = np.zeros_like(logits)
    pool_slope = np.zeros(2, np.float32)
    start = 0
    for example in batch:
        here = slice(start, start + len(example.claim))
        start = here.stop
        own = logits[here]
        if example.wrong is not None:
            weight = np.where(example.wrong > 0, WRONG_WEIGHT, 1.0) * example.weight * 0.3
            slope[here] += weight * (_sigmoid(own) - example.wrong)
        share = np.exp(own - own.max())
        total = own.max() + np.log(share.sum())
        share /= share.sum()
        error = example.weight * (_sigmoid(head["pool"][0] * total + head["pool"][1]) - example.unsupported)
        slope[here] += error * head["pool"][0] * share
        pool_slope += np.array([error * total, error], np.float32)
    return slope, pool_slope


def _sigmoid(values):
    return 1 / (1 + np.exp(-np.clip(values, -30, 30)))


def train_claims(
    table: np.ndarray, labels: np.ndarray, weights: np.ndarray, seed: int, members: int = 5
) -> dict[str, np.ndarray]:
    """An ensemble of small networks over the signals of claims: weights stacked by member. Each
    member sees its own bootstrap sample."""
    mean, spread = table.mean(0), table.std(0) + 1e-3
    scaled = np.clip((table - mean) / spread, -4, 4).astype(np.float32)
    grown = [_train_member(scaled, labels, weights, seed + at) for at in range(members)]
    stacked = {name: np.stack([member[name] for member in grown]) for name in grown[0]}
    return {"mean": mean, "spread": spread, **stacked}


def _train_member(
    table: np.ndarray, labels: np.ndarray, weights: np.ndarray, seed: int, hidden: int = 24, epochs: int = 60
) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    net = {
        "inner": (rng.standard_normal((table.shape[1], hidden)) / np.sqrt(table.shape[1])).astype(np.float32),
        "inner_bias": np.zeros(hidden, np.float32),
        "outer": (rng.standard_normal(hidden) * 0.1).astype(np.float32),
        "outer_bias": np.zeros(1, np.float32),
    }
    adam = Adam(net, 3e-3)
    drawn = rng.integers(0, len(table), len(table))
    steps = epochs * (len(table) // 128 + 1)
    for step in range(steps):
        rows = drawn[rng.integers(0, len(drawn), 128)]
        before = table[rows] @ net["inner"] + net["inner_bias"]
        active = np.maximum(before, 0)
        error = (_sigmoid(active @ net["outer"] + net["outer_bias"][0]) - labels[rows]) * weights[rows] / 128
        back = error[:, None] * net["outer"] * (before > 0)
        adam.step(
            {
                "outer": active.T @ error + 2e-3 * net["outer"],
                "outer_bias": np.array([error.sum()], np.float32),
                "inner": table[rows].T @ back + 2e-3 * net["inner"],
                "inner_bias": back.sum(0),
            },
            1 - step / (steps + 1),
        )
    return net
