"""PNG, JPEG, TIFF and WebP as documents: every picture in the file is a page, read by OCR.

Where somebody can find a picture without words (by a description or by a vector), each page
is a figure too.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import FileError
from core.types import Box, Element, Figure
from ingest.image_types import IMAGE_TYPES
from ingest.parse_options import ParseOptions
from ingest.parsers.figures import Pictures
from ingest.parsers.pdf_figures import with_pictures
from ingest.parsers.pdf_layout import compose_pages
from ingest.parsers.pdf_lines import Line
from ingest.parsers.scans import read_picture

_MAX_PIXELS = 60_000_000
_MAX_WIDTH = 2600


class ImageParser:
    """The parser of pictures. A pixel of the file is a point of its page."""

    media_types: ClassVar[frozenset[str]] = frozenset(IMAGE_TYPES)

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options or ParseOptions()
        self.warnings: list[tuple[str, str]] = []

    def parse(self, path: Path) -> list[Element]:
        """Paragraphs, titles and plain tables with page and box.

        Raises:
            FileError: `no_text` when no word is seen, `needs_ocr` when reading pictures is
                turned off or not installed, `corrupt`, or `too_large` above 60 million pixels.
        """
        is_figure = self._options.figures and self._options.wordless
        if not (self._options.ocr or is_figure):
            raise FileError(
                "it is a picture, and reading pictures is turned off",
                code="needs_ocr",
                remedy="set ingest.ocr = true and ingest it with --retry-failed",
            )
        pages: list[list[Line]] = []
        figures: dict[Box, Figure] = {}
        pictures = Pictures(self._options)
        with open_frame(path) as picture:
            self._options.before_ocr()
            for frame in range(getattr(picture, "n_frames", 1)):
                picture.seek(frame)
                shown = upright_frame(picture)
                pages.append(_read_frame(shown, frame + 1) if self._options.ocr else [])
                figure = pictures.of_pixels(np.asarray(shown)) if is_figure else None
                if figure:
                    figures[Box(frame + 1, 0.0, 0.0, float(shown.width), float(shown.height))] = figure
                self._options.on_page(frame + 1)
        elements = pictures.finish(with_pictures(compose_pages(pages), figures))
        self.warnings = pictures.warnings
        if not elements:
            raise FileError("no word is seen in the picture", code="no_text", remedy="give a sharper one")
        return elements


@contextmanager
def open_frame(path: Path) -> Iterator[Image.Image]:
    """An open picture; `seek` chooses one of several. Raises FileError `corrupt`, also for what
    is found while it is read."""
    try:
        with Image.open(path, formats=("PNG", "JPEG", "TIFF", "WEBP")) as picture:
            yield picture
    except UnidentifiedImageError as exc:  # its own message names the stored copy
        raise FileError("it is a damaged picture", code="corrupt", remedy="save it again as PNG") from exc
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as exc:
        raise FileError(
            f"it is a damaged picture: {exc}", code="corrupt", remedy="save it again as PNG"
        ) from exc


def upright_frame(picture: Image.Image) -> Image.Image:
    """The present frame in three colours, turned as its camera said.

    Raises:
        FileError: `too_large`.
    """
    if picture.width * picture.height > _MAX_PIXELS:
        raise FileError(
            f"its picture has {picture.width} × {picture.height} pixels",
            code="too_large",
            remedy="scale it down to 60 million pixels",
        )
    return on_white(ImageOps.exif_transpose(picture))


def _read_frame(upright: Image.Image, page: int) -> list[Line]:
    width = upright.width
    if upright.width > _MAX_WIDTH:
        height = max(1, round(upright.height * _MAX_WIDTH / upright.width))
        upright = upright.resize((_MAX_WIDTH, height), Image.Resampling.LANCZOS)
    return read_picture(np.asarray(upright), page, width / upright.width)


def on_white(picture: Image.Image) -> Image.Image:
    """In three colours; what shines through becomes white, as on paper."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        paper = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(paper, seen).convert("RGB")
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        values = np.asarray(picture, dtype=np.float32)
        span = max(1e-6, float(values.max() - values.min()))
        return Image.fromarray(((values - values.min()) * (255 / span)).astype(np.uint8)).convert("RGB")
    return picture.convert("RGB")

