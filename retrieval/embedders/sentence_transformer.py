"""Any sentence-transformers model as an embedder; needs the extra `[models]` (torch).

Knows that library's calls; knows nothing of chunks or stores.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import EmbedderError, SettingsError
from core.settings import EmbedderSettings
from retrieval.embedders.batches import length_sorted_batches, unit_rows
from retrieval.embedders.prompts import Prompts, choose_prompts
from retrieval.model_folder import ModelFolder, open_model_folder
from retrieval.torch_models import load_model, require_library

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SETTING = "ATTEST_EMBEDDER__"
# The names under which models keep the prompt of a passage, as the library looks for them.
DOCUMENT_PROMPTS = ("document", "passage", "corpus")
# Bounds the memory of one forward pass: some 16,000 tokens of English, 32,000 of Chinese.
CHARS_PER_BATCH = 48_000


class SentenceTransformerEmbedder:
    """`Embedder` and `TokenEmbedder` over a model id or a local folder. Thread-safe: calls
    take turns, because tokenizers of that library must not be shared.

    Prompts come from the settings, else from the model's own configuration, else from what
    its family is known to want. Code that a model brings along is never run, and only
    safetensors are loaded.

    Raises:
        SettingsError: the extra is not installed or no model is named.
        ModelFileError: the model cannot be loaded.
    """

    def __init__(self, settings: EmbedderSettings) -> None:
        if not settings.model:
            raise SettingsError("no embedding model is named", remedy=f"set {SETTING}MODEL")
        require_library()
        folder = open_model_folder(settings.model, "embedding model", f"{SETTING}MODEL")
        self._settings = settings
        self._lock = threading.Lock()
        self._model = _load(folder, settings)
        self._prompts = choose_prompts(
            settings.query_prompt, settings.document_prompt, _own_prompts(self._model), settings.model
        )
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self.language_gap = settings.language_gap
        # The length counts: a longer text gets another vector where it is cut elsewhere.
        parts = [
            folder.fingerprint(),
            self._model.get_max_seq_length(),
            self._prompts.query,
            self._prompts.document,
        ]
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
        self.fingerprint = f"sentence-transformers/{settings.model}/{self.dimensions}/{digest}"

    def embed_query(self, text: str) -> np.ndarray:
        """See `Embedder.embed_query`. Raises EmbedderError."""
        return self._encode(self._model.encode_query, [text], self._prompts.query)[0]

    def embed_documents(self, texts: Sequence[str]) -> np.ndarray:
        """See `Embedder.embed_documents`. Raises EmbedderError."""
        return self._encode(self._model.encode_document, texts, self._prompts.document)

    def embed_tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """See `TokenEmbedder.embed_tokens`: without prompt and special tokens.

        Raises EmbedderError, also when the model gives no vector a token.
        """
        tables: list[np.ndarray] = [np.zeros((0, 0), np.float32)] * len(texts)
        for batch in self._batches(texts):
            found = self._run(
                self._model.encode, [texts[at] for at in batch], prompt="", output_value=None
            )
            for at, row in zip(batch, found, strict=True):
                tables[at] = self._token_table(row)
        return tables

    def count_tokens(self, text: str) -> int:
        """See `Embedder.count_tokens`."""
        with self._lock:
            return len(self._model.tokenizer.encode(text, add_special_tokens=False))

    def _encode(self, encode: Callable, texts: Sequence[str], prompt: str) -> np.ndarray:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for batch in self._batches(texts):
            vectors[batch] = self._run(encode, [texts[at] for at in batch], prompt=prompt)
        if not np.isfinite(vectors).all():
            raise EmbedderError(
                f"the embedding model {self._settings.model} gave a vector that holds no numbers (NaN)",
                remedy=f"set {SETTING}DEVICE=cpu, or take another model",
            )
        return unit_rows(vectors)

    def _batches(self, texts: Sequence[str]):
        return length_sorted_batches(texts, self._settings.batch_texts, CHARS_PER_BATCH)

    def _run(self, encode: Callable, texts: Sequence[str], **options: Any) -> Any:
        try:
            with self._lock:
                return encode(texts, batch_size=len(texts), show_progress_bar=False, **options)
        except RuntimeError as exc:  # torch's own: out of memory, a device that is gone
            raise EmbedderError(
                f"the embedding model {self._settings.model} failed ({exc})",
                remedy=f"lower {SETTING}BATCH_TEXTS or {SETTING}MAX_TOKENS, or mend {SETTING}DEVICE",
            ) from exc

    def _token_table(self, row: dict[str, Any]) -> np.ndarray:
        if "token_embeddings" not in row or "input_ids" not in row:
            raise EmbedderError(
                f"the embedding model {self._settings.model} gives no vectors of tokens",
                remedy="take the built-in late interaction: it uses the built-in model",
            )
        tokenizer = self._model.tokenizer
        special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
        ids = row["input_ids"].tolist()
        # Padding may stand on either side, and some models use another token for it.
        real = row["attention_mask"].tolist() if "attention_mask" in row else [1] * len(ids)
        kept = [at for at, token in enumerate(ids) if real[at] and token not in special]
        return unit_rows(row["token_embeddings"].float().cpu().numpy()[kept])


def _load(folder: ModelFolder, settings: EmbedderSettings) -> "SentenceTransformer":
    model = load_model("SentenceTransformer", folder, settings.device, "embedding model", SETTING)
    longest = model.get_max_seq_length()
    if longest is None or longest > settings.max_tokens:
        model.max_seq_length = settings.max_tokens
    return model


def _own_prompts(model: "SentenceTransformer") -> Prompts:
    own = model.prompts or {}
    document = next((own[name] for name in DOCUMENT_PROMPTS if own.get(name)), "")
    return Prompts(own.get("query") or "", document)
