"""Measures parsing: are the strings of a list in what the parsers make of the files?

Reads `[{"filename", "must_include": [], "must_not_include": []}]`, parses each named file
through the product's own limited process and compares. Knows parsers; no index, no model.

Lists are often written for programs that give Markdown. What a string says is looked for
without its markup (`plain_words`), on both sides; a string that is markup alone, such as a
link's target, says nothing and is counted apart. Forbidden strings are looked for as they
stand, white space aside.
"""

import json
import re
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import FileError, InputError
from core.settings import IngestSettings
from core.types import Element, ElementKind
from ingest.cleaning.cleaner import Cleaner
from ingest.discover import FoundFile, RefusedFile, find_candidates, inspect_file
from ingest.parsing import ParsedFile, ParserRunner

_SPACE = re.compile(r"\s+")
_IMAGE_OR_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_OPEN_LINK = re.compile(r"\]\([^)]*(?:\)|$)|!?\[|\]")
_DATA_URI = re.compile(r"data:\w+/[\w+.-]+[;,]\S*")
_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,})\w*\s*$", re.MULTILINE)
_LINE_MARKS = re.compile(r"^\s*(?:#{1,6}\s+|>\s+|[*+-]\s+|\|?(?:\s*:?-{3,}:?\s*\|)+\s*$)", re.MULTILINE)
_INLINE_MARKS = re.compile(r"[*`|\\]|(?<!\w)_+|_+(?!\w)")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one file must and must not give."""

    filename: str
    must_include: tuple[str, ...] = ()
    must_not_include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What became of one file: elements, or a failure with its code."""

    name: str
    seconds: float
    parsed: ParsedFile | None = None
    error: FileError | None = None


def evaluate_parsing(
    folder: Path,
    expectations: Sequence[Expectation] | None,
    runner: ParserRunner,
    max_file_bytes: int,
    tell: Callable[[str], None] = lambda _: None,
) -> dict:
    """The report; without expectations every file of the folder is parsed and none is judged.

    Raises:
        InputError: no such folder, or it holds none of the files.
    """
    files = _files_of(folder)
    wanted = expectations if expectations is not None else [Expectation(name) for name in _once(files)]
    names = list(dict.fromkeys(e.filename for e in wanted if e.filename in files))
    if not names:
        raise InputError(f"{folder} holds none of the files to be read", remedy="check DIR and --expect")
    read = {}
    for number, name in enumerate(names, start=1):
        tell(f"{number}/{len(names)} {name}")
        read[name] = _read(files[name], name, runner, max_file_bytes)
    rows = [_judge(e, read[e.filename]) for e in wanted if e.filename in read]
    return _report(rows, list(read.values()), [e.filename for e in wanted if e.filename not in read])


def read_expectations(path: Path) -> list[Expectation]:
    """The list in a file.

    Raises:
        InputError: it is no such list.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [
            Expectation(
                str(row["filename"]),
                tuple(str(text) for text in row.get("must_include", ())),
                tuple(str(text) for text in row.get("must_not_include", ())),
            )
            for row in rows
        ]
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror}", remedy="name a list of strings") from exc
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise InputError(
            f"{path} is not a list of expectations: {exc}",
            remedy='write [{"filename": "a.docx", "must_include": ["text"], "must_not_include": []}]',
        ) from exc


def plain_words(text: str) -> str:
    """A text without Markdown marks, link targets, embedded data and white space, in NFKC."""
    text = _DATA_URI.sub(" ", text)
    text = _OPEN_LINK.sub(" ", _IMAGE_OR_LINK.sub(r"\1", text))
    text = _INLINE_MARKS.sub("", _LINE_MARKS.sub("", _FENCE.sub("", text)))
    return _SPACE.sub("", unicodedata.normalize("NFKC", text))


def to_markdown(elements: Sequence[Element]) -> str:
    """Elements as people would write them down."""
    return "\n\n".join(_blocks(elements))


def _blocks(elements: Sequence[Element]) -> Iterator[str]:
    for element in elements:
        if element.kind is ElementKind.TITLE:
            yield f"{'#' * max(1, element.level)} {element.text}"
        elif element.kind is ElementKind.CODE and not element.text.startswith("```"):
            yield f"```\n{element.text}\n```"
        else:
            yield element.text


def _files_of(folder: Path) -> dict[str, Path]:
    """Files by their path below the folder, and by their bare name where it is the only one."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}", remedy="name the folder of the files")
    found: dict[str, Path] = {}
    bare: dict[str, list[Path]] = {}
    for candidate in find_candidates([folder], None):
        bare.setdefault(candidate.path.name, []).append(candidate.path)
        if candidate.path.is_relative_to(folder.resolve()):
            found[candidate.path.relative_to(folder.resolve()).as_posix()] = candidate.path
    found.update({name: paths[0] for name, paths in bare.items() if len(paths) == 1})
    return found


