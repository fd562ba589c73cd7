"""An image embedder without a model: a picture is its mean colour, a text the colours it names."""

import io

import numpy as np
from PIL import Image

from core.types import Figure

COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}


class ColourEmbedder:
    """An `ImageEmbedder` of three numbers and one that all vectors share."""

    dimensions = 4

    def __init__(self, fingerprint: str = "colours-1") -> None:
        self.fingerprint = fingerprint
        self.seen: list[str] = []

    def embed_images(self, figures):
        rows = []
        for figure in figures:
            self.seen.append(figure.name)
            with Image.open(io.BytesIO(figure.data)) as picture:
                rows.append(np.asarray(picture.convert("RGB")).reshape(-1, 3).mean(axis=0) / 255)
        return _unit(np.array(rows))

    def embed_texts(self, texts):
        named = [[c for word, c in COLOURS.items() if word in text] or [(0.33, 0.33, 0.33)] for text in texts]
        return _unit(np.array([np.mean(found, axis=0) for found in named]))


def painted(colour: str) -> Figure:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (200, 100), colour).save(out, "PNG")
    return Figure(out.getvalue(), "image/png", 200, 100)


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = np.hstack([rows, np.full((len(rows), 1), 0.5)]).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
