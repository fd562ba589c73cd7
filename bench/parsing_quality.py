"""What the parsers make of public PDF files, scans and pictures.

`ATTEST_EVAL_DATA=… python -m bench.parsing_quality` reads each file in the limited process and
writes bench/results/parsing_quality.json: seconds, elements, the share of expected words (Latin
words, single Chinese characters) and of neighbouring pairs of them that are found. What is
expected: for PubTabNet the cells, for markitdown the strings of its tests, for docling its own
output (a regression, no truth), else the text layer.
"""

import argparse
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pypdfium2

from core.errors import FileError
from core.settings import IngestSettings
from core.text import CJK
from evals.record import write_result
from ingest.isolation import ProcessParserRunner
from ingest.media_types import detect_media_type
from ingest.parser_pool import ParserPool
from ingest.parsing import ParserRunner

_WORD = re.compile(f"[{CJK}]|[^\\W_{CJK}]+")
_MARKUP = re.compile(r"<!--.*?-->|<[^>]+>|!\[[^\]]*\]\([^)]*\)")
_BROKEN = re.compile(r"(?:[\x02\ufffe\xad]|(?<=[a-z])-(?=\r?\n[a-z]))(?:\r?\n)?")
_KINDS = {".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"}
# What a person reads in the pictures of RapidOCR.
_SEEN = {
    "text_vertical_words.png": "有評是是非非之士師也 是非不得問之人要取之 已取之時不參一人見而",
    "en.jpg": "MovieShots Dataset: To facilitate the shot type analysis in videos, we collect MovieShots",
    "ch_en_num.jpg": "正品促销 大桶装更划算 强力去污 深度防冻不结冰 10.0 5.8",
}
_SETS = ("rapidocr", "docling", "unstructured", "pubtabnet_examples", "markitdown")


@dataclass(frozen=True, slots=True)
class Case:
    """A file with what should be found in it; `truth` says where that comes from."""

    path: Path
    truth: str
    text: str


def words(text: str) -> list[str]:
    """Lower-case Latin words and single Chinese characters."""
    return [word.lower() for word in _WORD.findall(text)]


def share(expected: Sequence, found: Sequence) -> float:
    """Of the expected items, each as often as it is expected, how many are there."""
    have, want = Counter(found), Counter(expected)
    return sum(min(count, have[item]) for item, count in want.items()) / max(1, sum(want.values()))


def cases(data: Path) -> Iterator[tuple[str, Case]]:
    """Every file of the sets, with its set."""
    cells, strings = _pubtabnet(data), _markitdown(data)
    for name in _SETS:
        for path in sorted((data / name).rglob("*")):
            if path.suffix.lower() not in _KINDS:
                continue
            if path.name in cells:
                yield name, Case(path, "cells", cells[path.name])
            elif path.name in _SEEN:
                yield name, Case(path, "some words in it", _SEEN[path.name])
            elif path.name in strings:
                yield name, Case(path, "strings of its tests", strings[path.name])
            elif name == "docling" and (text := _docling(path)):
                yield name, Case(path, "docling's output", text)
            elif path.suffix == ".pdf" and (text := _text_layer(path)).strip():
                yield name, Case(path, "text layer", text)
            else:
                yield name, Case(path, "", "")


def _pubtabnet(data: Path) -> dict[str, str]:
    file = data / "pubtabnet_examples" / "PubTabNet_Examples.jsonl"
    if not file.exists():
        return {}
    rows = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line)
    return {
        row["filename"]: " ".join(
            _MARKUP.sub("", "".join(cell["tokens"])) for cell in row["html"]["cells"] if cell["tokens"]
        )
        for row in rows
    }


def _markitdown(data: Path) -> dict[str, str]:
    file = data / "markitdown" / "expectations.json"
    if not file.exists():
        return {}
    rows = json.loads(file.read_text(encoding="utf-8"))
    return {row["filename"]: "\n".join(row["must_include"]) for row in rows if row["must_include"]}


def _docling(path: Path) -> str:
    truth = path.parent.parent / "groundtruth"
    stem = "ocr_test" if path.stem.startswith("ocr_test") else path.stem
    found = sorted([*truth.glob(f"{path.stem}.md"), *truth.glob(f"rapidocr/full_page/{stem}.*.md")])
    return _MARKUP.sub(" ", found[0].read_text(encoding="utf-8")) if found else ""


def _text_layer(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        text = "\n".join(page.get_textpage().get_text_range() for page in document)
        return _BROKEN.sub("", text)
    except pypdfium2.PdfiumError:
        return ""
    finally:
        document.close()


def measure(case: Case, runner: ParserRunner) -> dict:
    """One file."""
    started = time.monotonic()
    try:
        parsed = runner.parse(case.path, detect_media_type(case.path, case.path.name))
    except FileError as error:
        return {"seconds": round(time.monotonic() - started, 2), "code": error.code, "reason": str(error)}
    row = {
        "seconds": round(time.monotonic() - started, 2),
        "pages": parsed.pages,
        "elements": dict(Counter(str(element.kind) for element in parsed.elements)),
    }
    text = "\n".join(element.text for element in parsed.elements)
    row["words"] = len(words(text))
    if case.truth:
        expected, found = words(case.text), words(text)
        row["truth"] = case.truth
        row["found"] = round(share(expected, found), 4)
        row["pairs found"] = round(share(list(pairwise(expected)), list(pairwise(found))), 4)
        row["expected"] = len(expected)
    return row


def summary(rows: dict[str, dict]) -> dict:
    """Over all files of a set: files, failures, the words found of all that are expected."""
    judged = [row for row in rows.values() if "found" in row]
    unjudged = len(rows) - len(judged)
    expected = sum(row["expected"] for row in judged)
    return {
        "files": len(rows),
        "without expectations": unjudged,
        "failed": {name: row["code"] for name, row in rows.items() if "code" in row},
        "found": round(sum(row["found"] * row["expected"] for row in judged) / max(1, expected), 4),
        "pairs found": round(
            sum(row["pairs found"] * row["expected"] for row in judged) / max(1, expected), 4
        ),
        "seconds": round(sum(row["seconds"] for row in rows.values()), 1),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when no parse crashed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("ATTEST_EVAL_DATA"), help="public sets")
    parser.add_argument("--only", default="", help="files whose path holds this")
    options = parser.parse_args(arguments)
    if not options.data or not Path(options.data).is_dir():
        sys.exit("name the folder of public sets with --data or ATTEST_EVAL_DATA")
    settings = IngestSettings()
    limit_s = settings.parse_timeout_s
    runner = ParserPool(
        lambda: ProcessParserRunner(limit_s, settings.parse_memory_mb, reads_pictures=False),
        1,
        lambda: ProcessParserRunner(limit_s, settings.ocr_memory_mb),
    )
    sets: dict[str, dict[str, dict]] = {}
    for name, case in cases(Path(options.data)):
        place = case.path.relative_to(options.data).as_posix()
        if options.only in place:
            row = measure(case, runner)
            sets.setdefault(name, {})[place] = row
            print(f"{place}: {json.dumps(row, ensure_ascii=False)}", file=sys.stderr)
    runner.close()
    result = {"sets": {name: {**summary(rows), "by file": rows} for name, rows in sets.items()}}
    if options.only:
        print(json.dumps(result, ensure_ascii=False, indent=1))
    else:
        write_result("parsing_quality", "python -m bench.parsing_quality", result)
    failed = [row["code"] for found in sets.values() for row in found.values() if "code" in row]
    return int(any(code.startswith("parse_") for code in failed))


if __name__ == "__main__":
    sys.exit(main())
