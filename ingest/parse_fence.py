"""What a parse process may not do: reach the network, start programs, write outside its folder.

An audit hook (PEP 578) sees what goes through Python, which is what libraries do when a file
makes them follow an address, a command or a name. It cannot be taken off again. It is no
wall against machine code that a flaw in a C library lets in: for that, run attest in a container.
"""

import os
import sys
from pathlib import Path

_FORBIDDEN = (
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "socket.gethostby",
    "socket.sendto",
    "socket.sendmsg",
    "subprocess",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.kill",
    "pty.spawn",
    "sqlite3.connect",
    "sqlite3.enable_load_extension",
    "webbrowser.open",
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Events that change the file system, with the places of paths and of the open folder (`dir_fd`)
# that each path is relative to.
_CHANGES: dict[str, tuple[tuple[int, int | None], ...]] = {
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((1, 3),),
    "os.symlink": ((1, 2),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.truncate": ((0, None),),
    "os.setxattr": ((0, None),),
    "os.mknod": ((0, None),),
}


def raise_fence(folder: Path) -> None:
    """From now on this process may write below `folder` only."""
    inside = os.path.realpath(folder) + os.sep
    compiled = tuple(os.path.realpath(path) + os.sep for path in {sys.prefix, *sys.path} if path)

    def check(path: object, folder_fd: object, event: str) -> None:
        if isinstance(path, int):
            return
        text = os.fsdecode(path)
        if isinstance(folder_fd, int) and folder_fd >= 0:
            text = os.path.join(_folder_of(folder_fd, folder), text)
        real = os.path.realpath(text)
        cached = os.path.basename(os.path.dirname(real)) == "__pycache__" and real.startswith(compiled)
        if not (real.startswith(inside) or cached or real == os.devnull):
            raise PermissionError(f"a parser may not do {event} outside its folder")

    def refuse(event: str, args: tuple) -> None:
        if event.startswith(_FORBIDDEN):
            raise PermissionError(f"a parser may not do {event}")
        wanted: tuple[tuple[object, object], ...] = ()
        if event == "open" and isinstance(args[2], int) and args[2] & _WRITING:
            wanted = ((args[0], None),)
        elif places := _CHANGES.get(event):
            wanted = tuple((args[p], args[fd] if fd is not None else None) for p, fd in places)
        for path, folder_fd in wanted:
            check(path, folder_fd, event)

    sys.addaudithook(refuse)


def _folder_of(descriptor: int, otherwise: Path) -> str:
    """The folder that is open as a descriptor, where the system tells (Linux)."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return str(otherwise)
