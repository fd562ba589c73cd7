"""A cross-encoder in this process; needs the extra `[models]` (torch).

Knows sentence-transformers' CrossEncoder; knows nothing of fusion or stores. Models such as
bge-reranker-v2-m3 read question and chunk as a pair; Qwen3-Reranker and its like read them
through their own chat template and compare the logits of "yes" and "no", which that library
does by itself when the model's folder holds such a template.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ModelFileError, RerankerError, SettingsError
from core.settings import RetrievalSettings
from core.types import Hit
from retrieval.embedded_text import embedded_text
from retrieval.model_folder import ModelFolder, open_model_folder
from retrieval.rerankers.ranking import rank_hits
from retrieval.torch_models import load_model, require_library

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

SETTING = "ATTEST_RETRIEVAL__RERANKER_"


class CrossEncoderReranker:
    """`Reranker` over a model id or a local folder. Thread-safe: calls take turns.

    Only safetensors are loaded, and code that a model brings along is never run. The scores
    are the model's own: most give 0…1, some give logits.

    Raises:
        SettingsError: the extra is not installed or no model is named.
        ModelFileError: the model cannot be loaded or does not score pairs.
    """

    def __init__(self, settings: RetrievalSettings) -> None:
        if not settings.reranker_model:
            raise SettingsError("no cross-encoder is named", remedy=f"set {SETTING}MODEL")
        require_library()
        folder = open_model_folder(settings.reranker_model, "cross-encoder", f"{SETTING}MODEL")
        self._settings = settings
        self._lock = threading.Lock()
        self._model = _load(folder, settings)
        self._try_pair()

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """See `Reranker.rerank`. Raises RerankerError."""
        if not hits:
            return []
        return rank_hits(hits, self._score([(question, embedded_text(hit.chunk)) for hit in hits]))

    def _score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        # The library sorts the pairs by length before it makes batches.
        try:
            with self._lock:
                scores = self._model.predict(
                    list(pairs),
                    prompt=self._settings.reranker_prompt or None,
                    batch_size=self._settings.reranker_batch,
                    show_progress_bar=False,
                )
        except RuntimeError as exc:  # torch's own: out of memory, a device that is gone
            raise RerankerError(
                f"the cross-encoder {self._settings.reranker_model} failed ({exc})",
                remedy=f"lower {SETTING}BATCH or {SETTING}MAX_TOKENS, or mend {SETTING}DEVICE",
            ) from exc
        if not np.isfinite(scores).all():
            raise RerankerError(
                f"the cross-encoder {self._settings.reranker_model} gave a score that is no number (NaN)",
                remedy=f"set {SETTING}DEVICE=cpu, or take another model",
            )
        return np.asarray(scores, np.float64).tolist()

    def _try_pair(self) -> None:
        """One pair shows what the files do not: a template that drops the chunk, several labels."""
        name = self._settings.reranker_model
        try:
            scores = np.asarray(self._model.predict([("question", "chunk")], show_progress_bar=False))
        except (ValueError, RuntimeError, TypeError) as exc:
            raise ModelFileError(
                f"the cross-encoder {name} cannot read a pair ({exc})",
                remedy=f"set {SETTING}MODEL to a model made for reranking",
            ) from exc
        if scores.shape != (1,):
            raise ModelFileError(
                f"the cross-encoder {name} gives {scores.size} labels instead of one score",
                remedy=f"set {SETTING}MODEL to a model made for reranking",
            )


def _load(folder: ModelFolder, settings: RetrievalSettings) -> "CrossEncoder":
    model = load_model("CrossEncoder", folder, settings.reranker_device, "cross-encoder", SETTING)
    longest = model.get_max_seq_length()
    if longest is None or longest > settings.reranker_max_tokens:
        model.max_seq_length = settings.reranker_max_tokens
    return model
