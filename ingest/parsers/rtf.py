"""RTF to elements: a reader of its groups and control words.

striprtf gives a string only: headings, lists and tables are gone, and it stops at a Chinese
character whose second byte stands unescaped, as many programs write it. Here bytes in a code
page are gathered until something else comes, then decoded.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from core.errors import FileError
from core.types import Element
from ingest.parsers.media_types import RTF
from ingest.parsers.rtf_blocks import Blocks

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
_HEADING_STYLE = re.compile(rb"\b(?:heading|Heading)\s*([1-9])")
_CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251",
    222: "cp874", 238: "cp1250",
}  # fmt: skip
_SKIPPED = frozenset(
    b"fonttbl colortbl stylesheet info pict object header headerl headerr headerf footer footerl footerr "
    b"footerf fldinst themedata colorschememapping datastore xmlnstbl listtable listoverridetable rsidtbl "
    b"generator filetbl revtbl latentstyles annotation atnid atnauthor atrfstart atrfend bkmkstart bkmkend "
    b"private tc xe nonesttables pgptbl mmathPr objdata blipuid nonshppict".split()
)
_SHOWN_IN_STAR = frozenset(b"shppict fldrslt shptxt".split())
_CHARACTERS = {
    b"line": "\n", b"tab": "\t", b"emdash": "—", b"endash": "–", b"bullet": "•", b"lquote": "‘",
    b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"emspace": " ", b"enspace": " ", b"qmspace": " ",
}  # fmt: skip
_MAX_GROUPS = 5000


class RtfParser:
    """The parser of .rtf files."""

    media_types: ClassVar[frozenset[str]] = frozenset({RTF})

    def parse(self, path: Path) -> list[Element]:
        """The elements in the order of the file; pictures, headers and footers are left out.

        Raises:
            FileError: `corrupt`.
        """
        return parse_rtf(path.read_bytes())


def parse_rtf(data: bytes) -> list[Element]:
    """Elements of an RTF text; see RtfParser.parse."""
    reader = _Reader(data)
    reader.run()
    return reader.blocks.found


@dataclass(frozen=True, slots=True)
class _Group:
    """What a closing brace brings back."""

    skipped: bool = False
    starred: bool = False
    in_fonts: bool = False
    in_styles: bool = False
    in_bullet: bool = False
    encoding: str = ""
    unicode_skip: int = 1


class _Reader:
    """Reads one text once."""

    def __init__(self, data: bytes) -> None:
        self.blocks = Blocks()
        self._data = data
        self._group = _Group()
        self._stack: list[_Group] = []
        self._bytes = bytearray()
        self._surrogate = ""
        self._to_skip = 0
        self._code_page = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = self._style = 0
        self._style_text = bytearray()
        self._words = self._word_table()

    def run(self) -> None:
        """Goes through all tokens; what is after the outer group is no part of the text."""
        at, size = 0, len(self._data)
        while at < size:
            match = _TOKEN.match(self._data, at)
            if match is None:
                at += 1
                continue
            at = match.end()
            word, argument, code, symbol, brace, text = match.groups()
            if word:
                number = int(argument) if argument is not None else None
                if word == b"bin":
                    at += max(0, number or 0)
                else:
                    self._take_word(word, number)
            elif code:
                self._take_bytes(bytes([int(code, 16)]))
            elif text:
                self._take_bytes(text)
            elif symbol:
                self._take_symbol(symbol)
            elif brace == b"{":
                self._open()
            elif brace and not self._close():
                break
        self._flush()
        self.blocks.close()

    def _open(self) -> None:
        self._flush()
        if len(self._stack) > _MAX_GROUPS:
            raise FileError("it is nested too deeply", code="corrupt", remedy="save it again")
        self._stack.append(self._group)
        self._group = replace(self._group, starred=False)
        self._to_skip = 0

    def _close(self) -> bool:
        """Whether there is more to come."""
        self._flush()
        if self._group.in_styles:
            self._end_style()
        if self._stack:
            self._group = self._stack.pop()
        self._to_skip = 0
        return bool(self._stack)

    def _take_bytes(self, data: bytes) -> None:
        if self._to_skip:
            skipped = min(self._to_skip, len(data))
            self._to_skip -= skipped
            data = data[skipped:]
        if self._group.in_styles:
            self._style_text += data
        elif not self._group.skipped:
            self._bytes += data

    def _flush(self) -> None:
        if self._bytes:
            encoding = self._group.encoding or self._code_page
            text, self._bytes = bytes(self._bytes).decode(encoding, "replace"), bytearray()
            self._emit(text)

    def _emit(self, text: str) -> None:
        if not self._group.skipped:
            self.blocks.add(text, in_bullet=self._group.in_bullet)

    def _take_symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._group = replace(self._group, starred=True)
        elif symbol in b"\\{}":
            self._take_bytes(symbol)
        elif symbol in b"\r\n":
            self._take_word(b"par", None)
        else:
            self._flush()
            self._emit({b"~": " ", b"_": "-"}.get(symbol, ""))

    def _take_word(self, word: bytes, number: int | None) -> None:
        if word == b"u" and number is not None:
            self._take_unicode(number)
            return
        self._flush()
        self._to_skip = 0
        starred = self._group.starred
        if word in _SKIPPED or (starred and word not in _SHOWN_IN_STAR):
            self._group = replace(
                self._group,
                skipped=True,
                starred=False,
                in_fonts=word == b"fonttbl" or self._group.in_fonts,
                in_styles=word == b"stylesheet" or self._group.in_styles,
            )
        elif word in (b"listtext", b"pntext"):
            self._group = replace(self._group, in_bullet=True, starred=False)
        elif word in _CHARACTERS:
            self._emit(_CHARACTERS[word])
        elif action := self._words.get(word):
            action(number)

    def _take_unicode(self, number: int) -> None:
        self._flush()
        self._to_skip = self._group.unicode_skip
        code = number + 0x10000 if number < 0 else number
        if 0xD800 <= code < 0xDC00:
            self._surrogate = chr(code)
        elif 0xDC00 <= code < 0xE000:
            pair = (self._surrogate + chr(code)).encode("utf-16-le", "surrogatepass")
            self._surrogate = ""
            self._emit(pair.decode("utf-16-le", "replace"))
        elif 0 < code < 0x110000:
            self._emit(chr(code))

    def _word_table(self) -> dict[bytes, Callable[[int | None], None]]:
        blocks = self.blocks

        def visible(action: Callable[[], None]) -> Callable[[int | None], None]:
            return lambda _: None if self._group.skipped else action()

        return {
            b"par": visible(blocks.end_paragraph),
            b"sect": visible(blocks.end_paragraph),
            b"page": visible(blocks.end_paragraph),
            b"pard": visible(blocks.reset),
            b"intbl": visible(blocks.enter_table),
            b"cell": visible(blocks.end_cell),
            b"nestcell": visible(blocks.end_cell),
            b"row": visible(blocks.end_row),
            b"outlinelevel": self._outline,
            b"s": self._set_style,
            b"f": self._set_font,
            b"fcharset": self._set_charset,
            b"ansicpg": self._set_code_page,
            b"uc": self._set_unicode_skip,
            b"plain": lambda _: self._set_encoding(""),
        }

    def _outline(self, number: int | None) -> None:
        if self._group.in_styles:
            self.blocks.styles[self._style] = min(6, (number or 0) + 1) if (number or 0) < 9 else 0
        elif not self._group.skipped:
            self.blocks.set_level((number or 0) + 1 if (number or 0) < 9 else 0)

    def _set_style(self, number: int | None) -> None:
        if self._group.in_styles:
            self._style = number or 0
        elif not self._group.skipped:
            self.blocks.set_level(self.blocks.styles.get(number or 0, 0))

    def _end_style(self) -> None:
        """The name of a style ends its group."""
        if match := _HEADING_STYLE.search(bytes(self._style_text)):
            self.blocks.styles.setdefault(self._style, min(6, int(match.group(1))))
        self._style_text = bytearray()

    def _set_font(self, number: int | None) -> None:
        if self._group.in_fonts:
            self._font = number or 0
        else:
            self._set_encoding(self._fonts.get(number or 0, ""))

    def _set_charset(self, number: int | None) -> None:
        if self._group.in_fonts and number in _CHARSETS:
            self._fonts[self._font] = _CHARSETS[number]

    def _set_code_page(self, number: int | None) -> None:
        name = {936: "gb18030", 65001: "utf-8", 10000: "mac_roman"}.get(number or 0, f"cp{number}")
        try:
            codecs.lookup(name)
        except LookupError:
            return
        self._code_page = name

    def _set_unicode_skip(self, number: int | None) -> None:
        self._group = replace(self._group, unicode_skip=max(0, min(number or 0, 100)))

    def _set_encoding(self, name: str) -> None:
        self._group = replace(self._group, encoding=name)
