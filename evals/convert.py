"""`python -m evals.convert NAME SOURCE_FOLDER OUT_DIR`: public data sets to the layouts of `attest eval`.

NAME is one of the families below, or `all`, for which SOURCE_FOLDER holds the folder of
each family; those that are not there are passed over with a word. A set for retrieval becomes
a folder of its own in OUT_DIR, in the BEIR layout; one for answers (`…-answers`) a file of
JSON lines.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import AttestError, InputError
from evals.beir import RetrievalSet, write_retrieval_set
from evals.datasets import answer_sets
from evals.datasets.abstracts import convert_cacm, convert_cranfield
from evals.datasets.locomo import convert_locomo
from evals.datasets.rgb import convert_rgb
from evals.datasets.squad import convert_cmrc, convert_drcd, convert_mixed, convert_xquad
from evals.datasets.tables import convert_imtqa, convert_tatqa

# Name: the folder below SOURCE_FOLDER of `all`, and the converter.
FAMILIES: dict[str, tuple[str, Callable[[Path], Iterator[RetrievalSet]]]] = {
    "cmrc2018": ("cmrc2018", convert_cmrc),
    "drcd": ("drcd", convert_drcd),
    "xquad": ("xquad", convert_xquad),
    "mixed": ("xquad", convert_mixed),
    "cranfield": ("cranfield", convert_cranfield),
    "cacm": ("cacm", convert_cacm),
    "rgb": ("rgb", convert_rgb),
    "tatqa": ("tatqa", convert_tatqa),
    "imtqa": ("imtqa_zh", convert_imtqa),
    "locomo": ("locomo", convert_locomo),
}

ANSWERS: dict[str, tuple[str, Callable[[Path], Iterator[tuple[str, list[dict]]]]]] = {
    "rgb-answers": ("rgb", answer_sets.rgb_sets),
    "clapnq-answers": ("clapnq", answer_sets.clapnq_sets),
    "squad2-answers": ("squad2_zh", answer_sets.squad2_sets),
}


def convert(name: str, source: Path, target: Path) -> list[Path]:
    """The folders and files written; `all` are those for retrieval.

    Raises:
        InputError: no such family, or a file of it is missing or of another shape.
    """
    if name == "all":
        there = [family for family, (folder, _) in FAMILIES.items() if (source / folder).is_dir()]
        if not there:
            raise InputError(f"{source} holds no known set", remedy=f"known: {', '.join(FAMILIES)}")
        return [path for f in there for path in _convert_family(f, source / FAMILIES[f][0], target)]
    if name not in FAMILIES and name not in ANSWERS:
        known = ", ".join(["all", *FAMILIES, *ANSWERS])
        raise InputError(f"there is no converter {name!r}", remedy=f"known: {known}")
    return _convert_family(name, source, target)


def _convert_family(name: str, source: Path, target: Path) -> list[Path]:
    written = []
    try:
        if name in ANSWERS:
            return _write_answers(ANSWERS[name][1](source), target)
        for data in FAMILIES[name][1](source):
            write_retrieval_set(target / data.name, data)
            written.append(target / data.name)
    except OSError as exc:
        raise InputError(f"{name}: {exc.filename}: {exc.strerror}", remedy="name the set's folder") from exc
    except (KeyError, ValueError) as exc:
        raise InputError(
            f"{name}: {source} has another shape ({type(exc).__name__}: {exc})",
            remedy="see the converter in evals/datasets",
        ) from exc
    return written


def _write_answers(sets: Iterator[tuple[str, list[dict]]], target: Path) -> list[Path]:
    """Raises ValueError when there is no set."""
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for name, rows in sets:
        path = target / f"{name}.jsonl"
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    if not written:
        raise ValueError("no known file")
    return written


def main() -> None:
    """Reads the command line and names each folder or file on stdout."""
    parser = argparse.ArgumentParser(prog="python -m evals.convert")
    parser.add_argument("name", help=", ".join(["all", *FAMILIES, *ANSWERS]))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    try:
        for path in convert(arguments.name, arguments.source, arguments.target):
            print(path)
    except AttestError as exc:
        sys.exit(str(exc))


if __name__ == "__main__":
    main()
