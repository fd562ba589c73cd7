"""One page of a stored file as a PNG, so that the boxes of a citation can be drawn on it.

Runs in the parse process (`parse_worker`): the file is as little trusted here as there.
"""

import io
from dataclasses import dataclass
from pathlib import Path

from core.errors import FileError, NotFoundError
from ingest.image_types import IMAGE_TYPES

MAX_SIDE = 2000
"""Pixels of the longer side, whatever is asked for."""


@dataclass(frozen=True, slots=True)
class PageImage:
    """`width` and `height` are those of the page in points, which boxes are measured in."""

    png: bytes
    width: float
    height: float


def render_page(path: Path, media_type: str, number: int, password: str = "") -> PageImage:
    """Page `number`, counted from 1, its longer side at most MAX_SIDE pixels.

    Raises:
        NotFoundError: there is no such page.
        FileError: `no_pages` for kinds of file that have none, `encrypted`, `corrupt`.
    """
    if media_type == "application/pdf":
        return _render_pdf(path, number, password)
    if media_type in IMAGE_TYPES:
        return _render_picture(path, number)
    raise FileError(
        f"a file of type {media_type} has no pages", code="no_pages", remedy="ask for PDF and pictures"
    )


def _render_pdf(path: Path, number: int, password: str) -> PageImage:
    from pypdfium2 import PdfiumError

    from ingest.parsers.pdf import open_pdf

    document = open_pdf(path, password)
    try:
        _check_number(number, len(document))
        page = document[number - 1]
        width, height = page.get_size()
        scale = min(2.0, MAX_SIDE / max(width, height, 1.0))
        image = page.render(scale=scale).to_pil()
        return PageImage(_png(image), round(width, 1), round(height, 1))
    except PdfiumError as exc:
        raise FileError(f"page {number} is damaged: {exc}", code="corrupt") from exc
    finally:
        document.close()


def _render_picture(path: Path, number: int) -> PageImage:
    from PIL import Image

    from ingest.parsers.images import open_frame, upright_frame

    with open_frame(path) as picture:
        _check_number(number, getattr(picture, "n_frames", 1))
        picture.seek(number - 1)
        shown = upright_frame(picture)
        width, height = shown.size
        shown.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        return PageImage(_png(shown), float(width), float(height))


def _check_number(number: int, pages: int) -> None:
    if not 1 <= number <= pages:
        raise NotFoundError(f"there is no page {number}", remedy=f"it has the pages 1 to {pages}")


def _png(image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