def _once(files: dict[str, Path]) -> list[str]:
    """Each file by its path below the folder."""
    return list({path: name for name, path in reversed(files.items())}.values())[::-1]


def _read(path: Path, name: str, runner: ParserRunner, max_file_bytes: int) -> ReadFile:
    [candidate] = find_candidates([path], None)
    started = time.monotonic()
    found = inspect_file(candidate, max_file_bytes)
    try:
        if isinstance(found, RefusedFile):
            raise found.error
        if not isinstance(found, FoundFile):
            raise FileError("it is a folder", code="unknown_type")
        # Without what nobody sees, as it is indexed.
        parsed = Cleaner(IngestSettings()).clean(runner.parse(found.path, found.media_type))
    except FileError as error:
        return ReadFile(name, time.monotonic() - started, error=error)
    return ReadFile(name, time.monotonic() - started, parsed)


def _judge(expected: Expectation, read: ReadFile) -> dict:
    text = to_markdown(read.parsed.elements) if read.parsed else ""
    words, literal = plain_words(text), _SPACE.sub("", text)
    with_words = [s for s in expected.must_include if plain_words(s)]
    return {
        "filename": expected.filename,
        "expected": len(with_words),
        "missing": [s for s in with_words if plain_words(s) not in words],
        "markup_only": [s for s in expected.must_include if not plain_words(s)],
        "verbatim": sum(s in text for s in expected.must_include),
        "must_not": len(expected.must_not_include),
        "forbidden": [s for s in expected.must_not_include if _SPACE.sub("", s) in literal],
        "warnings": [f"{words} ({code})" for code, words in getattr(read.parsed, "warnings", ())],
        "code": read.error.code if read.error else None,
        "reason": read.error.message if read.error else None,
        "elements": len(read.parsed.elements) if read.parsed else 0,
        "chars": sum(len(e.text) for e in read.parsed.elements) if read.parsed else 0,
        "pages": read.parsed.pages if read.parsed else 0,
        "seconds": round(read.seconds, 3),
    }


def _report(rows: list[dict], read: list[ReadFile], absent: list[str]) -> dict:
    expected = sum(row["expected"] for row in rows)
    missing = sum(len(row["missing"]) for row in rows)
    pages = sum(max(1, file.parsed.pages) for file in read if file.parsed)
    seconds = sum(file.seconds for file in read if file.parsed)
    return {
        "found": round((expected - missing) / expected, 4) if expected else None,
        "failed_files": sum(file.error is not None for file in read),
        "pages_per_second": round(pages / seconds, 2) if seconds else None,
        "counts": {
            "files": len(read),
            "strings": expected,
            "found": expected - missing,
            "markup_only": sum(len(row["markup_only"]) for row in rows),
            "verbatim": sum(row["verbatim"] for row in rows),
            "must_not": sum(row["must_not"] for row in rows),
            "forbidden": sum(len(row["forbidden"]) for row in rows),
            "empty_without_reason": sum(
                file.error is None and not any(e.text.strip() for e in file.parsed.elements) for file in read
            ),
        },
        "failures": [
            {"filename": file.name, "code": file.error.code, "reason": file.error.message}
            for file in read
            if file.error
        ],
        "absent_files": sorted(set(absent)),
        "files": rows,
    }
