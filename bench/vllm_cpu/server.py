"""Starts vLLM's own server on loopback, with a key, and stops it however the work ends.

Knows its flags and its process; knows nothing of what is asked of it.
"""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

FLAGS = (
    "--enable-prefix-caching",
    "--enable-prompt-tokens-details",
    "--enable-auto-tool-choice",
    "--tool-call-parser=hermes",
    '--structured-outputs-config={"backend":"xgrammar","disable_any_whitespace":true}',
)
"""What Attest asks of a vLLM server, on a GPU too (docker-compose.yml)."""
MODEL = "smollm2-135m-instruct"
MODEL_TOKENS = 4096
CACHE_GB = 2
START_TIMEOUT_S = 600.0
STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where it listens, and how long it took to be ready."""

    base_url: str
    api_key: str
    ready_s: float


@contextmanager
def running_server(python: Path, weights: Path, log: Path) -> Iterator[RunningServer]:
    """The server, as long as this lasts; what it says goes to `log`. Raises SystemExit with its last
    words when it does not start."""
    begun, port, key = time.perf_counter(), _free_port(), secrets.token_urlsafe(24)
    with log.open("w", encoding="utf-8") as out:
        server = subprocess.Popen(
            [str(python), "-m", "vllm.entrypoints.openai.api_server", *_arguments(weights, port)],
            env=_environment(python, key),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(server, f"http://127.0.0.1:{port}/health", log)
        yield RunningServer(f"http://127.0.0.1:{port}/v1", key, time.perf_counter() - begun)
    finally:
        _stop(server)


def _arguments(weights: Path, port: int) -> list[str]:
    return [
        f"--model={weights}", f"--served-model-name={MODEL}", f"--max-model-len={MODEL_TOKENS}",
        "--host=127.0.0.1", f"--port={port}", *FLAGS,
    ]  # fmt: skip


def _environment(python: Path, key: str) -> dict[str, str]:
    libraries = python.parent.parent / "lib"
    preloaded = [str(path) for path in libraries.glob("libiomp5.so")]
    return {
        **os.environ,
        # In the environment, so that the key does not stand in the process list.
        "VLLM_API_KEY": key,
        "VLLM_CPU_KVCACHE_SPACE": str(CACHE_GB),
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        # Intel's OpenMP, which the environment brings: without it the threads get into each other's way.
        **({"LD_PRELOAD": ":".join(preloaded)} if preloaded else {}),
    }


def _wait(server: subprocess.Popen, health: str, log: Path) -> None:
    ends = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise SystemExit(f"vLLM did not start:\n{_last_words(log)}")
        try:
            if httpx.get(health, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(1)
    raise SystemExit(f"vLLM was not ready after {START_TIMEOUT_S:.0f} s:\n{_last_words(log)}")


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])


def _stop(server: subprocess.Popen) -> None:
    """The server and its engine, which is a process of its own in the same group."""
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
