"""Index definitions of a new collection, made and seen to be ready.

Knows how Milvus tells the state of an index; knows nothing of fields. The client can wait as well,
and sleeps half a second for every index before it looks for the first time: a new collection is
empty, so its indexes are ready at once (docs/decisions/045-waits-for-indexes.md).
"""

import time
from typing import Any

from core.errors import StoreError

FIRST_PAUSE_S = 0.01
LONGEST_PAUSE_S = 0.5
READY_WITHIN_S = 60.0
"""For an empty collection; a server that takes longer is out of order."""


def make_indexes(client: Any, physical: str, indexes: Any, within_s: float = READY_WITHIN_S) -> None:
    """Makes the `indexes`, what `build_indexes` gives, each of them named, and returns when all are
    ready: the collection may be loaded then.

    Raises:
        StoreError: one failed, or was not ready within `within_s`.
        MilvusException: the server refused.
    """
    client.create_index(physical, indexes, sync=False)
    deadline = time.monotonic() + within_s
    for index in indexes:
        _await_ready(client, physical, index.index_name, deadline)


def _await_ready(client: Any, physical: str, name: str, deadline: float) -> None:
    pause = FIRST_PAUSE_S
    while (state := _state(client, physical, name)) != "Finished":
        if state == "Failed" or time.monotonic() > deadline:
            raise StoreError(
                f"Milvus did not make the index {name} of {physical}: its state is {state}",
                remedy="look into the log of the Milvus server, and run it again",
            )
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)


def _state(client: Any, physical: str, name: str) -> str:
    about = client.describe_index(physical, name)
    return about["state"] if about else "unknown"
