"""Whether citations lead where they say: `python -m evals.citations EVALS_FOLDER --limit 40`.

Questions of CMRC 2018 (trial) and XQuAD (half, zh and en), of the articles that no guard is fitted on,
are asked through the real agent over their own paragraph and the three of the same file that share most
of their words. Of each answer that left:

- `resolved`: share of the citations whose quote stands, with its length, in the passage they name;
- `precision`: share of the citations that stand in the question's own paragraph;
- `recall`: of the answers that hold the known answer, share whose quotes hold it too.

`wait_ratio` is the time until the first sentence left over the time until it was written. Writes
bench/results/citations.json. Knows the asker and the index.
"""

import argparse
import asyncio
import statistics
from collections.abc import Sequence
from pathlib import Path

from app.services import Services
from core.settings import load_settings
from core.telemetry import silence_libraries
from core.types import Citation
from evals.answers import Row, ask_all
from evals.datasets.spans import answer_rows, read_pools
from evals.record import write_result
from evals.sufficiency_data import is_asked

SETS = {
    "cmrc2018-trial": "cmrc2018/cmrc2018_trial.json",
    "xquad-zh-half": "xquad/xquad.zh.half.json",
    "xquad-en-half": "xquad/xquad.en.half.json",
}
OWN = 0
"""The own paragraph is the first passage."""


def measure(rows: Sequence[Row]) -> dict:
    """The figures of one set; a share of nothing is null."""
    answered = [row for row in rows if not row.abstained]
    cited = [(row, citation) for row in answered for citation in row.answer.citations]
    right = [row for row in answered if row.right]
    waits = [ratio for row in answered if (ratio := _wait_ratio(row)) is not None]
    return {
        "n": len(rows),
        "answered": len(answered),
        "right": len(right),
        "citations": len(cited),
        "resolved": _share([_is_resolved(row, citation) for row, citation in cited]),
        "precision": _share([_passage_of(citation) == OWN for _, citation in cited]),
        "recall": _share([row.cited_right for row in right]),
        "uncited_sentences": sum(not s.citations for row in answered for s in row.answer.sentences),
        "wait_ratio": round(statistics.median(waits), 3) if waits else None,
    }


def _passage_of(citation: Citation) -> int:
    return int(citation.uri.removesuffix(".txt").rsplit("-", 1)[1])


def _is_resolved(row: Row, citation: Citation) -> bool:
    passage = row.question["passages"][_passage_of(citation)]
    is_there = " ".join(citation.quote.split()) in " ".join(passage.split())
    return bool(citation.quote) and is_there and citation.end - citation.start == len(citation.quote)


def _wait_ratio(row: Row) -> float | None:
    times = row.answer.timings_ms
    if "first_drafted" not in times or "first_sentence" not in times:
        return None
    return times["first_sentence"] / times["first_drafted"]


def _share(held: Sequence[bool]) -> float | None:
    return round(sum(held) / len(held), 4) if held else None


async def run(services: Services, folder: Path, limit: int) -> dict[str, dict]:
    """The figures of each set, and of all together."""
    figures, every = {}, []
    try:
        for name, path in SETS.items():
            questions = list(answer_rows(read_pools(folder / path, limit, name, among=is_asked), name))
            rows = await ask_all(services, questions, "default")
            figures[name] = measure(rows)
            every += rows
        return figures | {"all": measure(every)}
    finally:
        await services.aclose()


def main() -> None:
    """Reads the command line, asks and writes."""
    parser = argparse.ArgumentParser(prog="python -m evals.citations")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=40, help="questions of each set")
    given = parser.parse_args()
    silence_libraries()
    figures = asyncio.run(run(Services(load_settings()), given.folder, given.limit))
    command = f"python -m evals.citations EVALS_FOLDER --limit {given.limit}"
    write_result("citations", command, {"sets": figures})


if __name__ == "__main__":
    main()
