"""Rerankers behind one seam, and the factory that reads the settings."""

from collections.abc import Callable

from core.seams import Reranker
from core.settings import RetrievalSettings
from retrieval.token_vectors import TokenVectors

# How many calls may run at once under a budget. A model in this process uses every core
# already; a server makes batches of what comes together.
SLOTS = {"late-interaction": 4, "cross-encoder": 1, "http": 8}


def build_reranker(settings: RetrievalSettings, tokens: Callable[[], TokenVectors]) -> Reranker:
    """The reranker that the settings name, within its budget if they set one.

    `tokens` is asked for only when late interaction is meant. Imports only what
    that reranker needs.

    Raises:
        ModelFileError: its weights are missing or of a kind that is not loaded.
        SettingsError: it lacks a setting or its package is not installed.
    """
    if settings.reranker == "none" or not settings.rerank_limit:
        from retrieval.rerankers.fused_order import FusedOrder

        return FusedOrder()
    reranker = _build(settings, tokens)
    if not settings.rerank_budget_ms:
        return reranker
    from retrieval.rerankers.budget import BudgetedReranker

    # A server gets one request: each costs a journey, and some models compare what is in it.
    # Late interaction scores all hits in one product, over vectors that are there already.
    in_parts = settings.reranker == "cross-encoder"
    return BudgetedReranker(reranker, settings.rerank_budget_ms, SLOTS[settings.reranker], in_parts)


def _build(settings: RetrievalSettings, tokens: Callable[[], TokenVectors]) -> Reranker:
    if settings.reranker == "http":
        from retrieval.rerankers.http import HttpReranker

        return HttpReranker(settings)
    if settings.reranker == "cross-encoder":
        from retrieval.rerankers.cross_encoder import CrossEncoderReranker

        return CrossEncoderReranker(settings)
    from retrieval.rerankers.late_interaction import LateInteractionReranker

    return LateInteractionReranker(tokens())
