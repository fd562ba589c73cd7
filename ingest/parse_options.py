"""What a parser is told besides the file: a password, what to do with pictures, whom to ask before
OCR, whom to tell of pages. Crosses the pipe to the parse process as JSON; the password is in no log
and no argument."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def _tell_nobody(_page: int) -> None:
    return None


def _allow() -> None:
    return None


class OcrWanted(Exception):
    """A file needs OCR, and this process has not the memory for it: it must be parsed in one that
    has. No FileError, so that no parser takes it for a fault of a member."""


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """`figures`: pictures are cut out and kept; `wordless`: also those in which and about which
    nothing is written. `on_page` is called after each page that took long, so that whoever waits
    knows that it goes on; `before_ocr` before a picture is read, and may raise OcrWanted."""

    password: str = field(default="", repr=False)
    ocr: bool = True
    figures: bool = True
    wordless: bool = False
    on_page: Callable[[int], None] = _tell_nobody
    before_ocr: Callable[[], None] = _allow

    def to_json(self) -> dict:
        """For the pipe, without what only one process can hold."""
        return {
            "password": self.password,
            "ocr": self.ocr,
            "figures": self.figures,
            "wordless": self.wordless,
        }

    @staticmethod
    def from_json(
        value: Mapping,
        on_page: Callable[[int], None] = _tell_nobody,
        before_ocr: Callable[[], None] = _allow,
    ) -> "ParseOptions":
        """The inverse of to_json; missing values are the defaults."""
        return ParseOptions(
            password=str(value.get("password", "")),
            ocr=bool(value.get("ocr", True)),
            figures=bool(value.get("figures", True)),
            wordless=bool(value.get("wordless", False)),
            on_page=on_page,
            before_ocr=before_ocr,
        )
