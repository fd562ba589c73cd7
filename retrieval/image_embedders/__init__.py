"""Image embedders behind one seam, and the factory that reads the settings."""

from core.errors import SettingsError
from core.seams import ImageEmbedder
from core.settings import ImageEmbedderSettings


def build_image_embedder(settings: ImageEmbedderSettings) -> ImageEmbedder:
    """The image embedder that the settings name; imports only what that one needs.

    Raises:
        ModelFileError: its weights are missing.
        SettingsError: none is named, it lacks a setting, or its package is not installed.
        EmbedderError: its server fails.
    """
    if settings.kind == "none":
        raise SettingsError("no image embedder is named", remedy="set ATTEST_IMAGE_EMBEDDER__KIND")
    if settings.kind == "http":
        from retrieval.image_embedders.http import HttpImageEmbedder

        return HttpImageEmbedder(settings)
    from retrieval.image_embedders.clip import ClipImageEmbedder

    return ClipImageEmbedder(settings)
