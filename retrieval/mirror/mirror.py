"""One collection in memory, searched as Milvus Lite searches it and some ten times quicker.

Everything that is read is a block or a mask that never changes; a write puts other ones in
their place. So a search sees the collection as it was when it began, whatever is written
meanwhile. Writers take turns outside. No method gives text without a `Scope`, whose names
are part of every mask. Knows nothing of Milvus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.conditions import Condition
from core.types import Chunk, Hit, Scope, Stage
from retrieval.filters import principals_of
from retrieval.mirror.block import Block, join_blocks

GROWTH = 2
"""A block is joined with the one before it unless that one is so many times larger: there
are never more than a dozen blocks, and a row is copied a dozen times at most."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A block and which of its rows are still there."""

    block: Block
    alive: np.ndarray
    count: int


class Mirror:
    """The rows of one edition of a collection. Any number of threads may read while one
    writes."""

    def __init__(self) -> None:
        self._parts: tuple[_Part, ...] = ()

    def __len__(self) -> int:
        return sum(part.count for part in self._parts)

    def put(self, block: Block) -> None:
        """Adds rows; those with the same ids are replaced."""
        if not len(block):
            return
        places = block.columns.places
        alive = np.zeros(len(block), bool)
        alive[list(places.values())] = True
        older = [_without(part, places) for part in self._parts]
        self._parts = _settled([*older, _Part(block, alive, len(places))])

    def remove_document(self, document_id: str) -> None:
        """Forgets the rows of a document."""
        self._parts = _settled(
            [_left(part, ~part.block.columns.documents.among((document_id,))) for part in self._parts]
        )

    def fits(self, vector: np.ndarray) -> bool:
        """Whether a dense vector can be searched for here."""
        parts = self._parts
        return bool(parts) and vector.shape == parts[0].block.dense.shape[1:] and np.isfinite(vector).all()

    def search_dense_each(
        self, scope: Scope, vector: np.ndarray, limit: int, groups: Sequence[Sequence[Condition]]
    ) -> list[list[Hit]]:
        """See `VectorStore.search_dense_each`."""
        names, asked = principals_of(scope), np.ascontiguousarray(vector, np.float32)
        found: list[list[_Found]] = [[] for _ in groups]
        for part in self._parts:
            # Not `@`: the threads of a BLAS wait for their next product by turning in circles,
            # which cost 60 ms of processor time at 10,000 rows for 1 ms of work.
            scores = np.einsum("ij,j->i", part.block.dense, asked)
            for into, where in zip(found, groups, strict=True):
                into += _best(part, _visible(part, names, where), scores, limit)
        return [_to_hits(one, Stage.DENSE, limit) for one in found]

    def search_lexical(
        self, scope: Scope, weights: Mapping[int, float], limit: int, where: Sequence[Condition]
    ) -> list[Hit]:
        """See `VectorStore.search_lexical`."""
        names, found = principals_of(scope), []
        for part in self._parts:
            scores = part.block.postings.score(weights, len(part.block))
            found += _best(part, _visible(part, names, where) & (scores > 0), scores, limit)
        return _to_hits(found, Stage.LEXICAL, limit)

    def find_chunks(self, scope: Scope, where: Sequence[Condition], limit: int) -> list[Chunk]:
        """See `VectorStore.find_chunks`."""
        names, found = principals_of(scope), []
        for part in self._parts:
            rows = np.flatnonzero(_visible(part, names, where)).tolist()
            found += [part.block.chunk(row) for row in rows]
        return sorted(found, key=lambda chunk: (chunk.document_id, chunk.order, chunk.id))[:limit]


_Found = tuple[float, str, Block, int]
"""The negative score, the chunk's id, and where it lies: sorted, best first."""


def _visible(part: _Part, names: Sequence[str], where: Sequence[Condition]) -> np.ndarray:
    """The rows that are there, that one of the names may read and that `where` lets through.
    Every read goes through here."""
    columns = part.block.columns
    mask = columns.readable(names) & part.alive
    for condition in where:
        mask &= columns.mask(condition)
    return mask


def _best(part: _Part, mask: np.ndarray, scores: np.ndarray, limit: int) -> list[_Found]:
    """The rows of the mask with the `limit` highest scores, and those level with the last."""
    rows = np.flatnonzero(mask)
    values = scores[rows]
    if len(rows) > limit:
        kept = values >= np.partition(values, len(rows) - limit)[len(rows) - limit]
        rows, values = rows[kept], values[kept]
    block = part.block
    return [
        (-value, block.chunk_id(row), block, row)
        for row, value in zip(rows.tolist(), values.tolist(), strict=True)
    ]


def _to_hits(found: list[_Found], stage: Stage, limit: int) -> list[Hit]:
    """Best first, level ones by id."""
    found.sort(key=lambda one: one[:2])
    name = stage.value
    return [
        Hit(block.chunk(row), -negative, stage, {name: rank})
        for rank, (negative, _, block, row) in enumerate(found[:limit], start=1)
    ]


def _without(part: _Part, ids: Mapping[str, int]) -> _Part:
    places = part.block.columns.places
    gone = [places[one] for one in ids if one in places]
    if not gone:
        return part
    kept = np.ones(len(part.block), bool)
    kept[gone] = False
    return _left(part, kept)


def _left(part: _Part, kept: np.ndarray) -> _Part:
    alive = part.alive & kept
    return _Part(part.block, alive, int(np.count_nonzero(alive)))


def _settled(parts: Sequence[_Part]) -> tuple[_Part, ...]:
    """The same rows in few blocks, none of which is mostly dead rows."""
    settled: list[_Part] = []
    for part in parts:
        if not part.count:
            continue
        settled.append(part if 2 * part.count > len(part.block) else _joined([part]))
        while len(settled) > 1 and settled[-2].count < GROWTH * settled[-1].count:
            settled[-2:] = [_joined(settled[-2:])]
    return tuple(settled)


def _joined(parts: Sequence[_Part]) -> _Part:
    block = join_blocks([(part.block, part.alive) for part in parts])
    return _Part(block, np.ones(len(block), bool), len(block))
