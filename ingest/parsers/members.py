"""The files inside a file: members of an archive, attachments of a mail.

What holds others is one document. The elements of each member stand under a heading of the
first level that is the member's name, its own headings one level lower, so that a citation
names the member. Page numbers stay; boxes go, for a page of the container cannot be drawn.

A name is only shown, never used as a path: each member is copied to a temporary file of our
own, read by the parser of its kind, and removed. What all members of a container, and of the
containers in it, may cost together is one budget.
"""

import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from core.errors import FileError
from core.types import Element, ElementKind
from ingest.memory_faults import ran_out_of_memory
from ingest.parse_options import ParseOptions
from ingest.parsers.figures import LEFT_OUT, MAX_KEPT_BYTES
from ingest.parsers.registry import parser_for

MAX_MEMBER_BYTES = 64 * 2**20
_MAX_TOTAL_BYTES = 256 * 2**20
_MAX_MEMBERS = 2000
_MAX_CHARS = 8 * 2**20
"""More text than `ingest.max_chunks` lets pass at its default."""
_MAX_DEPTH = 4
_BLOCK_BYTES = 1 << 16
_NAME_CHARS = 200
_MAX_WARNINGS = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DRIVE = re.compile(r"^[A-Za-z]:")
# What a parser may raise over a damaged member besides FileError. A defect in one parser must
# not cost the other members; memory that runs out ends the whole file.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    EOFError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@runtime_checkable
class ContainerParser(Protocol):
    """A parser of what holds other files."""

    def parse_into(self, path: Path, found: "Members") -> None:
        """Adds its own elements and its members. Raises FileError like any parser."""
        ...


@dataclass(slots=True)
class Budget:
    """What is left to spend on one file and all that is in it."""

    bytes_left: int = _MAX_TOTAL_BYTES
    members_left: int = _MAX_MEMBERS
    chars_left: int = _MAX_CHARS
    figure_bytes_left: int = MAX_KEPT_BYTES

    def take_member(self) -> None:
        """Counts one member.

        Raises:
            BudgetError: there were too many already.
        """
        self.members_left -= 1
        if self.members_left < 0:
            raise BudgetError(f"it has more than {_MAX_MEMBERS} members", code="too_large", remedy="split it")

    def take_bytes(self, count: int) -> None:
        """Counts unpacked bytes.

        Raises:
            BudgetError: there were too many already.
        """
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise BudgetError(
                f"it unpacks to more than {_MAX_TOTAL_BYTES // 2**20} MB", code="bomb", remedy="unpack it"
            )

    def take_chars(self, count: int) -> None:
        """Counts characters of text.

        Raises:
            BudgetError: there were too many already.
        """
        self.chars_left -= count
        if self.chars_left < 0:
            raise BudgetError("it holds too much text", code="too_large", remedy="split it")

    def take_figures(self, elements: Iterable[Element]) -> tuple[list[Element], int]:
        """The elements without the pictures that no longer fit, whose words stay; and how many
        those were."""
        kept, over = [], 0
        for element in elements:
            size = len(element.figure.data) if element.figure else 0
            if size > self.figure_bytes_left:
                element, size, over = replace(element, figure=None), 0, over + 1
            self.figure_bytes_left -= size
            kept.append(element)
        return [e for e in kept if e.text.strip() or e.figure], over


class BudgetError(FileError):
    """The container as a whole costs too much: what follows in it is not read."""


