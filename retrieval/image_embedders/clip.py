"""CLIP-like models by sentence-transformers as an image embedder; needs the extra `[models]`.

A second model may read the texts, such as `clip-ViT-B-32-multilingual-v1`, which was made for
the pictures of `clip-ViT-B-32` and knows Chinese. Knows that library's calls alone.
"""

import hashlib
import io
import json
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from core.errors import EmbedderError, ModelFileError, SettingsError
from core.settings import ImageEmbedderSettings
from core.types import Figure
from retrieval.embedders.batches import unit_rows
from retrieval.model_folder import ModelFolder, open_model_folder
from retrieval.torch_models import load_model, require_library

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SETTING = "ATTEST_IMAGE_EMBEDDER__"
_FORMATS = ("PNG", "JPEG")


class ClipImageEmbedder:
    """`ImageEmbedder` over a model id or a local folder. Thread-safe: calls take turns. Code that
    a model brings along is never run, and only safetensors are loaded.

    Raises:
        SettingsError: the extra is not installed or no model is named.
        ModelFileError: a model cannot be loaded, or the two do not share one space.
    """

    def __init__(self, settings: ImageEmbedderSettings) -> None:
        if not settings.model:
            raise SettingsError("no image embedding model is named", remedy=f"set {SETTING}MODEL")
        require_library()
        self._settings = settings
        self._lock = threading.Lock()
        folder = open_model_folder(settings.model, "image embedding model", f"{SETTING}MODEL")
        self._images = self._texts = _load(folder, settings)
        prints = [folder.fingerprint()]
        if settings.text_model:
            other = open_model_folder(settings.text_model, "text model", f"{SETTING}TEXT_MODEL")
            self._texts = _load(other, settings, "TEXT_MODEL")
            prints.append(other.fingerprint())
        self.dimensions = self.embed_texts(["dimensions"]).shape[1]
        digest = hashlib.sha256(json.dumps(prints).encode()).hexdigest()[:12]
        self.fingerprint = f"clip/{settings.model}/{self.dimensions}/{digest}"

    def embed_images(self, figures: Sequence[Figure]) -> np.ndarray:
        """See `ImageEmbedder.embed_images`."""
        if not figures:
            return np.zeros((0, self.dimensions), np.float32)
        parts = []
        for at in range(0, len(figures), self._settings.batch_images):
            batch = [_opened(figure) for figure in figures[at : at + self._settings.batch_images]]
            parts.append(self._encode(self._images, batch))
        found = np.concatenate(parts)
        if found.shape[1] != self.dimensions:
            sizes = f"{self.dimensions} numbers, not {found.shape[1]}"
            raise ModelFileError(
                f"{self._settings.text_model} gives vectors of {sizes}",
                remedy=f"set {SETTING}TEXT_MODEL to a model that was made for {self._settings.model}",
            )
        return found

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """See `ImageEmbedder.embed_texts`."""
        return self._encode(self._texts, list(texts))

    def _encode(self, model: "SentenceTransformer", inputs: list[Any]) -> np.ndarray:
        try:
            with self._lock:
                rows = model.encode(inputs, batch_size=len(inputs), show_progress_bar=False)
        except (RuntimeError, ValueError, TypeError) as exc:
            # torch's own, as out of memory; or the model takes no pictures
            raise EmbedderError(
                f"the image embedding model {self._settings.model} failed ({exc})",
                remedy=f"lower {SETTING}BATCH_IMAGES, mend {SETTING}DEVICE, or take a model that sees",
            ) from exc
        vectors = np.asarray(rows, np.float32)
        if not np.isfinite(vectors).all():
            raise EmbedderError(
                f"the image embedding model {self._settings.model} gave a vector that holds no numbers (NaN)",
                remedy=f"set {SETTING}DEVICE=cpu, or take another model",
            )
        return unit_rows(vectors)


def _opened(figure: Figure) -> Image.Image:
    """Pictures in the store were encoded by us; still only these two kinds are tried."""
    with Image.open(io.BytesIO(figure.data), formats=_FORMATS) as picture:
        return picture.convert("RGB")


def _load(
    folder: ModelFolder, settings: ImageEmbedderSettings, field: str = "MODEL"
) -> "SentenceTransformer":
    what = "image embedding model"
    return load_model("SentenceTransformer", folder, settings.device, what, SETTING, field)
