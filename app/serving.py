"""Runs the API in this process, and the web page beside it.

Knows ports, processes and signals; knows nothing of routes.
"""

import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from app.origin_guard import is_loopback
from app.server_record import ServerRecord, find_server, new_token, remove_record, write_record
from app.services import Services
from core.errors import ServiceError, StoreLockedError

UI_SCRIPT = Path(__file__).resolve().parent.parent / "ui" / "main.py"
STOP_WAIT_S = 5.0
UI_START_S = 60.0


def bind_port(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket. Raises ServiceError naming the port and what changes it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as exc:
        # create_server adds the address to the system's own words; a name that cannot be
        # resolved has a negative number, which the system has no words for.
        reason = os.strerror(exc.errno) if (exc.errno or 0) > 0 else exc.strerror or exc
        raise ServiceError(
            f"port {port} on {host} cannot be used: {reason}",
            remedy=f"stop what uses it, or choose another with --port or {setting}",
        ) from exc


def local_url(host: str, port: int) -> str:
    """An address at which this machine reaches a server bound to `host`."""
    if host in ("0.0.0.0", ""):
        host = "127.0.0.1"
    elif host == "::":
        host = "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve_api(services: Services, on_ready: Callable[[ServerRecord], "subprocess.Popen | None"]) -> None:
    """Serves until Ctrl-C or SIGTERM.

    `on_ready` is told the address before the first request is taken; when it gives a child
    process, the child is stopped at the end, and its end is the API's end too.

    Raises:
        StoreLockedError: an API or another command owns the data directory.
        ServiceError: the port is taken.
    """
    import uvicorn

    from app.api import create_app

    settings = services.settings
    services.paths.create()
    refuse_second_server(services)
    with bind_port(settings.server.host, settings.server.port, "ATTEST_SERVER__PORT") as listener:
        services.store()
        port = listener.getsockname()[1]
        record = ServerRecord(os.getpid(), local_url(settings.server.host, port), new_token())
        app = create_app(services, record.token, warm_up=True)
        config = uvicorn.Config(app, log_level=settings.log_level, access_log=False, server_header=False)
        server = uvicorn.Server(config)
        end_on_sigterm()
        with _published(services.paths.server_record, record):
            child = on_ready(record)
            with stopped_at_end(child):
                if child is not None:
                    _end_with(child, server)
                with _ended_by_signals():
                    server.run(sockets=[listener])


def refuse_second_server(services: Services) -> None:
    """Raises StoreLockedError when an API runs over this data directory."""
    running = find_server(services.paths.server_record)
    if running is not None:
        raise StoreLockedError(
            f"an API runs over {services.paths.root} already, at {running.url}",
            remedy=f"use it, or stop it: kill {running.pid}",
        )


def start_ui(services: Services, api_url: str, api_token: str, port: int) -> subprocess.Popen:
    """The web page as a child process, which talks to the API over HTTP.

    Without a token the page asks its user for a key.
    """
    host = services.settings.ui.host
    # Only to say at once, and in our words, that the port is taken.
    bind_port(host, port, "ATTEST_UI__PORT").close()
    environment = {**os.environ, "ATTEST_UI_API_URL": api_url}
    environment.pop("ATTEST_UI_API_TOKEN", None)
    if api_token:
        environment["ATTEST_UI_API_TOKEN"] = api_token
    command = [sys.executable, "-m", "streamlit", "run", str(UI_SCRIPT)]
    command += ["--server.address", host, "--server.port", str(port)]
    command += ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
    command += ["--server.maxUploadSize", str(math.ceil(services.settings.server.max_upload_mb))]
    # A session of its own: Ctrl-C reaches this process alone, which then stops the child.
    child = subprocess.Popen(
        command, env=environment, cwd=UI_SCRIPT.parent.parent, stdout=sys.stderr, start_new_session=True
    )
    is_open = False
    try:
        _wait_until_open(child, host, port)
        is_open = True
    finally:
        if not is_open:
            _stop(child)
    return child


def _wait_until_open(child: subprocess.Popen, host: str, port: int) -> None:
    """An address is not told before somebody listens there."""
    url = local_url(host, port)
    until = time.monotonic() + UI_START_S
    while child.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection((urlsplit(url).hostname, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise ServiceError(f"the web page did not start at {url}", remedy="run: attest doctor")


def token_for_ui(services: Services, token: str) -> str:
    """The owner's token for a page that only the owner reaches; else nothing, so that each
    user of the page needs a key."""
    alone = is_loopback(services.settings.ui.host) and not services.keys().any()
    return token if alone else ""


@contextmanager
def stopped_at_end(child: subprocess.Popen | None) -> Iterator[None]:
    """Stops the child however the block ends."""
    try:
        yield
    finally:
        if child is not None:
            _stop(child)


def _stop(child: subprocess.Popen) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def end_on_sigterm() -> None:
    """From here on SIGTERM is an exception: its default would end the process before it has tidied up.
    uvicorn raises the signal again when it has shut down."""
    signal.signal(signal.SIGTERM, _raise_exit)


def _raise_exit(_number, _frame) -> None:
    raise SystemExit(0)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Ctrl-C is the ordinary end, not an error."""
    with suppress(KeyboardInterrupt):
        yield


@contextmanager
def _published(path: Path, record: ServerRecord) -> Iterator[None]:
    write_record(path, record)
    try:
        yield
    finally:
        remove_record(path, record.token)


def _end_with(child: subprocess.Popen, server) -> None:
    def wait() -> None:
        child.wait()
        server.should_exit = True

    threading.Thread(target=wait, name="ui-watch", daemon=True).start()
