"""The mirrors of one Milvus Lite: made at the first read, kept in step with every write.

Lite has one owner process and the store lets one writer in at a time, so what is written
here is all that changes. In doubt a mirror is dropped: the next read makes it anew. Knows
when to trust a mirror; knows nothing of searching.
"""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from core.seams import IndexRow
from retrieval import schema
from retrieval.connections import Connection
from retrieval.mirror.block import build_block
from retrieval.mirror.mirror import Mirror
from retrieval.mirror.postings import TERM, pack_terms

ROWS_PER_PAGE = 2000
FIELDS = [*schema.OUTPUT_FIELDS, "language", "readers", "dense", schema.LEXICAL]
logger = logging.getLogger(__name__)


class Mirrors:
    """Mirrors by edition. Thread-safe."""

    def __init__(self, connection: Connection, max_chunks: int) -> None:
        """A collection of more than `max_chunks` has no mirror, and a server has none."""
        self._connection = connection
        self._max_chunks = max_chunks if connection.is_lite else 0
        self._mirrors: dict[str, Mirror | None] = {}
        self._lock = threading.RLock()

    def of(self, physical: str, lacking: frozenset[str] = frozenset()) -> Mirror | None:
        """The mirror of a loaded edition, whole; None where Milvus has to be asked. `lacking`:
        fields that the edition does not have.

        Raises:
            StoreError: the rows could not be read.
        """
        if not self._max_chunks:
            return None
        if physical not in self._mirrors:
            with self._lock:
                if physical not in self._mirrors:
                    self._mirrors[physical] = self._load(physical, lacking)
        return self._mirrors.get(physical)

    @contextmanager
    def changing(self, physical: str) -> Iterator[Mirror | None]:
        """Around each write to Milvus, and the same write to the mirror at its end; None when
        there is none yet. After an error nobody knows what Milvus has: the mirror goes."""
        with self._lock:
            done = False
            try:
                yield self._mirrors.get(physical)
                done = True
            finally:
                if not done:
                    self._mirrors.pop(physical, None)
            self._bound(physical)

    def forget(self, physical: str) -> None:
        """The edition is gone: another may get its name."""
        with self._lock:
            self._mirrors.pop(physical, None)

    def _load(self, physical: str, lacking: frozenset[str]) -> Mirror | None:
        begun, mirror = time.perf_counter(), Mirror()
        fields = [name for name in FIELDS if name not in lacking]
        for rows in self._connection.read_pages(physical, fields, ROWS_PER_PAGE):
            if len(mirror) + len(rows) > self._max_chunks:
                logger.info("%s has too many chunks to be held in memory", physical)
                return None
            mirror.put(build_block([{**row, schema.LEXICAL: _unpacked(row)} for row in rows]))
        logger.info("%d chunks in memory after %.1f s", len(mirror), time.perf_counter() - begun)
        return mirror

    def _bound(self, physical: str) -> None:
        mirror = self._mirrors.get(physical)
        if mirror is not None and len(mirror) > self._max_chunks:
            self._mirrors[physical] = None


def put_rows(mirror: Mirror, rows: Sequence[IndexRow], values: Sequence[Mapping]) -> None:
    """Adds what has just been written: `values` are the rows as Milvus got them."""
    mirror.put(
        build_block(
            [
                {**value, "dense": row.dense, schema.LEXICAL: pack_terms(value[schema.LEXICAL])}
                for row, value in zip(rows, values, strict=True)
            ]
        )
    )


def _unpacked(row: Mapping) -> np.ndarray:
    return np.frombuffer(row[schema.LEXICAL], TERM)
