"""Any sentence-transformers model as an embedder; needs the extra `[models]` (torch).

Knows that library's calls; knows nothing of chunks or stores.
"""

from collections.abc import Sequence

import numpy as np

from core.errors import ModelFileError, SettingsError
from core.settings import EmbedderSettings


class SentenceTransformerEmbedder:
    """`Embedder` and `TokenEmbedder` over a model id or a local folder.

    The prompts come from the settings, else from the model's own card (its `query` and
    `document` prompts). Code that a model brings along is never run.

    Raises:
        SettingsError: the extra is not installed or no model is named.
        ModelFileError: the model cannot be loaded.
    """

    def __init__(self, settings: EmbedderSettings) -> None:
        if not settings.model:
            raise SettingsError("no embedding model is named", remedy="set ATTEST_EMBEDDER__MODEL")
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as exc:
            raise SettingsError(
                "the embedder sentence-transformers is not installed",
                remedy='run: pip install "attest[models]"',
            ) from exc
        try:
            self._model = SentenceTransformer(settings.model, trust_remote_code=False, device=None)
        except (OSError, ValueError) as exc:
            raise ModelFileError(
                f"the embedding model {settings.model} cannot be loaded ({exc})",
                remedy="name a model that the hub or this disk has",
            ) from exc
        prompts = self._model.prompts or {}
        self._query_prompt = settings.query_prompt or prompts.get("query", "")
        self._document_prompt = settings.document_prompt or prompts.get("document", "")
        self.dimensions = int(self._model.get_sentence_embedding_dimension())
        self.language_gap = settings.language_gap
        self.fingerprint = (
            f"sentence-transformers/{settings.model}/{self.dimensions}"
            f"/{self._query_prompt!r}/{self._document_prompt!r}"
        )

    def embed_query(self, text: str) -> np.ndarray:
        """See `Embedder.embed_query`."""
        return self._encode([self._query_prompt + text])[0]

    def embed_documents(self, texts: Sequence[str]) -> np.ndarray:
        """See `Embedder.embed_documents`."""
        return self._encode([self._document_prompt + text for text in texts])

    def embed_tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """See `TokenEmbedder.embed_tokens`."""
        rows = self._model.encode(
            list(texts), output_value="token_embeddings", show_progress_bar=False
        )
        tables = [row.float().cpu().numpy()[1:-1] for row in rows]
        return [t / np.maximum(np.linalg.norm(t, axis=1, keepdims=True), 1e-9) for t in tables]

    def count_tokens(self, text: str) -> int:
        """See `Embedder.count_tokens`."""
        return len(self._model.tokenizer.encode(text, add_special_tokens=False))

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)
