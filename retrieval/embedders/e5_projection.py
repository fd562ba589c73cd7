"""Token vectors of e5 made small and comparable across languages.

Knows a linear map (`e5_projection.npz`, made by `python -m evals.fit_projection`); knows
nothing of text or of the encoder. Raw token states of e5 share one large direction, and
Chinese and English lie apart: the centre of each language is taken out, and the directions
that vary most are kept, few enough to lie beside the index (docs/decisions/011).
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

PROJECTION_FILE = Path(__file__).with_name("e5_projection.npz")
LANGUAGES = ("en", "zh")
INT8_STEP = 127.0


@dataclass(frozen=True)
class TokenProjection:
    """y = unit(B (x - c)), with a centre c for each language.

    Shapes: `basis` B (size, hidden), orthonormal rows; `centres` (languages, hidden) in the
    order of LANGUAGES. float32. `gap` is how much lower MaxSim is when question and chunk
    differ in language but not in meaning.
    """

    basis: np.ndarray
    centres: np.ndarray
    gap: float = 0.0

    @property
    def size(self) -> int:
        """Dimensions of a projected token."""
        return self.basis.shape[0]

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever the same token would get another vector."""
        parts = (self.basis, self.centres)
        return sha256(b"".join(np.asarray(part, np.float32).tobytes() for part in parts)).hexdigest()[:12]

    def project(self, states: np.ndarray, language: str) -> np.ndarray:
        """Token states (tokens, hidden) of unit length as unit rows (tokens, size), float32."""
        rows = (states - self.centres[LANGUAGES.index(language)]) @ self.basis.T
        return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)

    def narrow(self, states: np.ndarray, language: str) -> np.ndarray:
        """The same as int8: times 127."""
        return np.rint(self.project(states, language) * INT8_STEP).astype(np.int8)


def load_projection(path: Path = PROJECTION_FILE) -> TokenProjection:
    """The map that is shipped."""
    with np.load(path, allow_pickle=False) as archive:
        values = {name: archive[name].astype(np.float32) for name in archive.files}
    return TokenProjection(values["basis"], values["centres"], float(values["gap"]))


def save_projection(projection: TokenProjection, path: Path) -> None:
    """In single precision."""
    np.savez_compressed(
        path, basis=projection.basis, centres=projection.centres, gap=np.float32(projection.gap)
    )