class Members:
    """Collects what is found in a container; `warnings` name each member that was not read."""

    def __init__(
        self,
        budget: Budget | None = None,
        within: str = "",
        depth: int = 0,
        options: ParseOptions | None = None,
    ) -> None:
        self.elements: list[Element] = []
        self.warnings: list[tuple[str, str]] = []
        self.budget = budget or Budget()
        self._within = within
        self._depth = depth
        self._options = options

    def take(self, elements: Iterable[Element]) -> None:
        """Elements of the container itself, such as the text of a mail."""
        self.elements += _placed(elements, self._within) if self._within else elements

    def add(self, name: str, content: BinaryIO) -> None:
        """Reads one member.

        Raises:
            BudgetError: the container as a whole costs too much.
        """
        self.budget.take_member()
        shown = self.shown(name)
        try:
            check_member_name(name)
            with _own_copy(content, self.budget) as copy:
                self._parse(copy, shown)
        except BudgetError:
            raise
        except FileError as error:
            self.warn(shown, error)
        except _FAULTS as exc:
            code = "parse_memory" if ran_out_of_memory(exc) else "parse_failed"
            self.warn(shown, FileError(f"its parser failed: {exc!r}"[:300], code=code))

    def warn(self, shown: str, error: FileError) -> None:
        """Notes a member that was not read; past a number of them only that there are more."""
        if len(self.warnings) < _MAX_WARNINGS:
            self.warnings.append((error.code, f"{shown}: {error.message}"))
        elif len(self.warnings) == _MAX_WARNINGS:
            self.warnings.append(("more", "and more"))

    def shown(self, name: str) -> str:
        """A member's name as people may see it: on one line, below that of its container."""
        text = _CONTROL.sub(" ", name.replace("\\", "/")).encode("utf-8", "replace").decode().strip()
        text = text[-_NAME_CHARS:] or "(no name)"
        return f"{self._within}/{text}" if self._within else text

    def below(self, name: str) -> "Members":
        """For a member that holds others, on the same budget.

        Raises:
            BudgetError: there were too many members already.
        """
        self.budget.take_member()
        return Members(self.budget, self.shown(name), self._depth + 1, self._options)

    def absorb(self, inner: "Members") -> None:
        """Takes over what was found below."""
        self.elements += inner.elements
        self.warnings += inner.warnings

    def check_depth(self) -> None:
        """Raises FileError `bomb` when this is a container too deep inside others."""
        if self._depth > _MAX_DEPTH:
            raise FileError(
                f"archives are nested more than {_MAX_DEPTH} deep", code="bomb", remedy="unpack it"
            )

    def _parse(self, copy: Path, shown: str) -> None:
        # Here, not above: what tells kinds apart needs the registry, as this module does.
        from ingest.media_types import detect_media_type

        if not copy.stat().st_size:
            raise FileError("it is empty", code="empty")
        parser = parser_for(detect_media_type(copy, shown), self._options)
        if not isinstance(parser, ContainerParser):
            elements = [e for e in parser.parse(copy) if e.text.strip() or e.figure]
            if not elements:
                raise FileError("no text was found in it", code="no_text")
            self.budget.take_chars(sum(len(e.text) for e in elements))
            elements, over = self.budget.take_figures(elements)
            if over:
                self.warn(shown, FileError(f"{over} pictures were left out", code=LEFT_OUT))
            self.elements += _placed(elements, shown)
            self.warnings += [(code, f"{shown}: {words}") for code, words in getattr(parser, "warnings", ())]
            return
        inner = Members(self.budget, shown, self._depth + 1, self._options)
        inner.check_depth()
        try:
            parser.parse_into(copy, inner)
        finally:
            self.absorb(inner)


def read_container(parser: ContainerParser, path: Path, options: ParseOptions | None) -> Members:
    """Everything in a container that is not itself a member.

    Raises:
        FileError: the container cannot be opened, or nothing in it could be read.
    """
    found = Members(options=options)
    try:
        parser.parse_into(path, found)
    except FileError as error:
        if not found.elements:
            raise
        found.warnings.append((error.code, f"the rest was not read: {error.message}"))
    if not found.elements:
        reasons = "; ".join(f"{words} ({code})" for code, words in found.warnings[:3]) or "it has no members"
        raise FileError(f"nothing in it could be read: {reasons}", code="no_text", remedy="unpack it")
    return found


def check_member_name(name: str) -> None:
    """Raises FileError `bad_name` for a name that leads out of the container. It would do no
    harm here, but says that somebody meant it to."""
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or not parts[0] or _DRIVE.match(name) or "\0" in name:
        raise FileError("its name leads out of the archive", code="bad_name", remedy="rename it")


def _placed(elements: Iterable[Element], name: str) -> Iterator[Element]:
    yield Element(ElementKind.TITLE, name, level=1)
    for element in elements:
        level = min(6, element.level + 1) if element.kind is ElementKind.TITLE else 0
        yield replace(element, level=level, box=None)


@contextmanager
def _own_copy(content: BinaryIO, budget: Budget) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(prefix="attest-member-")
    copy, size = Path(name), 0
    try:
        with open(descriptor, "wb") as file:
            while block := content.read(_BLOCK_BYTES):
                size += len(block)
                budget.take_bytes(len(block))
                if size > MAX_MEMBER_BYTES:
                    raise FileError(f"it has more than {MAX_MEMBER_BYTES // 2**20} MB", code="too_large")
                file.write(block)
        yield copy
    finally:
        copy.unlink()
