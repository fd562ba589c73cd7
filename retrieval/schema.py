"""The Milvus schema of a collection, and chunks to rows and back.

Knows field names and their limits; knows nothing of searching.
"""

import hashlib
import json
import re
from dataclasses import asdict

from core.seams import IndexRow
from core.text import detect_language
from core.types import Box, Chunk, ElementKind

PREFIX = "attest_"
MAX_TEXT_BYTES = 65_535
OUTPUT_FIELDS = [
    "id", "document_id", "ordinal", "text", "title", "uri", "headings", "page", "boxes", "kind",
]  # fmt: skip


def physical_name(collection: str) -> str:
    """The name in Milvus of a collection: Milvus takes letters, digits and `_` only, so
    other names are told apart by a hash."""
    readable = re.sub(r"[^A-Za-z0-9]+", "_", collection)[:40]
    return f"{PREFIX}{readable}_{hashlib.sha256(collection.encode()).hexdigest()[:8]}"


def build_schema(client, dimensions: int, memo: str):
    """A pymilvus CollectionSchema; `memo` is kept with the collection."""
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
    schema.add_field("language", DataType.VARCHAR, max_length=8)
    schema.add_field(
        "readers", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=256, max_length=512
    )
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimensions)
    schema.add_field("lexical", DataType.SPARSE_FLOAT_VECTOR)
    return schema


def build_indexes(client, is_lite: bool):
    """Exact search on Lite (its graph index loses hits under a filter); the server's own
    choice elsewhere."""
    indexes = client.prepare_index_params()
    dense = "FLAT" if is_lite else "AUTOINDEX"
    indexes.add_index(field_name="dense", index_type=dense, metric_type="IP")
    indexes.add_index(field_name="lexical", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    return indexes


def to_row(row: IndexRow) -> dict:
    """One Milvus row. An empty sparse vector is refused by Milvus, so it gets a weight that
    no query can meet."""
    chunk = row.chunk
    return {
        "id": chunk.id,
        "document_id": chunk.document_id,
        "ordinal": chunk.order,
        "text": chunk.text,
        "title": chunk.title,
        "uri": chunk.uri,
        "headings": json.dumps(chunk.headings, ensure_ascii=False),
        "page": chunk.page or 0,
        "boxes": json.dumps([list(asdict(box).values()) for box in chunk.boxes]),
        "kind": chunk.kind.value,
        "language": detect_language(chunk.text),
        "readers": list(row.readers),
        "dense": row.dense.tolist(),
        "lexical": dict(row.lexical) or {2**32 - 2: 1e-6},
    }


def to_chunk(entity: dict) -> Chunk:
    """The chunk of a Milvus row."""
    return Chunk(
        id=entity["id"],
        document_id=entity["document_id"],
        order=entity["ordinal"],
        text=entity["text"],
        title=entity["title"],
        uri=entity["uri"],
        headings=tuple(json.loads(entity["headings"])),
        page=entity["page"] or None,
        boxes=tuple(Box(*values) for values in json.loads(entity["boxes"])),
        kind=ElementKind(entity["kind"]),
    )
