"""Bytes to text. Knows encodings; knows nothing of what the text says."""

import codecs

from charset_normalizer import from_bytes

from core.errors import FileError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Guessing among all encodings takes Chinese for exotic ones; these are what offices write.
_GUESSES = ["gb18030", "big5", "cp1252", "shift_jis", "utf_16_le", "utf_16_be"]
_SAMPLE_BYTES = 65_536
_COMMON_HAN = frozenset("的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年")


def decode_text(data: bytes) -> str:
    """The text of a file, without byte order mark, with `\\n` at line ends.

    Order: byte order mark, UTF-8, GB 18030 when common Chinese characters come out, Japanese
    when kana do, then a statistical guess.

    Raises:
        FileError: code `bad_encoding`, when no encoding fits.
    """
    return _decode(data).replace("\r\n", "\n").replace("\r", "\n")


def _decode(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode_strictly(data, encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    for attempt in (_try_gb18030, _try_japanese):
        if (text := attempt(data)) is not None:
            return text
    best = from_bytes(data[:_SAMPLE_BYTES], cp_isolation=_GUESSES).best()
    if best is None and (text := _try_japanese(data, least_kana=0)) is not None:
        return text  # a few names, without kana
    if best is None:
        raise FileError(
            "its characters are in no known encoding", code="bad_encoding", remedy="save it as UTF-8"
        )
    return _decode_strictly(data, best.encoding)


def _try_gb18030(data: bytes) -> str | None:
    """GB 18030 accepts nearly anything, so the text must also look Chinese."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    han = [c for c in text[:_SAMPLE_BYTES] if "\u4e00" <= c <= "\u9fff"]
    return text if han and sum(c in _COMMON_HAN for c in han) >= 0.08 * len(han) else None


def _try_japanese(data: bytes, least_kana: float = 0.2) -> str | None:
    """The code page of Japanese Windows, when kana come out. Half-width ones speak against
    it, for nearly any bytes give them."""
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        return None
    wide = [c for c in text if c > "\u2e7f"]
    kana = sum("\u3041" <= c <= "\u30ff" for c in wide)
    is_clean = not any("\uff61" <= c <= "\uff9f" for c in wide)
    return text if wide and is_clean and kana >= least_kana * len(wide) else None


def _decode_strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as exc:
        raise FileError(
            f"it begins as {encoding} but byte {exc.start} is not",
            code="bad_encoding",
            remedy="save it as UTF-8",
        ) from exc
