"""An image embedder behind HTTP: vLLM, Jina, Infinity or any server that speaks as one of them.

All three answer `POST /embeddings` with {data: [{index, embedding}]} and take texts as strings;
they differ in how a picture is sent:

- `vllm`: one picture a request, as the content of a message
  (https://docs.vllm.ai/en/latest/models/pooling_models.html);
- `jina`: inputs {"image": base64} and {"text": …} (https://api.jina.ai/redoc);
- `infinity`: inputs are `data:` addresses, with modality "image"
  (https://github.com/michaelfeil/infinity).
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import EmbedderError, SettingsError
from core.settings import ImageEmbedderSettings
from core.types import Figure
from retrieval.embedders.batches import unit_rows
from retrieval.model_client import ModelClient, ModelServer

SETTING = "ATTEST_IMAGE_EMBEDDER__"


class HttpImageEmbedder:
    """`ImageEmbedder` over a server. Thread-safe. The constructor asks the server once, for the
    dimensions; a server that changes the model behind a name cannot be caught.

    Raises:
        SettingsError: address or model is not set.
        EmbedderError: the server fails.
    """

    def __init__(self, settings: ImageEmbedderSettings) -> None:
        if not settings.base_url or not settings.model:
            raise SettingsError(
                "the image embedder of kind http needs an address and a model",
                remedy=f"set {SETTING}BASE_URL and {SETTING}MODEL",
            )
        self._settings = settings
        self._client = ModelClient(_server(settings))
        self.dimensions = 0
        self.dimensions = self.embed_texts(["dimensions"]).shape[1]
        digest = hashlib.sha256(json.dumps([settings.model, settings.style]).encode()).hexdigest()[:12]
        self.fingerprint = f"http-images/{settings.model}/{self.dimensions}/{digest}"

    def embed_images(self, figures: Sequence[Figure]) -> np.ndarray:
        """See `ImageEmbedder.embed_images`."""
        at_once = 1 if self._settings.style == "vllm" else self._settings.batch_images
        parts = [np.zeros((0, self.dimensions), np.float32)]
        for at in range(0, len(figures), at_once):
            batch = figures[at : at + at_once]
            parts.append(self._request(self._image_body(batch), len(batch)))
        return np.concatenate(parts)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """See `ImageEmbedder.embed_texts`."""
        as_jina = self._settings.style == "jina"
        inputs = [{"text": text} for text in texts] if as_jina else list(texts)
        return self._request({"input": inputs}, len(texts))

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _image_body(self, figures: Sequence[Figure]) -> Mapping[str, Any]:
        encoded = [base64.b64encode(figure.data).decode("ascii") for figure in figures]
        if self._settings.style == "jina":
            return {"input": [{"image": data} for data in encoded]}
        pairs = zip(figures, encoded, strict=True)
        addresses = [f"data:{figure.media_type};base64,{data}" for figure, data in pairs]
        if self._settings.style == "infinity":
            return {"input": addresses, "modality": "image"}
        content = [{"type": "image_url", "image_url": {"url": addresses[0]}}]
        return {"messages": [{"role": "user", "content": content}]}

    def _request(self, body: Mapping[str, Any], count: int) -> np.ndarray:
        """Unit vectors, shape (count, dimensions), in the order of the inputs."""
        wanted = {"model": self._settings.model, "encoding_format": "float", **body}
        reply = self._client.post("embeddings", wanted)
        try:
            found = {row["index"]: row["embedding"] for row in reply["data"]}
            vectors = np.array([found[at] for at in range(count)], np.float32)
        except (KeyError, TypeError, ValueError) as exc:
            raise self._client.nonsense(f"in another shape than that of {self._settings.style}") from exc
        size = self.dimensions or (vectors.shape[-1] if vectors.ndim == 2 else 0)
        if len(found) != count or vectors.shape != (count, size) or not size:
            raise self._client.nonsense(f"vectors of shape {vectors.shape} for {count} inputs")
        if not np.isfinite(vectors).all():
            raise self._client.nonsense("a vector that holds no numbers (NaN or infinite)")
        return unit_rows(vectors)


def _server(settings: ImageEmbedderSettings) -> ModelServer:
    return ModelServer(
        what="image embedding server",
        url=settings.base_url.rstrip("/"),
        key=settings.api_key.get_secret_value(),
        timeout_s=settings.timeout_s,
        setting=SETTING,
        too_long=f"lower {SETTING}BATCH_IMAGES",
        error=EmbedderError,
    )
