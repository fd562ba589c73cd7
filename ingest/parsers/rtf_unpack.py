"""The packed RTF of Outlook mails to RTF: LZFu of [MS-OXRTFCP]. Pure functions."""

import struct

from core.errors import FileError

_PRELOADED = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_WINDOW = 4096
_MAX_BYTES = 16 * 2**20


def unpack_rtf(data: bytes) -> bytes:
    """The RTF text.

    Raises:
        FileError: code `corrupt`.
    """
    if len(data) < 16:
        raise _corrupt()
    _, size, kind = struct.unpack("<II4s", data[:12])
    if kind == b"MELA":
        return data[16 : 16 + size]
    if kind != b"LZFu" or size > _MAX_BYTES:
        raise _corrupt()
    window = bytearray(_PRELOADED.ljust(_WINDOW, b"\0"))
    write, at, out = len(_PRELOADED), 16, bytearray()
    while at < len(data) and len(out) < size:
        flags = data[at]
        at += 1
        for bit in range(8):
            if flags >> bit & 1:
                if at + 1 >= len(data):
                    return bytes(out)
                offset, length = data[at] << 4 | data[at + 1] >> 4, (data[at + 1] & 15) + 2
                at += 2
                if offset == write:
                    return bytes(out)
                taken = bytearray()
                for n in range(length):
                    byte = window[(offset + n) % _WINDOW]
                    taken.append(byte)
                    window[write] = byte
                    write = (write + 1) % _WINDOW
                out += taken
            elif at < len(data):
                out.append(data[at])
                window[write] = data[at]
                write = (write + 1) % _WINDOW
                at += 1
    return bytes(out[:size])


def _corrupt() -> FileError:
    return FileError("its RTF body is damaged", code="corrupt", remedy="save it again")
