"""The pictures in a document to figure elements: decoded, judged, read by OCR, encoded anew.

What is too small, too thin, of one colour or on every page is decoration and is left out.
Nothing that a picture does to its decoder costs more than that picture: it becomes a warning.
Knows bytes and pixels; knows nothing of the kinds of documents.
"""

import io
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import FileError
from core.types import Element, ElementKind, Figure
from ingest.parse_options import ParseOptions
from ingest.parsers.captions import with_captions

UNREAD, LEFT_OUT = "figure_unread", "figures_left_out"
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
MAX_BYTES = 32 * 2**20
"""Of one picture as it lies in its document."""
_MAX_PIXELS = 60_000_000
_MAX_READ = 100
"""Pictures of one file that are read and kept: OCR takes about a second for each."""
_MAX_SEEN = 2000
MAX_KEPT_BYTES = 32 * 2**20
"""Of all pictures of one file together."""
_MAX_SIDE = 1600
_MAX_OCR_SIDE = 2400
_MIN_SIDE, _MIN_AREA = 64, 12_000
_MAX_RATIO = 12
_MIN_CONTRAST = 16
_FEW_COLOURS = 4096
_MAX_PNG_BYTES = 300_000
_MAX_TIMES = 2
_DAMAGES = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    struct.error,
    MemoryError,
)


class Pictures:
    """The pictures of one document, in the order in which they are met."""

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options or ParseOptions()
        self._known: dict[bytes, tuple[Figure, str] | None] = {}
        self._reads_words = self._options.ocr
        self._bytes = self._read = self._seen = self._over = 0
        self._faults: list[str] = []

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """What was not read or was left out, in at most two warnings."""
        found = []
        if self._faults:
            shown = "; ".join(dict.fromkeys(self._faults))[:300]
            found.append((UNREAD, f"{len(self._faults)} pictures were not read: {shown}"))
        if self._over:
            words = f"{self._over} pictures were left out: at most {_MAX_READ} of a file are kept"
            found.append((LEFT_OUT, f"{words}, and {MAX_KEPT_BYTES // 2**20} MB of them"))
        return found

    def element(self, content: bytes, words: str = "", page: int | None = None) -> Element | None:
        """The figure of an encoded picture. `words` are what its author says about it; they
        stay when the picture does not, and None is left when there are none."""
        found = self._figure(content) if self._options.figures else None
        if found is None:
            return Element(ElementKind.FIGURE, words, page) if words.strip() else None
        figure, seen = found
        return Element(ElementKind.FIGURE, _joined(words, seen), page, figure=figure)

    def of_pixels(self, pixels: np.ndarray) -> Figure | None:
        """The figure of what was rendered or decoded already, and whose words are read elsewhere."""
        if not self._options.figures or not pixels.size or not self._may_take():
            return None
        image = Image.fromarray(pixels)
        figure = encode(image) if is_telling(image) else None
        return figure if figure and self._pay(figure) else None

    def fault(self, words: str) -> None:
        """Notes a picture that could not be had."""
        self._faults.append(words)

    def finish(self, elements: Sequence[Element]) -> list[Element]:
        """The elements of the whole document: each figure with its caption, without what repeats
        and, unless they are wanted, without those about which nothing is said."""
        return without_repeats(with_captions(elements), self._options.wordless)

    def _figure(self, content: bytes) -> tuple[Figure, str] | None:
        key = content if len(content) < 64 else _digest(content)
        if key not in self._known:
            self._known[key] = self._made(content)
        return self._known[key]

    def _made(self, content: bytes) -> tuple[Figure, str] | None:
        if not self._may_take():
            return None
        try:
            image = _decoded(content)
        except _DAMAGES as exc:
            self._faults.append(_shown(exc))
            return None
        if image is None or not is_telling(image):
            return None
        figure = encode(image)
        return (figure, self._words_in(image)) if self._pay(figure) else None

    def _may_take(self) -> bool:
        """Whether another one may be decoded."""
        self._seen += 1
        if self._read < _MAX_READ and self._seen <= _MAX_SEEN and self._bytes < MAX_KEPT_BYTES:
            return True
        self._over += 1
        return False

    def _pay(self, figure: Figure) -> bool:
        if self._bytes + len(figure.data) > MAX_KEPT_BYTES:
            self._over += 1
            return False
        self._bytes += len(figure.data)
        self._read += 1
        return True

    def _words_in(self, image: Image.Image) -> str:
        """By OCR; when it fails once, the other pictures of the file are kept without words."""
        if not self._reads_words:
            return ""
        from ingest.parsers.scans import read_picture

        self._options.before_ocr()
        image = image.copy()
        image.thumbnail((_MAX_OCR_SIDE, _MAX_OCR_SIDE), Image.Resampling.LANCZOS)
        try:
            lines = read_picture(np.asarray(image), 1, 1.0)
        except (FileError, MemoryError, RuntimeError) as exc:
            self._reads_words = False
            self._faults.append(f"the words in them ({_shown(exc)})")
            return ""
        self._options.on_page(self._read)
        return "\n".join(line.text for line in lines)


