"""Embedders behind one seam, and the factories that read the settings."""

from collections.abc import Callable
from pathlib import Path

from core.seams import Embedder
from core.settings import EmbedderSettings


def build_embedder(settings: EmbedderSettings, weights_dir: Path) -> Embedder:
    """The embedder that the settings name; imports only what that one needs.

    Raises:
        ModelFileError: its weights are missing.
        SettingsError: it lacks a setting or its package is not installed.
    """
    if settings.kind == "e5-openvino":
        from retrieval.embedders.e5 import E5Embedder

        return E5Embedder(weights_dir, settings.threads)
    if settings.kind == "http":
        from retrieval.embedders.http import HttpEmbedder

        return HttpEmbedder(settings)
    from retrieval.embedders.sentence_transformer import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(settings)


def build_token_counter(settings: EmbedderSettings, weights_dir: Path) -> Callable[[str], int]:
    """`count_tokens` of the embedder that the settings name; of the built-in one without its
    model, for processes that only cut. Raises as `build_embedder` does."""
    if settings.kind == "e5-openvino":
        from retrieval.embedders.e5 import open_tokenizer

        return open_tokenizer(weights_dir).count
    return build_embedder(settings, weights_dir).count_tokens
