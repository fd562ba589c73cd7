"""An embedder behind HTTP: OpenAI, vLLM, Text Embeddings Inference, or any other such server.

Knows the two shapes of that request; knows nothing of chunks or stores.

- `openai`: POST /embeddings {model, input} → {data: [{index, embedding}]}
  (https://platform.openai.com/docs/api-reference/embeddings);
- `vllm`: the same, and longer texts can be cut (`truncate_prompt_tokens`, vLLM's pooling protocol);
- `tei`: POST /embed {inputs, normalize, truncate} → [[…]], and GET /info says which model
  (https://huggingface.github.io/text-embeddings-inference).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import EmbedderError, SettingsError
from core.settings import EmbedderSettings
from retrieval.embedders.batches import length_sorted_batches, unit_rows
from retrieval.embedders.prompts import Prompts, choose_prompts
from retrieval.model_client import ModelClient, ModelServer

SETTING = "ATTEST_EMBEDDER__"
CHARS_PER_REQUEST = 100_000
# A rough count, for budgets only: the server's tokenizer is out of reach.
CHARS_PER_TOKEN = 3
# Servers of this protocol refuse an empty text; a blank one has the same meaning.
BLANK = " "


class HttpEmbedder:
    """`Embedder` over a server. Thread-safe. The constructor asks the server once, for the
    dimensions and, where the protocol tells it, for the model behind the name.

    The fingerprint holds the served name, that model, the dimensions and the prompts. A
    server of style `openai` that changes the model behind a name cannot be caught by it.

    Raises:
        SettingsError: address or model is not set.
        EmbedderError: the server fails.
    """

    def __init__(self, settings: EmbedderSettings) -> None:
        if not settings.base_url or not (settings.model or settings.style == "tei"):
            raise SettingsError(
                "the http embedder needs an address and a model",
                remedy=f"set {SETTING}BASE_URL and {SETTING}MODEL",
            )
        self._settings = settings
        self._client = ModelClient(_server(settings))
        identity = self._ask_identity()
        self._prompts = choose_prompts(
            settings.query_prompt, settings.document_prompt, Prompts(), identity or settings.model
        )
        self.dimensions = 0
        self.dimensions = self._request(["dimensions"]).shape[1]
        self.language_gap = settings.language_gap
        parts = [settings.model, identity, self.dimensions, self._prompts.query, self._prompts.document]
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
        self.fingerprint = f"http/{settings.model or identity}/{self.dimensions}/{digest}"

    def embed_query(self, text: str) -> np.ndarray:
        """See `Embedder.embed_query`. Raises EmbedderError."""
        return self._request([self._prompts.query + text])[0]

    def embed_documents(self, texts: Sequence[str]) -> np.ndarray:
        """See `Embedder.embed_documents`. Raises EmbedderError."""
        prompted = [self._prompts.document + text for text in texts]
        vectors = np.zeros((len(prompted), self.dimensions), np.float32)
        for batch in length_sorted_batches(prompted, self._settings.batch_texts, CHARS_PER_REQUEST):
            vectors[batch] = self._request([prompted[at] for at in batch])
        return vectors

    def count_tokens(self, text: str) -> int:
        """An estimate: one for each Chinese character or three Latin ones."""
        wide = sum(1 for char in text if ord(char) > 0x2E80)
        return wide + -(-(len(text) - wide) // CHARS_PER_TOKEN)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _ask_identity(self) -> str:
        """The model behind the served name with its revision, as far as the server tells."""
        if self._settings.style == "openai":
            return ""
        try:
            if self._settings.style == "tei":
                info = self._client.get("info")
                return f"{info['model_id']}@{info.get('model_sha') or 'unknown'}"
            for served in self._client.get("models")["data"]:
                if served["id"] == self._settings.model:
                    return str(served.get("root") or "")
        except (KeyError, TypeError, AttributeError) as exc:
            raise self._client.nonsense(f"in another shape than that of {self._settings.style}") from exc
        return ""

    def _request(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, shape (texts, dimensions), in the order of the texts."""
        rows = self._rows([text or BLANK for text in texts])
        try:
            vectors = np.array(rows, np.float32)
        except (TypeError, ValueError) as exc:
            raise self._client.nonsense("vectors of different lengths or not of numbers") from exc
        wanted = self.dimensions or (vectors.shape[-1] if vectors.ndim == 2 else 0)
        if vectors.shape != (len(texts), wanted) or not wanted:
            raise self._client.nonsense(
                f"vectors of shape {vectors.shape} for {len(texts)} texts of {wanted} dimensions"
            )
        if not np.isfinite(vectors).all():
            raise self._client.nonsense("a vector that holds no numbers (NaN or infinite)")
        return unit_rows(vectors)

    def _rows(self, texts: Sequence[str]) -> list[Any]:
        if self._settings.style == "tei":
            body = {"inputs": texts, "normalize": True, "truncate": self._settings.truncate}
            rows = self._client.post("embed", body)
            if not isinstance(rows, list):
                raise self._client.nonsense("in another shape than that of tei")
            return rows
        reply = self._client.post("embeddings", self._openai_body(texts))
        try:
            found = {row["index"]: row["embedding"] for row in reply["data"]}
            count = len(reply["data"])
        except (KeyError, TypeError) as exc:
            raise self._client.nonsense("in another shape than that of openai") from exc
        if count != len(texts) or set(found) != set(range(count)):
            raise self._client.nonsense(f"vectors for texts {sorted(found, key=str)} of {len(texts)}")
        return [found[at] for at in range(count)]

    def _openai_body(self, texts: Sequence[str]) -> Mapping[str, Any]:
        body = {"model": self._settings.model, "input": texts, "encoding_format": "float"}
        if self._settings.style == "vllm" and self._settings.truncate:
            body["truncate_prompt_tokens"] = -1
        return body


def _server(settings: EmbedderSettings) -> ModelServer:
    return ModelServer(
        what="embedding server",
        url=settings.base_url.rstrip("/"),
        key=settings.api_key.get_secret_value(),
        timeout_s=settings.timeout_s,
        setting=SETTING,
        too_long=f"lower ATTEST_INGEST__CHUNK_TOKENS or {SETTING}BATCH_TEXTS, or set {SETTING}TRUNCATE=true",
        error=EmbedderError,
    )
