"""A bigger model that reads evidence and sentence as a pair; needs the extra `[models]` (torch).

Knows sentence-transformers' CrossEncoder and what the labels of such models mean; knows nothing
of who asks or of other guards. Models of entailment (three labels), of consistency (two, as
MiniCheck) and with one score (as HHEM, or a reranker as a fallback) are read.
"""

import threading
from collections.abc import Mapping

import numpy as np

from core.errors import GuardError, ModelFileError
from core.seams import Passage
from core.settings import GuardSettings
from core.types import Label, Verdict
from retrieval.model_folder import open_model_folder
from retrieval.torch_models import load_model, require_library

SETTING = "ATTEST_GUARD__"
_HELD = ("entail", "support", "consisten", "faithful", "factual")
_AGAINST = ("contradict", "refute")
_NOT_HELD = ("not", "non", "un", "in", "hallucinat", *_AGAINST, "neutral")


class PairModelGuard:
    """A `Guard`. Thread-safe: calls take turns. An outage is `unsure`, and the reason says so.

    Raises:
        SettingsError: the extra is not installed.
        ModelFileError: the model cannot be loaded, or nothing tells which of its labels means held.
    """

    name = "model"

    def __init__(self, settings: GuardSettings) -> None:
        require_library()
        folder = open_model_folder(settings.model, "guard model", f"{SETTING}MODEL")
        self._settings = settings
        self._lock = threading.Lock()
        self._model = load_model("CrossEncoder", folder, settings.device, "guard model", SETTING)
        self._held, self._against = self._find_labels()

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """See `Guard.check`; the score is the model's own probability."""
        if not passage.quotes:
            return Verdict(Label.UNSUPPORTED, 0.0, self.name, "no evidence")
        try:
            shares = self._shares("\n".join(passage.readable or passage.quotes), sentence)
        except GuardError as exc:
            return Verdict(Label.UNSURE, 0.5, self.name, exc.message)
        score = round(float(shares[self._held]), 4)
        if score >= self._settings.supported_at:
            return Verdict(Label.SUPPORTED, score, self.name)
        if self._against is not None and shares[self._against] > max(score, 0.5):
            return Verdict(Label.CONTRADICTED, score, self.name, "the model sees a contradiction")
        if score >= self._settings.unsure_at:
            return Verdict(Label.UNSURE, score, self.name, "the model is not sure")
        return Verdict(Label.UNSUPPORTED, score, self.name, "the model does not find it in the evidence")

    def _shares(self, evidence: str, sentence: str) -> np.ndarray:
        """Probabilities of the labels. Raises GuardError."""
        try:
            with self._lock:
                raw = self._model.predict([(evidence, sentence)], show_progress_bar=False)
        except RuntimeError as exc:  # torch's own: out of memory, a device that is gone
            raise GuardError(f"the guard model failed ({exc})", remedy=f"mend {SETTING}DEVICE") from exc
        row = np.atleast_1d(np.asarray(raw, np.float64)[0])
        if not np.isfinite(row).all():
            raise GuardError("the guard model gave no number (NaN)", remedy=f"set {SETTING}DEVICE=cpu")
        if len(row) == 1:
            return row if 0 <= row[0] <= 1 else 1 / (1 + np.exp(-row))
        shares = np.exp(row - row.max())
        return shares / shares.sum()

    def _find_labels(self) -> tuple[int, int | None]:
        names = {int(at): str(name).casefold() for at, name in self._model.config.id2label.items()}
        if len(names) == 1:
            return 0, None
        return find_labels(names, self._settings.model)


def find_labels(names: Mapping[int, str], model: str) -> tuple[int, int | None]:
    """The label that means held, and the one that means contradicted, by their names. Of two
    nameless labels the second means held, as in MiniCheck.

    Raises:
        ModelFileError: no label is named so.
    """
    against = next((at for at, name in names.items() if name.startswith(_AGAINST)), None)
    for at, name in names.items():
        if any(word in name for word in _HELD) and not name.startswith(_NOT_HELD):
            return at, against
    if len(names) == 2 and all(name.startswith("label_") for name in names.values()):
        return 1, None
    raise ModelFileError(
        f"the guard model {model} has the labels {', '.join(names.values())}, and none means supported",
        remedy=f"set {SETTING}MODEL to a model of entailment or of factual consistency",
    )
