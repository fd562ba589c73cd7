"""Which words of a claim its evidence does not hold: each token beside what answers it.

A light alignment head over the retriever's frozen token vectors. Every token of the claim looks for its
counterpart among the tokens of the evidence (soft attention over cosines, as in decomposable
attention: Parikh et al. 2016); a small network then judges the pair in its
surroundings. NumPy alone; trained by `attest eval guard --train`. Knows vectors; knows nothing of
texts or verdicts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SHARPNESS = 25.0
NEAR, FAR = 2, 5
SCALARS = 17


@dataclass(frozen=True, slots=True)
class Alignment:
    """The tokens of one claim beside their counterparts in the evidence.

    `claim` and `held`: (tokens, dimensions), centred and of unit length; `scalars`: (tokens,
    SCALARS); `best` and `quoted`: highest cosine of each token in all evidence and in the quotes.
    """

    claim: np.ndarray
    held: np.ndarray
    scalars: np.ndarray
    best: np.ndarray
    quoted: np.ndarray


def align(
    claim: np.ndarray, quotes: Sequence[np.ndarray], around: Sequence[np.ndarray], centre: np.ndarray
) -> Alignment:
    """`quotes` are the token tables of the bound spans, `around` those of the other sentences near them,
    `centre` is what all token vectors share."""
    tables = [table for table in (*quotes, *around) if len(table)]
    words = _centred(claim, centre)
    if not tables or not len(words):
        empty = np.zeros((len(words), SCALARS), np.float32)
        none = np.zeros(len(words), np.float32)
        return Alignment(words, np.zeros_like(words), empty, none, none)
    lengths = [len(table) for table in tables]
    piece = np.repeat(np.arange(len(tables)), lengths)
    evidence = _centred(np.concatenate(tables), centre)
    cosines = words @ evidence.T
    weights = np.exp(SHARPNESS * (cosines - cosines.max(axis=1, keepdims=True)))
    held = (weights / weights.sum(axis=1, keepdims=True)) @ evidence
    at = cosines.argmax(axis=1)
    best = cosines[np.arange(len(words)), at]
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    by_piece = np.maximum.reduceat(cosines, starts, axis=1)
    quoted = by_piece[:, : max(1, sum(1 for q in quotes if len(q)))].max(axis=1)
    scalars = _scalars(words, at, best, quoted, by_piece, piece)
    return Alignment(words, held, scalars, best, quoted)


def _scalars(
    words: np.ndarray,
    at: np.ndarray,
    best: np.ndarray,
    quoted: np.ndarray,
    by_piece: np.ndarray,
    piece: np.ndarray,
) -> np.ndarray:
    """What is told of a token beside its vectors: its cosines, its neighbours', whether the
    counterparts stand in the same order and in the same sentence."""
    count = len(best)
    main = by_piece.mean(axis=0).argmax()
    ordered = np.sort(by_piece, axis=1)[:, ::-1]
    second = ordered[:, 1] if by_piece.shape[1] > 1 else ordered[:, 0]
    step = np.diff(at)
    adjacent = ((step >= 0) & (step <= 2) & (np.diff(piece[at]) == 0)).astype(np.float32)
    before, after = np.r_[0.0, adjacent], np.r_[adjacent, 0.0]
    same = np.bincount(piece[at], minlength=by_piece.shape[1])[piece[at]] / count
    local = np.array(
        [np.mean(piece[at][max(0, i - FAR) : i + FAR + 1] == piece[at][i]) for i in range(count)]
    )
    spread = best - best.mean()
    columns = [
        best, quoted, by_piece[:, main], second, _window(best, NEAR), _window(best, FAR), spread,
        np.full(count, best.mean()), np.full(count, np.quantile(best, 0.1)), np.full(count, quoted.mean()),
        before, after, same, local, (piece[at] == main).astype(np.float32),
        np.full(count, min(count, 60) / 60), np.full(count, np.log1p(by_piece.shape[1]) / 4),
    ]  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float32)


def _window(values: np.ndarray, reach: int) -> np.ndarray:
    """The mean of the neighbours on both sides, the token itself left out."""
    if len(values) < 2:
        return values
    total = np.concatenate([[0.0], np.cumsum(values)])
    index = np.arange(len(values))
    low, high = np.maximum(index - reach, 0), np.minimum(index + reach + 1, len(values))
    return (total[high] - total[low] - values) / np.maximum(high - low - 1, 1)


def _centred(rows: np.ndarray, centre: np.ndarray) -> np.ndarray:
    moved = rows.astype(np.float32) - centre
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)


def pair_features(head: Mapping[str, np.ndarray], claim: np.ndarray, held: np.ndarray) -> np.ndarray:
    """(tokens, 4 × size): both projected, their product and their distance."""
    one, other = claim @ head["projection"], held @ head["projection"]
    return np.concatenate([one, other, one * other, np.abs(one - other)], axis=1)


def token_logits(head: Mapping[str, np.ndarray], aligned: Alignment) -> np.ndarray:
    """Of each token of the claim, the logit that the evidence does not hold it."""
    pairs = pair_features(head, aligned.claim, aligned.held)
    scalars = (aligned.scalars - head["mean"]) / head["spread"]
    hidden = np.maximum(np.concatenate([pairs, scalars], axis=1) @ head["inner"] + head["inner_bias"], 0)
    return hidden @ head["outer"] + head["outer_bias"][0]
