"""What cleaning finds in texts of other people, and how alike edited copies still are.

    python -m bench.cleaning found FOLDER      every string of the JSON and text files below
    python -m bench.cleaning copies FOLDER     .txt and .md files: edited copies, and each other

Prints counts with the findings themselves, so that a person can say which of them are wrong; run
it on public texts only. `copies` gives the exact similarity of shingles, which a signature estimates.
"""

import argparse
import json
import random
import statistics
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from core.instructions import excerpt, find_instructions
from core.personal_data import find_personal_data
from core.text import normalise
from ingest.cleaning.mojibake import mend
from ingest.cleaning.signatures import shingles_of

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
LEAST_CHARS = 400
_RUN = 12


def main() -> None:
    """Runs one of the two measurements."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("what", choices=("found", "copies"))
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    (print_found if given.what == "found" else print_copies)(given.folder)


def print_found(folder: Path) -> None:
    """Findings by folder and kind, the commonest first."""
    found: dict[tuple[str, str], Counter[str]] = {}
    texts = chars = 0
    for corpus, text in strings(folder):
        texts, chars = texts + 1, chars + len(text)
        for finding in find_personal_data(text):
            found.setdefault((corpus, finding.kind), Counter())[text[finding.start : finding.end]] += 1
        if order := next(find_instructions(text), None):
            found.setdefault((corpus, "instructions"), Counter())[excerpt(text, order.start)] += 1
        if mend(text) != text:
            found.setdefault((corpus, "encoding"), Counter())[excerpt(text)] += 1
    print(f"{texts} texts, {chars} characters")
    for (corpus, kind), values in sorted(found.items()):
        print(f"{corpus} {kind} {values.total()}: {values.most_common(20)}")


def strings(folder: Path) -> Iterator[tuple[str, str]]:
    """Folder and text of every string below."""
    for path in sorted(folder.rglob("*")):
        corpus = path.relative_to(folder).parts[0]
        if path.suffix == ".json":
            yield from ((corpus, text) for text in _strings_of(json.loads(path.read_text(encoding="utf-8"))))
        elif path.suffix == ".jsonl":
            for line in path.read_text(encoding="utf-8").splitlines():
                yield from ((corpus, text) for text in _strings_of(json.loads(line)))
        elif path.suffix in (".txt", ".md"):
            yield corpus, path.read_text(encoding="utf-8", errors="replace")


def _strings_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings_of(inner)


def print_copies(folder: Path) -> None:
    """Least, median similarity of edited copies for each share of edits, and the most similar
    pairs of different documents."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in (".txt", ".md")]
    documents = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in paths}
    words = {name: normalise(text).split() for name, text in documents.items() if len(text) >= LEAST_CHARS}
    draw = random.Random(5)
    for kind in ("words", "runs", "block"):
        for share in SHARES:
            likes = sorted(_alike(own, _edited(own, share, kind, draw)) for own in words.values())
            print(f"{kind} {share:.0%}: least {likes[0]:.2f}, median {statistics.median(likes):.2f}")
    pairs = [(_alike(words[one], words[other]), one, other) for one, other in combinations(words, 2)]
    for similarity, one, other in sorted(pairs, reverse=True)[:5]:
        print(f"different: {similarity:.2f} {one} {other}")


def _alike(one: list[str], other: list[str]) -> float:
    first, second = shingles_of([" ".join(one)]), shingles_of([" ".join(other)])
    return len(first & second) / max(1, len(first | second))


def _edited(words: list[str], share: float, kind: str, draw: random.Random) -> list[str]:
    """Single words replaced by others of the text, runs of twelve replaced, or one block cut."""
    edited, count = list(words), max(1, round(len(words) * share))
    if kind == "block":
        at = draw.randrange(len(words) - count + 1)
        return edited[:at] + edited[at + count :]
    if kind == "words":
        for at in draw.sample(range(len(words)), count):
            edited[at] = draw.choice(words)
        return edited
    for _ in range(max(1, count // _RUN)):
        at = draw.randrange(max(1, len(words) - _RUN))
        edited[at : at + _RUN] = [f"{draw.choice(words)}x" for _ in range(_RUN)]
    return edited


if __name__ == "__main__":
    main()
