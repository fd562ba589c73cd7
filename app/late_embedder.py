"""Embedders that load their model at their first use.

So that documents can be listed and collections removed where there are no weights. Knows
nothing of models.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from core.seams import Embedder, ImageEmbedder
    from core.types import Figure


class LateEmbedder:
    """The `Embedder` that `load` gives; whatever needs it raises what `load` raises."""

    def __init__(self, load: "Callable[[], Embedder]") -> None:
        self._load = load

    @property
    def dimensions(self) -> int:
        """See `Embedder.dimensions`."""
        return self._load().dimensions

    @property
    def fingerprint(self) -> str:
        """See `Embedder.fingerprint`."""
        return self._load().fingerprint

    @property
    def language_gap(self) -> float:
        """See `Embedder.language_gap`."""
        return self._load().language_gap

    def embed_query(self, text: str) -> "np.ndarray":
        """See `Embedder.embed_query`."""
        return self._load().embed_query(text)

    def embed_documents(self, texts: Sequence[str]) -> "np.ndarray":
        """See `Embedder.embed_documents`."""
        return self._load().embed_documents(texts)

    def count_tokens(self, text: str) -> int:
        """See `Embedder.count_tokens`."""
        return self._load().count_tokens(text)


class LateImageEmbedder:
    """The `ImageEmbedder` that `load` gives; whatever needs it raises what `load` raises."""

    def __init__(self, load: "Callable[[], ImageEmbedder]") -> None:
        self._load = load

    @property
    def dimensions(self) -> int:
        """See `ImageEmbedder.dimensions`."""
        return self._load().dimensions

    @property
    def fingerprint(self) -> str:
        """See `ImageEmbedder.fingerprint`."""
        return self._load().fingerprint

    def embed_images(self, figures: "Sequence[Figure]") -> "np.ndarray":
        """See `ImageEmbedder.embed_images`."""
        return self._load().embed_images(figures)

    def embed_texts(self, texts: Sequence[str]) -> "np.ndarray":
        """See `ImageEmbedder.embed_texts`."""
        return self._load().embed_texts(texts)
