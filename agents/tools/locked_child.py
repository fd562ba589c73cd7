"""Locks its own process up and then becomes a Python that runs a file: the child of the tool `python`.

Run as a program: `python -I -S locked_child.py FOLDER SECONDS MEMORY_MB`. From the lock on, the process
reads the standard library and the folder, writes the folder alone, starts no other process, and is in
a network of its own in which nobody is. Linux only: Landlock (5.13) and namespaces. When a lock is not
to be had, nothing is run. Knows the kernel's calls; imports nothing of ours.
"""

import ctypes
import os
import resource
import struct
import sys
from pathlib import Path

NOT_LOCKED = 97
"""The exit code when the kernel gives no lock."""
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVS = 38
_NEW_USER, _NEW_NET, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
# How many rights on files each version of the interface knows; 13 are of the first.
_RIGHTS_BY_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}
_MOST_RIGHTS = 16
_SCOPES_SINCE, _NO_ABSTRACT_SOCKETS, _NO_SIGNALS = 6, 1, 2
MAX_FILE_BYTES = 16 * 2**20
MAX_OPEN_FILES = 64


def lock(folder: Path, seconds: int, memory_mb: int) -> None:
    """Raises OSError when a part of the lock is not to be had."""
    libc = ctypes.CDLL(None, use_errno=True)
    for limit, value in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory_mb * 2**20),
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    _check(libc.unshare(_NEW_USER | _NEW_NET | _NEW_IPC), "namespaces")
    _check(libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    version = _check(libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG), "Landlock")
    all_rights = (1 << _RIGHTS_BY_VERSION.get(version, _MOST_RIGHTS)) - 1
    wanted = struct.pack("<Q", all_rights)
    if version >= _SCOPES_SINCE:
        # Before Linux 6.12 there is no lock against signals to processes of the same user.
        wanted += struct.pack("<QQ", 0, _NO_ABSTRACT_SOCKETS | _NO_SIGNALS)
    rules = ctypes.create_string_buffer(wanted)
    ruleset = _check(libc.syscall(_CREATE_RULESET, rules, len(wanted), 0), "Landlock")
    for place in _readable():
        _allow(libc, ruleset, place, _READ)
    _allow(libc, ruleset, folder, all_rights & ~_EXECUTE)
    _check(libc.syscall(_RESTRICT_SELF, ruleset, 0), "Landlock")
    # Last, for a thread that is already there counts too.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _readable() -> list[Path]:
    """The interpreter, its library and what the loader needs; no site-packages, and nothing of /etc
    but the loader's cache."""
    places = [Path(sys.base_prefix, "lib"), Path(os.path.realpath(sys.executable)), Path(os.__file__).parent]
    places += [Path(p) for p in ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")]
    places += [Path(p) for p in ("/dev/urandom", "/dev/null", "/usr/share/zoneinfo")]
    return [place for place in places if place.exists()]


def _allow(libc: ctypes.CDLL, ruleset: int, place: Path, rights: int) -> None:
    if not place.is_dir():
        rights &= _EXECUTE | _WRITE_FILE | _READ_FILE
    handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = ctypes.create_string_buffer(struct.pack("<Qi", rights, handle))
        _check(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0), f"Landlock for {place}")
    finally:
        os.close(handle)


def _check(result: int, what: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def main() -> None:
    """Locks, and becomes the interpreter over `main.py` of the folder."""
    folder, seconds, memory_mb = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.chdir(folder)
    try:
        lock(folder, seconds, memory_mb)
    except (OSError, AttributeError, ValueError) as exc:
        print(exc, file=sys.stderr)
        raise SystemExit(NOT_LOCKED) from exc
    os.execve(sys.executable, [sys.executable, "-I", "-S", "-B", "main.py"], {"LANG": "C.UTF-8"})


if __name__ == "__main__":
    main()
