"""A bounded queue between two stages that ends: by its last item, or because a stage failed.

Knows nothing of what goes through it.
"""

import threading
import time
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Stopped(Exception):
    """The pipe was stopped: nothing more goes in or comes out."""


class Pipe(Generic[Item]):
    """First in, first out, for many threads. `room` is the most that may wait in it, by the
    size that each item is put with; one item always fits."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._items: deque[tuple[Item, int]] = deque()
        self._size = 0
        self._closed = self._stopped = False
        self._changed = threading.Condition()

    def put(self, item: Item, size: int = 1) -> None:
        """Waits for room. Raises Stopped."""
        with self._changed:
            while self._items and self._size + size > self._room and not self._stopped:
                self._changed.wait()
            if self._stopped:
                raise Stopped
            self._items.append((item, size))
            self._size += size
            self._changed.notify_all()

    def take(self, wait_s: float | None = None) -> Item | None:
        """The next item; None when there is none within `wait_s` seconds, or when the pipe is
        closed and empty. Raises Stopped."""
        until = None if wait_s is None else time.monotonic() + wait_s
        with self._changed:
            while not (self._items or self._closed or self._stopped):
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(left)
            if self._stopped:
                raise Stopped
            if not self._items:
                return None
            item, size = self._items.popleft()
            self._size -= size
            self._changed.notify_all()
            return item

    @property
    def is_over(self) -> bool:
        """Whether nothing is left and nothing more will come."""
        with self._changed:
            return self._closed and not self._items

    def close(self) -> None:
        """No more items come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Whoever waits at the pipe is let go."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
