"""Reads a slow iterator in a thread, so that the page stays awake between its items.

Streamlit can end a script only when the script calls it. While a read waits for the network
the page would not hear that its reader went elsewhere. Knows nothing of what is read.
"""

import queue
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ticking(items: Generator[T, None, None], tick_s: float) -> Iterator[T | None]:
    """The items in order, and None whenever `tick_s` seconds pass without one.

    An error of `items` is raised here, after the items before it. When this iterator is closed
    early, `items` is closed by its thread as soon as its next item comes.
    """
    arrived: queue.SimpleQueue[T] = queue.SimpleQueue()
    left = threading.Event()

    def read() -> None:
        try:
            for item in items:
                if left.is_set():
                    return
                arrived.put(item)
        finally:
            items.close()

    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="attest-ask")
    work = pool.submit(read)
    pool.shutdown(wait=False)
    try:
        while not (work.done() and arrived.empty()):
            try:
                yield arrived.get(timeout=tick_s)
            except queue.Empty:
                yield None
        work.result()
    finally:
        left.set()
