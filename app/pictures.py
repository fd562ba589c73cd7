"""What describes and finds pictures, built of the settings. Holds no logic of its own."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.services import Services
    from ingest.describing import FigureDescriber
    from retrieval.image_index import ImageIndex


def build_images(services: "Services") -> "ImageIndex | None":
    """The vectors of pictures; None when no image embedder is configured."""
    settings = services.settings.image_embedder
    if settings.kind == "none":
        return None
    from app.late_embedder import LateImageEmbedder
    from retrieval.image_index import STORE_PREFIX, ImageIndex
    from retrieval.store import open_beside

    store = open_beside(services.store(), STORE_PREFIX)
    return ImageIndex(store, LateImageEmbedder(services.image_embedder), settings.margin)


def build_describer(services: "Services") -> "FigureDescriber":
    """What tells what pictures show. Raises SettingsError when its model is not named."""
    from ingest.describing import FigureDescriber

    images, captioner = services.images(), None
    if services.settings.captioner.base_url:
        from ingest.captioner import OpenAICaptioner

        captioner = OpenAICaptioner(services.settings.captioner)
    return FigureDescriber(captioner, (lambda: images.fingerprint) if images else None)