def is_telling(image: Image.Image) -> bool:
    """Whether a picture is more than an icon, a rule or a coloured area."""
    short, long = sorted(image.size)
    if short < _MIN_SIDE or short * long < _MIN_AREA or long > _MAX_RATIO * short:
        return False
    small = image.convert("L")
    small.thumbnail((64, 64))
    darkest, brightest = small.getextrema()
    return brightest - darkest >= _MIN_CONTRAST


def encode(image: Image.Image) -> Figure:
    """A picture as it is kept: drawings as PNG, photographs as JPEG, without what a camera or a
    program has written into it."""
    image = image.convert("RGB")
    image.thumbnail((_MAX_SIDE, _MAX_SIDE), Image.Resampling.LANCZOS)
    if image.getcolors(_FEW_COLOURS) is not None:
        data = _saved(image, "PNG", optimize=True)
        if len(data) <= _MAX_PNG_BYTES:
            return Figure(data, "image/png", *image.size)
    return Figure(_saved(image, "JPEG", quality=85), "image/jpeg", *image.size)


def without_repeats(elements: Sequence[Element], wordless: bool) -> list[Element]:
    """A picture that is there more than twice is a logo: it goes, and its words stay once. A
    picture without words stays only when it is wanted."""
    times = Counter(e.figure.name for e in elements if e.figure)
    seen: set[tuple[str, str]] = set()
    kept = []
    for element in elements:
        if element.figure is not None:
            name = element.figure.name
            if (name, element.text) in seen:
                continue
            seen.add((name, element.text))
            if times[name] > _MAX_TIMES:
                element = replace(element, figure=None)
            elif not (wordless or element.text.strip()):
                continue
        if element.figure or element.text.strip():
            kept.append(element)
    return kept


def _decoded(content: bytes) -> Image.Image | None:
    """In three colours, upright; None for an icon, which is not worth decoding."""
    from ingest.parsers.images import on_white

    if len(content) > MAX_BYTES:
        raise ValueError(f"{len(content) // 2**20} MB")
    with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
        width, height = picture.size
        if width * height > _MAX_PIXELS:
            raise ValueError(f"{width} × {height} pixels")
        if min(width, height) < _MIN_SIDE:
            return None
        return on_white(ImageOps.exif_transpose(picture))


def _saved(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _joined(said: str, seen: str) -> str:
    """What is said about a picture, then what is written in it, unless that says the same."""
    said, seen = said.strip(), seen.strip()
    if seen and said and "".join(seen.split()) in "".join(said.split()):
        return said
    return "\n".join(part for part in (said, seen) if part)


def _digest(content: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(content).digest()


def _shown(exc: BaseException) -> str:
    if isinstance(exc, UnidentifiedImageError):
        return "a kind of picture that is not known"
    if isinstance(exc, MemoryError):
        return "too much memory"
    return str(exc)[:100] or type(exc).__name__
