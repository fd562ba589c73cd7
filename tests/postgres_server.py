"""A PostgreSQL server of the tests' own, on a socket in a temporary folder, never on a port.

Made from Debian's package `postgresql`. Everything it writes goes with the folder.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

OWNER = "attest"
PASSWORD = "not-secret-@:/"
MISSING = "there is no PostgreSQL here: apt-get install postgresql"


@dataclass(frozen=True)
class PostgresServer:
    """A running server; each test gets a database of its own."""

    folder: Path

    def new_database(self) -> str:
        """The url of an empty database, without the password."""
        name = f"db_{uuid.uuid4().hex[:12]}"
        address = f"host={self.folder} user={OWNER} password='{PASSWORD}' dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{OWNER}@/{name}?host={self.folder}"


def find_binaries() -> Path | None:
    """The folder of initdb; Debian keeps it off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return places[-1].parent if places else None


@contextmanager
def running_server(binaries: Path) -> Iterator[PostgresServer]:
    """The server refuses to run as root, so it gets another user then."""
    user = "nobody" if os.geteuid() == 0 else None
    # Short: the path of a socket has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="attest-pg-", dir="/tmp"))
    try:
        (folder / "password").write_text(PASSWORD, encoding="utf-8")
        if user:
            for path in (folder, folder / "password"):
                os.chown(path, pwd.getpwnam(user).pw_uid, -1)
        make = ["initdb", "-D", folder / "data", "-U", OWNER, "-E", "UTF8", "-N", "--locale=C.UTF-8"]
        _run(binaries, user, folder, [*make, "-A", "scram-sha-256", f"--pwfile={folder / 'password'}"])
        options = f"-c listen_addresses='' -c fsync=off -c unix_socket_directories={folder}"
        control = ["pg_ctl", "-D", folder / "data", "-w", "-t", "60"]
        _run(binaries, user, folder, [*control, "-l", folder / "log", "-o", options, "start"])
        try:
            yield PostgresServer(folder)
        finally:
            _run(binaries, user, folder, [*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(binaries: Path, user: str | None, folder: Path, command: list) -> None:
    program, *arguments = map(str, command)
    with (folder / "setup").open("ab") as out:  # a pipe would be held open by the server
        done = subprocess.run(
            [binaries / program, *arguments], cwd=folder, stdout=out, stderr=out, user=user, timeout=120
        )
    assert done.returncode == 0, (folder / "setup").read_text(encoding="utf-8")
