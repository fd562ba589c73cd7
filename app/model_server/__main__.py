"""`python -m app.model_server MODEL_PATH`: loads, says where it listens, serves until its
parent is gone. With `--prepare` it only brings a GGUF file into OpenVINO's form and says where that lies.

The parent holds our standard input open; when it ends, however it ends, the pipe closes
and this process exits. The key comes by the environment, so that `ps` does not show it.
"""

import argparse
import json
import os
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from app.model_server.engine import OpenVinoEngine, prepare_model
from app.model_server.server import create_model_app
from core.errors import AttestError
from core.telemetry import silence_libraries

KEY_VARIABLE = "ATTEST_MODEL_SERVER_KEY"


def prepare(path: Path) -> int:
    """One JSON line on stdout: {"folder": …}, or {"error", "remedy"}."""
    try:
        print(json.dumps({"folder": str(prepare_model(path))}), flush=True)
    except AttestError as exc:
        print(json.dumps({"error": exc.message, "remedy": exc.remedy}), flush=True)
        return 3
    return 0


def serve(arguments: argparse.Namespace) -> int:
    """One JSON line on stdout: {"port": …} when ready, {"error", "remedy"} when not."""
    try:
        engine = OpenVinoEngine(
            prepare_model(arguments.model), arguments.threads, arguments.cache_gb
        )
    except AttestError as exc:
        print(json.dumps({"error": exc.message, "remedy": exc.remedy}), flush=True)
        return 3
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    app = create_model_app(engine, arguments.name, os.environ[KEY_VARIABLE])
    config = uvicorn.Config(app, log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def run() -> int:
    """Reads the command line and serves."""
    parser = argparse.ArgumentParser(prog="python -m app.model_server")
    parser.add_argument("model", type=Path)
    parser.add_argument("--name", default="model")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--cache-gb", type=int, default=1)
    silence_libraries()
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    arguments = parser.parse_args()
    return prepare(arguments.model) if arguments.prepare else serve(arguments)


if __name__ == "__main__":
    sys.exit(run())
