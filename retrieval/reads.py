"""Reading by Milvus itself: conditions become an expression, rows become hits.

Knows the client and an edition; knows nothing of writing or of which edition is live.
Every read carries the condition on readers.
"""

from collections.abc import Sequence

from core.conditions import Condition
from core.types import Chunk, Hit, Scope, Stage
from retrieval import schema
from retrieval.catalogue import Edition
from retrieval.connections import Connection, translated
from retrieval.filters import read_expression

Query = tuple[Stage, object]
"""A leg and its vector: a list of numbers, or weights by term."""


class MilvusReads:
    """Searches over one connection. Thread-safe."""

    def __init__(self, connection: Connection) -> None:
        self._client = connection.client
        self._options = connection.read_options

    def search(
        self, edition: Edition, scope: Scope, query: Query, limit: int, where: Sequence[Condition]
    ) -> list[Hit]:
        """Best first, level ones by id.

        Raises:
            StoreError: Milvus failed.
        """
        stage, vector = query
        with translated():
            found = self._client.search(
                edition.address,
                data=[vector],
                anns_field=stage.value,
                filter=read_expression(scope, where, edition.readership),
                limit=limit,
                search_params={"metric_type": "IP"},
                output_fields=schema.output_fields(edition.fields),
                **self._options,
            )[0]
        hits = [(schema.to_chunk(hit["entity"]), float(hit["distance"])) for hit in found]
        hits.sort(key=lambda pair: (-pair[1], pair[0].id))
        return [
            Hit(chunk, score, stage, {stage.value: rank})
            for rank, (chunk, score) in enumerate(hits, start=1)
        ]

    def find_chunks(
        self, edition: Edition, scope: Scope, where: Sequence[Condition], limit: int
    ) -> list[Chunk]:
        """By document and order; of more than `limit` it is not said which.

        Raises:
            StoreError: Milvus failed.
        """
        expression = read_expression(scope, where, edition.readership)
        with translated():
            rows = self._client.query(
                edition.address,
                filter=expression,
                output_fields=schema.output_fields(edition.fields),
                limit=limit,
                **self._options,
            )
        chunks = map(schema.to_chunk, rows)
        return sorted(chunks, key=lambda chunk: (chunk.document_id, chunk.order, chunk.id))
