"""The Milvus schema of a collection, and chunks to rows and back.

Knows field names and their limits; knows nothing of searching.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict

import numpy as np

from core.errors import InputError
from core.seams import IndexRow
from core.text import detect_language
from core.types import Box, Chunk, Document, ElementKind, chunk_id
from retrieval.embedded_text import words_of
from retrieval.filters import access_field, check_name

MAX_TEXT_BYTES = 65_535
MAX_READERS = 256
LEXICAL = "lexical"
ACCESS = "access"
FIGURE = "figure"
CONTEXT_LINE = "context_line"
OUTPUT_FIELDS = [
    "id", "document_id", "ordinal", "text", "title", "uri", "headings", "page", "boxes", "kind", FIGURE,
]  # fmt: skip
LATER_FIELDS = frozenset({FIGURE})
"""Those that a collection of an earlier version lacks, until it is rebuilt."""


def output_fields(has: Collection[str]) -> list[str]:
    """What to read of a row of a collection that has these fields."""
    return [name for name in OUTPUT_FIELDS if name not in LATER_FIELDS or name in has]


def build_schema(client, dimensions: int, memo: str, has_sparse: bool):
    """A pymilvus CollectionSchema; `memo` is kept with the collection. Without sparse
    vectors there is no lexical field."""
    from pymilvus import DataType

    schema = client.create_schema(
        auto_id=False, enable_dynamic_field=False, description=memo
    )
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("document_id", DataType.VARCHAR, max_length=64)
    schema.add_field("ordinal", DataType.INT64)
    for name in ("text", "title", "uri", "headings", "boxes"):
        schema.add_field(name, DataType.VARCHAR, max_length=MAX_TEXT_BYTES)
    schema.add_field("page", DataType.INT64)
    schema.add_field("kind", DataType.VARCHAR, max_length=16)
    schema.add_field(FIGURE, DataType.VARCHAR, max_length=64)
    schema.add_field("language", DataType.VARCHAR, max_length=8)
    schema.add_field(
        "readers",
        DataType.ARRAY,
        element_type=DataType.VARCHAR,
        max_capacity=MAX_READERS,
        max_length=512,
    )
    schema.add_field(ACCESS, DataType.VARCHAR, max_length=MAX_TEXT_BYTES)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimensions)
    if has_sparse:
        schema.add_field(LEXICAL, DataType.SPARSE_FLOAT_VECTOR)
    return schema


def build_indexes(client, is_lite: bool, has_sparse: bool):
    """Exact search on Lite (its graph index loses hits under a filter) and no index on a
    scalar there (a mask over the column is as quick); the server's own choice elsewhere.
    Each has its field's name: servers by themselves choose one thing or another."""
    indexes = client.prepare_index_params()
    dense = "FLAT" if is_lite else "AUTOINDEX"
    indexes.add_index("dense", index_type=dense, index_name="dense", metric_type="IP")
    if has_sparse:
        kind = "SPARSE_INVERTED_INDEX"
        indexes.add_index(LEXICAL, index_type=kind, index_name=LEXICAL, metric_type="IP")
    if has_sparse and not is_lite:  # the same release brought both
        for field in ("readers", "document_id", "uri"):
            indexes.add_index(field, index_type="INVERTED", index_name=field)
    return indexes


def to_row(row: IndexRow, fields: Collection[str]) -> dict:
    """One Milvus row of the fields that the collection has. An empty sparse vector is
    refused by Milvus, so it gets a weight that no query can meet."""
    chunk = row.chunk
    values = {
        "id": chunk.id,
        "document_id": chunk.document_id,
        "ordinal": chunk.order,
        "text": chunk.text,
        "title": chunk.title,
        "uri": chunk.uri,
        "headings": _place(chunk),
        "page": chunk.page or 0,
        "boxes": json.dumps([list(asdict(box).values()) for box in chunk.boxes]),
        "kind": chunk.kind.value,
        FIGURE: chunk.figure,
        "language": detect_language(words_of(chunk)),
        "readers": list(row.readers),
        ACCESS: access_field(row.readers),
        "dense": row.dense.tolist(),
        LEXICAL: dict(row.lexical) or {2**32 - 2: 1e-6},
    }
    return {name: values[name] for name in fields}


def check_row(row: IndexRow, values: Mapping) -> None:
    """Raises InputError for what the store would refuse with a whole request, or, on Lite,
    take and give back broken."""
    if not np.isfinite(row.dense).all():
        raise InputError(f"the vector of chunk {row.chunk.id} is not finite")
    for name in ("text", "title", "uri", "headings", "boxes"):
        if (size := len(values[name].encode())) > MAX_TEXT_BYTES:
            raise InputError(
                f"the {name} of chunk {row.chunk.id} takes {size} bytes, more than {MAX_TEXT_BYTES}"
            )
    if not 1 <= len(row.readers) <= MAX_READERS:
        raise InputError(
            f"chunk {row.chunk.id} has {len(row.readers)} readers, not 1 to {MAX_READERS}",
            remedy="give a group a name and make it the reader",
        )
    for reader in row.readers:
        check_name("reader", reader)


def restamp(entity: Mapping, document: Document, fields: Collection[str]) -> dict:
    """A stored row as one of `document`: its id, uri and readers; words and vectors stay."""
    values = {name: entity[name] for name in fields} | {
        "id": chunk_id(document.id, entity["ordinal"]),
        "document_id": document.id,
        "uri": document.uri,
        "readers": list(document.readers),
        ACCESS: access_field(document.readers),
    }
    return {name: values[name] for name in fields}


def to_index_row(entity: Mapping, dense: np.ndarray) -> IndexRow:
    """A stored row with another dense vector: what a rebuilt collection gets."""
    return IndexRow(to_chunk(entity), dense, entity.get(LEXICAL, {}), tuple(entity["readers"]))


def to_chunk(entity: Mapping) -> Chunk:
    """The chunk of a Milvus row."""
    headings, context_line = _read_place(entity["headings"])
    return Chunk(
        id=entity["id"],
        document_id=entity["document_id"],
        order=entity["ordinal"],
        text=entity["text"],
        title=entity["title"],
        uri=entity["uri"],
        headings=headings,
        page=entity["page"] or None,
        boxes=tuple(Box(*values) for values in _parsed(entity["boxes"])),
        kind=ElementKind(entity["kind"]),
        figure=entity.get(FIGURE, ""),
        context_line=context_line,
    )


def _place(chunk: Chunk) -> str:
    """The heading path as a list; with a context line an object of both, so that collections
    of every age can hold one."""
    if not chunk.context_line:
        return json.dumps(chunk.headings, ensure_ascii=False)
    place = {"path": chunk.headings, CONTEXT_LINE: chunk.context_line}
    return json.dumps(place, ensure_ascii=False)


def _read_place(text: str) -> tuple[tuple[str, ...], str]:
    place = _parsed(text)
    return (tuple(place), "") if isinstance(place, list) else (tuple(place["path"]), place[CONTEXT_LINE])


def _parsed(text: str) -> list | dict:
    return json.loads(text) if text != "[]" else []
