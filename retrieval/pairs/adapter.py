"""The built-in encoder adapted to read two texts at once, and the heads that read its states.

Low-rank updates of the matrices (LoRA: Hu et al. 2021) and two linear heads lie beside this file in
`pairs.npz`; `make train-guard` makes them. Knows arrays; knows nothing of text or runtimes.
"""

import hashlib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from retrieval.embedders.e5_weights import E5Config, E5Weights

ADAPTER_FILE = Path(__file__).with_name("pairs.npz")
FIRST, SECOND = 1, 2
"""Parts of a pair; 0 is its frame."""
_BARRED = -30.0


class PairAdapter:
    """What was learned over the encoder's own weights."""

    def __init__(self, arrays: Mapping[str, np.ndarray], fingerprint: str) -> None:
        """`arrays`: for each adapted matrix NAME.down (rank, columns) and NAME.up (rows, rank); the
        heads; ranges of activations. `fingerprint` changes with any of them."""
        self._arrays = arrays
        self.fingerprint = fingerprint

    def update(self, name: str) -> np.ndarray | None:
        """What is added to a matrix; None where it stays as it is."""
        if f"{name}.up" not in self._arrays:
            return None
        return self._arrays[f"{name}.up"].astype(np.float32) @ self._arrays[f"{name}.down"].astype(np.float32)

    @cached_property
    def ranges(self) -> dict[str, np.ndarray]:
        """Least and greatest activation by channel: NAME.min, NAME.max."""
        prefix = "range."
        return {
            name.removeprefix(prefix): array.astype(np.float32)
            for name, array in self._arrays.items()
            if name.startswith(prefix)
        }

    def logits(self, head: str, states: np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each pair, (pairs,), and of each of its tokens, (pairs, tokens), by a head: `wrong` reads
        the first text, `answer` the second. `states` (pairs, tokens, hidden); `parts` (pairs, tokens)."""
        own = FIRST if head == "wrong" else SECOND
        tokens = states @ self._arrays[f"{head}.token"] + self._arrays[f"{head}.token_bias"]
        tokens = np.where(parts == own, tokens, _BARRED)
        top = tokens.max(axis=1)
        pooled = top + np.log(np.exp(tokens - top[:, None]).sum(axis=1))
        frame = states[:, 0] @ self._arrays[f"{head}.frame"] + self._arrays[f"{head}.frame_bias"]
        return self._arrays[f"{head}.pool"] * pooled + frame, tokens


class AdaptedWeights:
    """The encoder's weights with the updates in place: what a graph is built from."""

    def __init__(self, weights: E5Weights, adapter: PairAdapter) -> None:
        self._weights, self._adapter = weights, adapter
        self.config: E5Config = weights.config

    def float_tensor(self, name: str) -> np.ndarray:
        """See `E5Weights.float_tensor`."""
        return self._weights.float_tensor(name)

    def matrix(self, name: str, columns: int) -> np.ndarray:
        """See `E5Weights.matrix`."""
        matrix = self._weights.matrix(name, columns)
        update = self._adapter.update(name.removesuffix(".w"))
        return matrix if update is None else matrix + update


def read_adapter(path: Path) -> PairAdapter:
    """The adapter of a file; its fingerprint is of the file's bytes."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return PairAdapter(arrays, hashlib.sha256(path.read_bytes()).hexdigest()[:8])


@lru_cache(maxsize=1)
def shipped_adapter() -> PairAdapter:
    """The adapter of this version; read once."""
    return read_adapter(ADAPTER_FILE)
