"""Questions to tables, the half that the rules were not made on: bench/results/table_questions.json.

`python -m bench.table_questions EVALS_FOLDER`. Knows the command line; measures nothing itself.
"""

import argparse
import sys
from pathlib import Path

from core.settings import load_settings
from evals.record import write_result
from evals.tables_run import ALL, TablesJob, run_tables

MODEL_SETS = ("imtqa-zh", "tatqa")


def main() -> None:
    """Asks all sets by the rules, and some of their questions of the chat model of the settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the public sets")
    parser.add_argument("--model", type=int, help="ask the chat model for plans too, of so many of each set")
    asked = parser.parse_args()
    figures = _run(TablesJob(None, (ALL,), asked.folder))
    command = "python -m bench.table_questions EVALS_FOLDER"
    if asked.model:
        planned = _run(TablesJob(None, MODEL_SETS, asked.folder, limit=asked.model, with_model=True))
        for name, found in planned["sets"].items():
            routes = {f"{route}, {asked.model}": row for route, row in found["routes"].items()}
            figures["sets"][name]["routes"] |= routes
        command += f" --model {asked.model}"
    write_result("table_questions", command, figures)


def _run(job: TablesJob) -> dict:
    figures = run_tables(job, load_settings(), lambda text: print(text, file=sys.stderr))
    del figures["queries"]
    return figures


if __name__ == "__main__":
    main()
