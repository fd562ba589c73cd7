"""Which process wrote something, so that another one can tell whether it is still at work.

A name is `host/pid/token`: in a container every server is process 1, so the number alone would
take the one before for this one. Knows nothing of what was written.
"""

import functools
import os
import socket
import uuid


def own_name() -> str:
    """The name of this process: the same each time, another for each start."""
    return f"{socket.gethostname()}/{os.getpid()}/{_token(os.getpid())}"


def is_here(name: str) -> bool:
    """Whether a name is of this machine, where its process would be seen."""
    return name.partition("/")[0] == socket.gethostname()


def is_dead(name: str) -> bool:
    """Whether a process of this machine is gone; false for one of another machine, of which that
    cannot be known. `name` may go on after its token, behind a slash or a hyphen."""
    host, _, rest = name.partition("/")
    pid, _, token = rest.partition("/")
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    if int(pid) == os.getpid():
        return not token.startswith(_token(os.getpid()))
    return is_gone(int(pid))


def is_gone(pid: int) -> bool:
    """Whether no process of this machine has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@functools.cache
def _token(pid: int) -> str:
    """Drawn once for each process; by its number, since a fork takes what is cached along."""
    return f"{uuid.uuid4().hex[:8]}"
