"""Every memory strategy on LoCoMo conversations: bench/results/memory.json.

`python -m bench.memory LOCOMO.json`. Knows the command line; measures nothing itself.
"""

import argparse
import sys
from pathlib import Path

from app.services import Services
from core.settings import load_settings
from core.telemetry import silence_libraries
from evals.memory import evaluate_memory
from evals.record import write_result


def main() -> None:
    """Measures with the embedder of the settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="conversations in the form of LoCoMo")
    asked = parser.parse_args()
    silence_libraries()
    services = Services(load_settings())
    try:
        report = evaluate_memory(asked.file, (), services.embedder, lambda text: print(text, file=sys.stderr))
    finally:
        services.close()
    del report["queries"]  # of single questions, for attest compare
    write_result("memory", "python -m bench.memory LOCOMO.json", report)


if __name__ == "__main__":
    main()
