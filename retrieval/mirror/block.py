"""Some rows of a collection in memory, fixed once they are built.

Knows what a row of Milvus holds and how two blocks become one; knows nothing of who may
read or of what is asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.types import Chunk
from retrieval import schema
from retrieval.mirror.columns import Coded, Columns
from retrieval.mirror.postings import Postings, build_postings, join_postings

_AT = {name: at for at, name in enumerate(schema.OUTPUT_FIELDS)}
SHARED = ("document_id", "title", "uri", "headings", "kind")
"""Texts that many rows have alike and that are kept once."""


@dataclass(frozen=True, slots=True)
class Block:
    """`cells` are the values of `schema.OUTPUT_FIELDS` for each row: tuples of texts and
    numbers, which the garbage collector need not visit. `dense` is (rows, dimensions),
    float32. `made` keeps the chunks that somebody has asked for."""

    cells: list[tuple]
    columns: Columns
    dense: np.ndarray
    postings: Postings
    made: dict[int, Chunk] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.cells)

    def chunk(self, row: int) -> Chunk:
        """The chunk of a row."""
        chunk = self.made.get(row)
        if chunk is None:
            # Two threads may make it at once: both are equal, and one of them stays.
            chunk = schema.to_chunk(dict(zip(schema.OUTPUT_FIELDS, self.cells[row], strict=True)))
            self.made[row] = chunk
        return chunk

    def chunk_id(self, row: int) -> str:
        """Its id alone."""
        return self.cells[row][0]


def build_block(entities: Sequence[Mapping]) -> Block:
    """Of rows as Milvus takes and gives them, `lexical` packed (`postings.TERM`). Of several
    with one id only the last is found by its id: see `Columns.places`."""
    shared: dict[str, str] = {}
    cells = [
        tuple(
            shared.setdefault(entity[name], entity[name]) if name in SHARED else entity.get(name, "")
            for name in schema.OUTPUT_FIELDS
        )
        for entity in entities
    ]
    readers = [tuple(entity["readers"]) for entity in entities]
    columns = _columns(cells, [entity["language"] for entity in entities], readers)
    dense = np.array([entity["dense"] for entity in entities], np.float32)
    return Block(cells, columns, dense, build_postings([entity[schema.LEXICAL] for entity in entities]))


def join_blocks(parts: Sequence[tuple[Block, np.ndarray]]) -> Block:
    """One behind the other, only the rows for which the mask beside them is true."""
    cells = [block.cells[row] for block, kept in parts for row in np.flatnonzero(kept).tolist()]
    languages = [one for block, kept in parts for one in block.columns.languages.values(kept)]
    readers = [one for block, kept in parts for one in block.columns.readers.values(kept)]
    return Block(
        cells,
        _columns(cells, languages, readers),
        np.concatenate([block.dense[kept] for block, kept in parts]),
        join_postings([(block.postings, kept) for block, kept in parts]),
    )


def _columns(cells: Sequence[tuple], languages: Iterable[str], readers: Iterable[tuple]) -> Columns:
    def column(name: str) -> list:
        return [row[_AT[name]] for row in cells]

    return Columns(
        places={one: row for row, one in enumerate(column("id"))},
        documents=Coded(column("document_id")),
        uris=Coded(column("uri")),
        kinds=Coded(column("kind")),
        languages=Coded(languages),
        readers=Coded(readers),
        orders=np.array(column("ordinal"), np.int64),
        pages=np.array(column("page"), np.int64),
    )
