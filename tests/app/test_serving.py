"""`attest serve` as a process: its record, its second start and its end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from app.server_record import ServerRecord, write_record
from app.serving import bind_port
from tests.app.fakes import TOKEN

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from app.cli.main import run; run()", "serve", "--port", "0", "--json"]


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_record_is_there_while_the_server_runs(tmp_path, end):
    command = [*COMMAND, "--data", str(tmp_path)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout.readline() == "{\n"
        record = json.loads((tmp_path / "server.json").read_text())
        assert record["pid"] == server.pid
        assert httpx.get(f"{record['url']}/health/live", timeout=300).json()["pid"] == server.pid
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
        assert second.returncode == 3
        assert json.loads(second.stdout)["error"]["code"] == "store_locked"
        server.send_signal(end)
        assert server.wait(300) == 0
        assert not (tmp_path / "server.json").exists()
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


@pytest.mark.slow
def test_the_page_ends_with_its_command(tmp_path, live_url):
    write_record(tmp_path / "server.json", ServerRecord(os.getpid(), live_url, TOKEN))
    with bind_port("127.0.0.1", 0, "X") as listener:
        port = listener.getsockname()[1]
    command = [*COMMAND[:3], "ui", "--port", str(port), "--data", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as page:
        try:
            assert page.stdout.readline().startswith("API: ")
            socket.create_connection(("127.0.0.1", port), timeout=60).close()
            page.send_signal(signal.SIGTERM)
            assert page.wait(120) == 0
        finally:
            page.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=60)


class EndlessAsker:
    """Says one thing and waits for ever; tells when it was cancelled."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    async def ask(self, ask):
        import asyncio

        from agents.events import StatusChanged

        try:
            yield StatusChanged("searching")
            await asyncio.sleep(3600)
        finally:
            self.cancelled.set()

    async def close(self):
        pass


@pytest.fixture
def asker() -> EndlessAsker:
    return EndlessAsker()


def test_a_client_that_leaves_and_will_not_come_back_cancels_its_turn(live_url, asker):
    body = {"question": "q", "stream": True, "resumable": False}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.stream("POST", f"{live_url}/v1/ask", json=body, headers=headers, timeout=120) as reply:
        pieces = reply.iter_text()  # kept: an iterator that is thrown away closes the connection
        assert "status" in next(pieces)
        assert not asker.cancelled.is_set()
    assert asker.cancelled.wait(120)
