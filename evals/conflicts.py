"""Whether documents that disagree are noticed: `python -m evals.conflicts RAMDOCS_FILE`.

RAMDocs: questions with documents of which some are right, some state another answer (`misinfo`) and
some are noise. The claim is the first sentence of a right document that holds the right answer, as
if an answer quoted it; a rival counts as found when it holds a wrong answer. Most of those that
are missed state their answer in other words, or only elsewhere in the document. No model is asked.
Writes bench/results/conflicts.json.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.binding import BoundSpan, EvidenceBinder
from agents.conflicts import find_rivals
from core.text import normalise
from core.types import Chunk
from evals.record import write_result


class NoVectors:
    """Stands in for the embedder: by rule no vector is looked at."""

    def embed_tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """The same for each."""
        return [np.ones((1, 2), np.float32)] * len(texts)


def rivals_of(row: dict) -> list[BoundSpan] | None:
    """What speaks against the claim of a row; None when no right document holds the answer."""
    documents = row["documents"]
    chunks = [Chunk(str(at), f"d{at}", at, one["text"], "", f"{at}") for at, one in enumerate(documents)]
    spans = EvidenceBinder(NoVectors()).pool(chunks).spans
    right = [span for span in spans if documents[span.chunk.order]["type"] == "correct"]
    claims = [span for span in right if _holds(span.quote, row["gold_answers"])]
    return find_rivals(claims[0].quote, claims[:1], spans) if claims else None


def measure(rows: Sequence[dict]) -> dict:
    """Counts over the rows whose right answer stands somewhere."""
    counts = dict.fromkeys(("rows", "with_misinformation", "told", "told_rightly"), 0)
    for row in rows:
        rivals = rivals_of(row)
        if rivals is None:
            continue
        counts["rows"] += 1
        counts["with_misinformation"] += any(one["type"] == "misinfo" for one in row["documents"])
        counts["told"] += bool(rivals)
        counts["told_rightly"] += any(_holds(rival.quote, row["wrong_answers"]) for rival in rivals)
    return counts | {
        "precision": round(counts["told_rightly"] / max(1, counts["told"]), 3),
        "recall": round(counts["told_rightly"] / max(1, counts["with_misinformation"]), 3),
    }


def _holds(text: str, answers: Sequence[str]) -> bool:
    folded = normalise(text)
    return any(normalise(answer) in folded for answer in answers)


def main() -> None:
    """Reads the command line and writes."""
    parser = argparse.ArgumentParser(prog="python -m evals.conflicts")
    parser.add_argument("file", type=Path)
    rows = [json.loads(line) for line in parser.parse_args().file.read_text(encoding="utf-8").splitlines()]
    write_result("conflicts", "python -m evals.conflicts EVALS/ramdocs/dev.jsonl", measure(rows))


if __name__ == "__main__":
    main()
