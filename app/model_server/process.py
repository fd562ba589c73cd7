"""Starts the embedded model as a child process and stops it.

Knows processes and the child's first line; knows nothing of models.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

from core.errors import ChatModelError, ModelFileError

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 5.0
KEY_VARIABLE = "ATTEST_MODEL_SERVER_KEY"


@dataclass(frozen=True, slots=True)
class ModelServerSpec:
    """What the child shall serve: a GGUF file or an OpenVINO folder, under `name`."""

    path: Path
    name: str
    threads: int = 0
    cache_gb: int = 1


class ModelServerProcess:
    """A child that dies with this process, even when this one is killed."""

    def __init__(self, spec: ModelServerSpec) -> None:
        self._spec = spec
        self._child: subprocess.Popen | None = None
        self._log = None
        self._starting = threading.Lock()
        # Held for moments only: `stop` may come from another thread while `start` waits.
        self._changing = threading.Lock()
        self.api_key = secrets.token_urlsafe(24)
        self.base_url = ""

    def begin(self) -> None:
        """Starts the child without waiting for it: the model loads while other work goes on."""
        command = [
            sys.executable, "-m", "app.model_server", str(self._spec.path), "--name", self._spec.name,
            "--threads", str(self._spec.threads), "--cache-gb", str(self._spec.cache_gb),
        ]  # fmt: skip
        with self._changing:
            if self._child is not None:
                return
            self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                env={**os.environ, KEY_VARIABLE: self.api_key},
            )

    def start(self) -> str:
        """Waits until the model is loaded; returns the base URL, ending in /v1.

        Raises:
            ModelFileError: the weights are missing or cannot be read.
            ChatModelError: the child died, took too long or was stopped meanwhile.
        """
        # The child says its first line once: of two callers at a time the second would wait
        # for another, in vain, and then take a live child for a dead one.
        with self._starting:
            if self.base_url and self.is_alive():
                return self.base_url
            self.begin()
            said = self._first_line()
            if "error" in said:
                self.stop()
                raise ModelFileError(said["error"], remedy=said["remedy"])
            self.base_url = f"http://127.0.0.1:{said['port']}/v1"
            return self.base_url

    def is_alive(self) -> bool:
        """Whether the child runs."""
        child = self._child
        return child is not None and child.poll() is None

    def stop(self) -> None:
        """Closes the pipe, which ends the child; kills it when it does not listen."""
        with self._changing:
            child, log, self._child, self._log, self.base_url = self._child, self._log, None, None, ""
        if child is None:
            return
        child.stdin.close()
        try:
            child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()
        log.close()

    def _first_line(self) -> dict:
        child = self._child
        if child is None:
            raise _stopped()
        lines: Queue[str] = Queue()
        threading.Thread(target=lambda: lines.put(_read_line(child)), daemon=True).start()
        try:
            line = lines.get(timeout=START_TIMEOUT_S)
        except Empty:
            line = ""
        if line:
            return json.loads(line)
        with self._changing:
            if self._child is not child:
                raise _stopped()
            self._log.seek(0)
            said = self._log.read().strip().splitlines()
        reason = said[-1] if said else f"silent for {START_TIMEOUT_S:.0f} s"
        self.stop()
        raise ChatModelError(
            f"the embedded model did not start ({reason})", remedy="run: attest doctor"
        )


def prepare_in_child(path: Path) -> Path:
    """The folder in OpenVINO's form for a GGUF file, made by a child where it is not there yet: that
    takes gigabytes for half a minute, which a process that serves shall not keep.

    Raises:
        ModelFileError: the file is missing or cannot be read as a model.
    """
    command = [sys.executable, "-m", "app.model_server", str(path), "--prepare"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        line = child.stdout.readline()
    failed = {"error": f"{path} could not be read", "remedy": "run: attest doctor"}
    said = json.loads(line) if line else failed
    if "error" in said:
        raise ModelFileError(said["error"], remedy=said["remedy"])
    return Path(said["folder"])


def _read_line(child: subprocess.Popen) -> str:
    try:
        return child.stdout.readline()
    except ValueError:  # closed by `stop` meanwhile
        return ""


def _stopped() -> ChatModelError:
    return ChatModelError("the embedded model was stopped while it started", remedy="ask again")
