"""`python -m evals.answer_rows RGB_FOLDER OUT_DIR`: RGB as questions with given passages.

Writes one file for each part, in the layout that `python -m evals.answers` reads: each
question once with passages of which some answer it, and every fourth once more with
passages that do not. Knows files; knows nothing of answering.
"""

import argparse
import json
from pathlib import Path

from evals.datasets.spans import RGB_PARTS, answer_rows, read_rgb, without_answer

UNANSWERABLE_EVERY = 4


def write_answer_rows(source: Path, target: Path) -> list[Path]:
    """The files written."""
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for part in RGB_PARTS:
        asked = read_rgb(source, part)
        name = f"rgb-{part.replace('_', '-')}"
        rows = [*answer_rows(asked, name)]
        rows += answer_rows(without_answer(asked[::UNANSWERABLE_EVERY], source, part), f"{name}-none")
        path = target / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        written.append(path)
    return written


def main() -> None:
    """Reads the command line and names each file on stdout."""
    parser = argparse.ArgumentParser(prog="python -m evals.answer_rows")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    for path in write_answer_rows(arguments.source, arguments.target):
        print(path)


if __name__ == "__main__":
    main()
