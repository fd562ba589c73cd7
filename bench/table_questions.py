"""Questions to tables, the half that the rules were not made on: bench/results/table_questions.json.

`python -m bench.table_questions EVALS_FOLDER`. Knows the command line; measures nothing itself.
"""

import argparse
import sys
from pathlib import Path

from core.settings import Settings
from evals.record import write_result
from evals.tables_run import ALL, TablesJob, run_tables


def main() -> None:
    """Asks all sets with the shipped settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the public sets")
    asked = parser.parse_args()
    job = TablesJob(None, (ALL,), asked.folder)
    figures = run_tables(job, Settings(), lambda text: print(text, file=sys.stderr))
    del figures["queries"]
    write_result("table_questions", "python -m bench.table_questions EVALS_FOLDER", figures)


if __name__ == "__main__":
    main()
