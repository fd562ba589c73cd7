"""RGB through the whole product at shares of noise: `python -m evals.rgb_answers RGB_FOLDER`.

The same questions with 0, 2 and 4 of 5 passages that do not answer, and with none that does;
those of the quarter that nothing was fitted on. Seconds a question on a CPU: `--limit` takes so
many of each part. Writes bench/results/rgb_answers.json. The chat model is that of the settings.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from app.services import Services
from core.errors import AttestError, InputError
from core.settings import load_settings
from core.telemetry import silence_libraries
from evals.answers import Row, ask_all, measure
from evals.datasets.answer_sets import NOISES, rgb_sets
from evals.record import write_result
from evals.retrieval import sample
from evals.sufficiency_data import is_asked

COMMAND = "python -m evals.rgb_answers RGB_FOLDER"


def choose_questions(folder: Path, limit: int | None) -> dict[float, list[dict]]:
    """The rows of each share of noise, of the quarter that is reported; the same questions in each."""
    chosen: dict[float, list[dict]] = {noise: [] for noise in NOISES}
    for name, rows in rgb_sets(folder):
        noise = float(name.rpartition("-")[2])
        chosen[noise] += sample([row for row in rows if is_asked(row["question"])], limit)
    if not any(chosen.values()):
        raise InputError(f"{folder} holds no part of RGB", remedy="name the folder of zh_refine.dev.jsonl …")
    return chosen


async def ask_each(services: Services, chosen: dict[float, list[dict]]) -> dict[float, list[Row]]:
    """All questions of all shares; closes the services."""
    try:
        rows = await ask_all(services, [row for rows in chosen.values() for row in rows], "default")
    finally:
        await services.aclose()
    by_id = {row.question["id"]: row for row in rows}
    return {noise: [by_id[row["id"]] for row in asked] for noise, asked in chosen.items()}


def report(rows: dict[float, list[Row]]) -> dict[str, dict]:
    """The measures of each share of noise, and of all rows together, where declining an
    answerable question counts against the precision of abstentions."""
    found = {f"noise {noise:g}": measure(asked) for noise, asked in rows.items()}
    return found | {"all": measure([row for asked in rows.values() for row in asked])}


def main() -> None:
    """Reads the command line, asks and writes."""
    parser = argparse.ArgumentParser(prog="python -m evals.rgb_answers")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, help="so many questions of each part and share of noise")
    arguments = parser.parse_args()
    silence_libraries()
    try:
        with tempfile.TemporaryDirectory(prefix="attest-eval-") as data:
            services = Services(load_settings().model_copy(update={"data": Path(data)}))
            chosen = choose_questions(arguments.folder, arguments.limit)
            rows = asyncio.run(ask_each(services, chosen))
    except AttestError as exc:
        sys.exit(str(exc))
    limited = f" --limit {arguments.limit}" if arguments.limit else ""
    write_result("rgb_answers", COMMAND + limited, {"sets": report(rows)})


if __name__ == "__main__":
    main()
