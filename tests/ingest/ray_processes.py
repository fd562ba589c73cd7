"""The processes of a local Ray, seen from outside: by their titles, through /proc."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path


def descendants(pid: int) -> Iterator[tuple[int, str]]:
    """Number and title of every process below one."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    waiting = children.get(pid, [])[:]
    while waiting:
        child = waiting.pop()
        waiting += children.get(child, [])
        try:
            title = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        yield child, title.strip()


def kill_at_work(pid: int, title: str, is_over: Callable[[], bool]) -> int:
    """Ends the first worker below `pid` that is at such work; 0 when all was over before."""
    while not is_over():
        for child, shown in descendants(pid):
            if shown.startswith(f"ray::{title}"):
                os.kill(child, signal.SIGKILL)
                return child
        time.sleep(0.02)
    return 0


def wait_for_end(titles: dict[int, str], within_s: float = 120.0) -> dict[int, str]:
    """Those of the processes that are still there when the time is over."""
    deadline = time.monotonic() + within_s
    while (left := {p: t for p, t in titles.items() if Path(f"/proc/{p}").exists()}) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.1)
    return left


def listening_addresses(pids: set[int]) -> set[str]:
    """Where processes listen, IPv4 and IPv6, as hexadecimal addresses of /proc/net."""
    sockets = set()
    for pid in pids:
        try:
            links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        sockets |= {link[8:-1] for link in links if link.startswith("socket:[")}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                found.add(fields[1].partition(":")[0])
    return found
