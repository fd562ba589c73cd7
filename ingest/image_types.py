"""Kinds of pictures by their first bytes. Knows nothing else of them."""

IMAGE_TYPES = ("image/png", "image/jpeg", "image/tiff", "image/webp")

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)


def image_type(head: bytes) -> str:
    """The media type of a picture that can be read; empty for everything else."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
