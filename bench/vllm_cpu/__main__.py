"""`make test-vllm`: the contract of `ChatModel` against a real vLLM server, then its speed.

`python -m bench.vllm_cpu --python .venv-vllm/bin/python`. Ends with the code of the tests; the speed is
written to bench/results/vllm.json when they pass.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

from bench.vllm_cpu.server import MODEL, RunningServer, running_server
from bench.vllm_cpu.speed import measure
from evals.record import write_result

HERE = Path(__file__).parent
TESTS = "tests/contracts/test_chat_model.py::TestVllm"
REPORTED = ("vllm-cpu", "torch", "xgrammar")


def test(server: RunningServer) -> int:
    """The exit code of the contract's tests against this server."""
    where = {
        "ATTEST_TEST_VLLM_URL": server.base_url,
        "ATTEST_TEST_VLLM_MODEL": MODEL,
        "ATTEST_TEST_VLLM_KEY": server.api_key,
    }
    command = [sys.executable, "-m", "pytest", "-v", TESTS]
    return subprocess.run(command, env=os.environ | where, check=False).returncode


def versions(python: Path) -> dict[str, str]:
    """Of what the server is made of."""
    libraries = [str(path) for path in python.parent.parent.glob("lib/python*/site-packages")]
    found = {found.name.lower(): found.version for found in distributions(path=libraries)}
    return {name: found[name] for name in REPORTED}


def run(python: Path) -> int:
    """Weights, server, tests, speed."""
    home = python.parent.parent
    weights = home / "weights" / "smollm2-135m"
    print(f"==> weights of {MODEL}", flush=True)
    subprocess.run([python, "-I", HERE / "weights.py", weights], check=True)
    print("==> vLLM starts, which takes a minute or two", flush=True)
    with running_server(python, weights, home / "server.log") as server:
        print(f"==> ready after {server.ready_s:.0f} s; the contract of ChatModel", flush=True)
        if code := test(server):
            return code
        print("==> its speed", flush=True)
        speed = asyncio.run(measure(server.base_url, MODEL, server.api_key))
    about = {"model": MODEL, "versions": versions(python), "ready_s": round(server.ready_s, 1)}
    write_result("vllm", "make test-vllm", about | speed)
    print("==> shown in docs/chat-models.md by: python -m bench.tables")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.vllm_cpu")
    parser.add_argument("--python", type=Path, required=True, help="of the environment of vLLM")
    # An end from outside unwinds like any other, so that the server is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(run(parser.parse_args().python.absolute()))
