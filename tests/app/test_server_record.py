"""The record of a running API, and what makes it stale."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.server_record import ServerRecord, find_server, read_record, remove_record, write_record


@pytest.fixture
def live():
    """An HTTP server that claims to be the process `claimed_pid`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"pid": server.claimed_pid}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.claimed_pid = os.getpid()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url_of(server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_a_live_server_is_found_and_only_the_owner_can_read_the_record(tmp_path, live):
    path, record = tmp_path / "server.json", ServerRecord(os.getpid(), url_of(live), "t")
    write_record(path, record)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["server.json"]
    assert find_server(path) == record


def test_another_process_on_the_same_port_is_not_the_server(tmp_path, live):
    live.claimed_pid = os.getpid() + 1
    write_record(tmp_path / "server.json", ServerRecord(os.getpid(), url_of(live), "t"))
    assert find_server(tmp_path / "server.json") is None


def test_a_dead_process_is_stale(tmp_path, live):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    live.claimed_pid = child.pid
    write_record(tmp_path / "server.json", ServerRecord(child.pid, url_of(live), "t"))
    assert find_server(tmp_path / "server.json") is None


def test_nobody_listening_is_stale(tmp_path):
    write_record(tmp_path / "server.json", ServerRecord(os.getpid(), "http://127.0.0.1:9", "t"))
    assert find_server(tmp_path / "server.json") is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": "x", "url": "u", "token": "t"}'])
def test_a_broken_record_is_none(tmp_path, content):
    (tmp_path / "server.json").write_text(content)
    assert read_record(tmp_path / "server.json") is None


def test_only_the_writer_removes_its_record(tmp_path):
    path = tmp_path / "server.json"
    write_record(path, ServerRecord(1, "u", "mine"))
    remove_record(path, "other")
    assert path.exists()
    remove_record(path, "mine")
    assert not path.exists()
