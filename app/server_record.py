"""`server.json`: the address and the local token of the API that owns a data directory.

Whoever can read the file is the same user on the same machine, which is what the token
proves. Knows the file and how to tell a live server from a stale record.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

PROBE_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """A running API: its process, its address for clients on this machine, its token."""

    pid: int
    url: str
    token: str


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def write_record(path: Path, record: ServerRecord) -> None:
    """Writes the file at once and for this user's eyes alone."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(record), file)
    draft.replace(path)


def remove_record(path: Path, token: str) -> None:
    """Removes the file when it is still the one that was written with this token."""
    record = read_record(path)
    if record is not None and record.token == token:
        path.unlink(missing_ok=True)


def read_record(path: Path) -> ServerRecord | None:
    """What stands in the file; None when there is none or it is not whole."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return ServerRecord(int(values["pid"]), str(values["url"]), str(values["token"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def find_server(path: Path) -> ServerRecord | None:
    """The API that runs over this data directory; None when none does.

    A record is stale when its process is gone, or when what answers at its address is not
    the same process: a port may have been given to another program since.
    """
    record = read_record(path)
    if record is None or not _is_running(record.pid):
        return None
    return record if _answers(record) else None


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(record: ServerRecord) -> bool:
    import httpx

    try:
        reply = httpx.get(f"{record.url}/health/live", timeout=PROBE_TIMEOUT_S, trust_env=False)
        return reply.status_code == 200 and reply.json().get("pid") == record.pid
    except (httpx.HTTPError, ValueError, AttributeError):
        return False
