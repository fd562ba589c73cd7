"""A reranker behind HTTP: vLLM, Text Embeddings Inference, Jina, Cohere and their like.

Knows the two shapes of that request; knows nothing of fusion or stores.

- `jina`: POST /rerank {model, query, documents, top_n} → {results: [{index, relevance_score}]}
  (https://api.jina.ai/redoc, https://docs.cohere.com/reference/rerank);
- `vllm`: the same, and longer texts are cut (`truncate_prompt_tokens`, vLLM's pooling protocol);
- `tei`: POST /rerank {query, texts, truncate} → [{index, score}]
  (https://huggingface.github.io/text-embeddings-inference).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import RerankerError, SettingsError
from core.settings import RetrievalSettings
from core.types import Hit
from retrieval.embedded_text import embedded_text
from retrieval.model_client import ModelClient, ModelServer
from retrieval.rerankers.ranking import rank_hits

SETTING = "ATTEST_RETRIEVAL__RERANKER_"
# Some servers refuse an empty text; a blank one has the same meaning.
BLANK = " "


class HttpReranker:
    """`Reranker` over `POST {base_url}/rerank`. Thread-safe; nothing is sent before the first use.

    Chunks go in batches of `reranker_batch`; a model whose scores depend on what else is in
    the request (a listwise one) wants a batch of at least `rerank_limit`.

    Raises:
        SettingsError: address or model is not set.
    """

    def __init__(self, settings: RetrievalSettings) -> None:
        if not settings.reranker_base_url:
            raise SettingsError("the http reranker needs an address", remedy=f"set {SETTING}BASE_URL")
        if not settings.reranker_model and settings.reranker_style != "tei":
            raise SettingsError(
                "the http reranker needs the name of a served model", remedy=f"set {SETTING}MODEL"
            )
        self._settings = settings
        self._client = ModelClient(_server(settings))

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """See `Reranker.rerank`. The scores are the server's own.

        Raises:
            RerankerError: the server fails, or its reply does not score every chunk once.
        """
        texts = [embedded_text(hit.chunk) or BLANK for hit in hits]
        step = self._settings.reranker_batch
        scores = [
            score
            for at in range(0, len(texts), step)
            for score in self._score(question or BLANK, texts[at : at + step])
        ]
        return rank_hits(hits, scores)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _score(self, question: str, texts: Sequence[str]) -> list[float]:
        reply = self._client.post("rerank", self._body(question, texts))
        try:
            rows = reply if self._settings.reranker_style == "tei" else reply["results"]
            name = "score" if self._settings.reranker_style == "tei" else "relevance_score"
            found = [(row["index"], row[name]) for row in rows]
        except (KeyError, TypeError, IndexError) as exc:
            style = self._settings.reranker_style
            raise self._client.nonsense(f"in another shape than that of {style}") from exc
        return self._check(found, len(texts))

    def _body(self, question: str, texts: Sequence[str]) -> Mapping[str, Any]:
        if self._settings.reranker_style == "tei":
            return {"query": question, "texts": list(texts), "truncate": True}
        body = {
            "model": self._settings.reranker_model,
            "query": question,
            "documents": list(texts),
            "top_n": len(texts),
        }
        if self._settings.reranker_style == "vllm":
            body["truncate_prompt_tokens"] = -1
        return body

    def _check(self, found: Sequence[tuple[Any, Any]], count: int) -> list[float]:
        """The scores in the order of the texts: each of them once, each a finite number."""
        scores: dict[int, float] = {}
        for index, score in found:
            if type(index) is not int or not 0 <= index < count:
                raise self._client.nonsense(f"a score for text {index!r} of {count}")
            if index in scores:
                raise self._client.nonsense(f"two scores for text {index}")
            if type(score) not in (int, float) or not math.isfinite(score):
                raise self._client.nonsense(f"the score {score!r} for text {index}")
            scores[index] = float(score)
        if len(scores) != count:
            raise self._client.nonsense(f"{len(scores)} scores for {count} texts")
        return [scores[at] for at in range(count)]


def _server(settings: RetrievalSettings) -> ModelServer:
    timeout_s = settings.reranker_timeout_s
    if settings.rerank_budget_ms:
        # Nobody waits longer than the budget; a call that nobody waits for must end soon.
        timeout_s = min(timeout_s, 2 * settings.rerank_budget_ms / 1000)
    return ModelServer(
        what="reranking server",
        url=settings.reranker_base_url.rstrip("/").removesuffix("/rerank"),
        key=settings.reranker_api_key.get_secret_value(),
        timeout_s=timeout_s,
        setting=SETTING,
        too_long=f"lower {SETTING}BATCH or ATTEST_INGEST__CHUNK_TOKENS, or mend {SETTING}STYLE",
        error=RerankerError,
    )
