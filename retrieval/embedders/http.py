"""An embedder behind the OpenAI embeddings protocol: vLLM, TEI, or any other server.

Knows that protocol; knows nothing of chunks or stores.
"""

from collections.abc import Sequence

import httpx
import numpy as np

from core.errors import ServiceError, SettingsError
from core.settings import EmbedderSettings

TEXTS_PER_REQUEST = 32
TIMEOUT_S = 60.0
# A rough count, for budgets only: the server's tokenizer is out of reach.
CHARS_PER_TOKEN = 3


class HttpEmbedder:
    """`Embedder` over `POST {base_url}/embeddings`. The first use asks for the dimensions.

    Raises:
        SettingsError: address or model is not set.
        ServiceError: the server cannot be reached or answers nonsense.
    """

    def __init__(self, settings: EmbedderSettings) -> None:
        if not settings.base_url or not settings.model:
            raise SettingsError(
                "the http embedder needs an address and a model",
                remedy="set ATTEST_EMBEDDER__BASE_URL and ATTEST_EMBEDDER__MODEL",
            )
        self._settings = settings
        headers = {}
        if key := settings.api_key.get_secret_value():
            headers["Authorization"] = f"Bearer {key}"
        self._client = httpx.Client(
            base_url=settings.base_url.rstrip("/"), headers=headers, timeout=TIMEOUT_S
        )
        self.dimensions = self._request(["dimensions"]).shape[1]
        self.language_gap = settings.language_gap
        self.fingerprint = (
            f"http/{settings.model}/{self.dimensions}"
            f"/{settings.query_prompt!r}/{settings.document_prompt!r}"
        )

    def embed_query(self, text: str) -> np.ndarray:
        """See `Embedder.embed_query`."""
        return self._request([self._settings.query_prompt + text])[0]

    def embed_documents(self, texts: Sequence[str]) -> np.ndarray:
        """See `Embedder.embed_documents`."""
        prompted = [self._settings.document_prompt + text for text in texts]
        parts = [
            self._request(prompted[at : at + TEXTS_PER_REQUEST])
            for at in range(0, len(prompted), TEXTS_PER_REQUEST)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimensions), np.float32)

    def count_tokens(self, text: str) -> int:
        """An estimate: one for each Chinese character or three Latin ones."""
        wide = sum(1 for char in text if ord(char) > 0x2E80)
        return wide + -(-(len(text) - wide) // CHARS_PER_TOKEN)

    def _request(self, texts: Sequence[str]) -> np.ndarray:
        url = self._settings.base_url
        try:
            reply = self._client.post(
                "/embeddings", json={"model": self._settings.model, "input": list(texts)}
            )
            reply.raise_for_status()
            rows = sorted(reply.json()["data"], key=lambda row: row["index"])
            vectors = np.array([row["embedding"] for row in rows], np.float32)
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as exc:
            raise ServiceError(
                f"the embedding server at {url} failed ({exc})",
                remedy="start it, or mend ATTEST_EMBEDDER__BASE_URL",
            ) from exc
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise ServiceError(f"the embedding server at {url} answered vectors of a wrong shape")
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
