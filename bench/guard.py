"""The grounding guard on every set of claims, beside plain baselines: bench/results/guard.json.

`python -m bench.guard EVALS_FOLDER`. Knows the command line; measures nothing itself.
"""

import argparse
import sys
from pathlib import Path

from core.settings import Settings
from evals.guard_run import ALL, GuardJob, run_guard
from evals.record import write_result


def main() -> None:
    """Runs all sets with the shipped weights and thresholds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the public sets")
    parser.add_argument("--limit", type=int, help="claims of each set, evenly")
    asked = parser.parse_args()
    job = GuardJob(None, (ALL,), asked.folder, asked.limit)
    figures = run_guard(job, Settings(), lambda text: print(text, file=sys.stderr))
    limited = f" --limit {asked.limit}" if asked.limit else ""
    write_result("guard", f"python -m bench.guard EVALS_FOLDER{limited}", figures)


if __name__ == "__main__":
    main()
