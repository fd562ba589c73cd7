"""Folders to work in that a kill may leave behind, and the removal of what was left.

Whoever works in one holds its lock, which the system gives free with the process. Knows nothing of
what is made in them.
"""

import fcntl
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STALE_S = 3600
"""What was begun or changed later may belong to one who has not locked it yet, or locks nothing."""
_log = logging.getLogger(__name__)


@contextmanager
def work_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """An empty folder in `parent` that no other user can enter; it goes at the end, unless it was renamed."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: nobody can lock it to remove it either
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        os.close(handle)
        shutil.rmtree(folder, ignore_errors=True)


def remove_stale(parent: Path, pattern: str) -> int:
    """Removes files and folders of `parent` whose names are of the `pattern`, that nobody has changed for
    an hour and nobody has locked; how many went. What cannot be removed stays, without an error."""
    return sum(_remove(path) for path in parent.glob(pattern) if not path.is_symlink())


def _remove(path: Path) -> bool:
    try:
        if time.time() - path.stat().st_mtime < STALE_S:
            return False
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:  # another user's, or another process was quicker
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as exc:
        _log.info("%s stays where it is: %s", path, exc)
        return False
    finally:
        os.close(handle)
    _log.info("removed what a process that was killed had left: %s", path)
    return True
