"""The child of the embedded model: one start, however many ask for it at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.model_server.process import ModelServerProcess, ModelServerSpec
from core.errors import ChatModelError

CHILD = """
import json, sys, time
time.sleep(0.3)
print(json.dumps({"port": 1}), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server(tmp_path, monkeypatch):
    package = tmp_path / "app" / "model_server"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(CHILD)
    # The child's `-m app.model_server` is found in its working folder.
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    server = ModelServerProcess(ModelServerSpec(Path("weights"), "model"))
    yield server
    server.stop()


def test_two_callers_at_once_get_the_same_child(server):
    server.begin()
    with ThreadPoolExecutor(2) as pool:
        urls = set(pool.map(lambda _: server.start(), range(2), timeout=120))
    assert urls == {"http://127.0.0.1:1/v1"}
    assert server.is_alive()


def test_a_child_that_died_is_started_again(server):
    server.start()
    server._child.kill()
    server._child.wait()
    server.stop()
    assert server.start() == "http://127.0.0.1:1/v1"


def test_a_stop_while_it_starts_is_said_as_such(server):
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(server.start)
        while not server.is_alive():
            time.sleep(0.01)
        server._child.kill()  # before its first line
        server.stop()
        with pytest.raises(ChatModelError):
            starting.result(timeout=120)
    assert not server.is_alive()
    assert server.start() == "http://127.0.0.1:1/v1"


def test_a_stop_before_the_first_line_is_read(server):
    server.stop()
    with pytest.raises(ChatModelError, match="was stopped"):
        server._first_line()
