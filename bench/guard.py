"""The grounding guard on every set of claims, beside plain baselines: bench/results/guard_probed.json, or
guard.json of the small reader alone.

`python -m bench.guard EVALS_FOLDER [--alone]`. Knows the command line; measures nothing itself.
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
    parser.add_argument("--alone", action="store_true", help="without the second reading")
    asked = parser.parse_args()
    job = GuardJob(None, (ALL,), asked.folder, asked.limit)
    settings = Settings()
    guard = settings.guard.model_copy(update={"probes": "off" if asked.alone else "on"})
    settings = settings.model_copy(update={"guard": guard})
    figures = run_guard(job, settings, lambda text: print(text, file=sys.stderr))
    flags = f" --limit {asked.limit}" if asked.limit else ""
    flags += " --alone" if asked.alone else ""
    name = "guard" if asked.alone else "guard_probed"
    write_result(name, f"python -m bench.guard EVALS_FOLDER{flags}", figures)


if __name__ == "__main__":
    main()
