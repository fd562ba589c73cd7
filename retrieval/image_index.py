"""The image leg: one vector for each picture of a collection, in a store of its own.

Beside the chunks' collection stands one of the same name and fields, which holds for each
picture the chunk that speaks of it (docs/decisions/009-image-field.md): so readers and filters
hold here exactly as they do there, by the same code. It is made when the first picture gets a
vector. Knows vectors and stores; knows nothing of files.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.conditions import Condition
from core.errors import ConflictError, NotFoundError
from core.seams import ImageEmbedder, IndexRow, VectorStore
from core.types import Chunk, Document, Figure, Hit, Scope, Stage

STORE_PREFIX = "attestimages_"
"""What the Milvus collections of pictures begin with: not with what those of chunks do."""
# What a text says that is about no picture in particular. The mean of their vectors is taken from
# that of a question: a model puts some pictures near to all texts, and all texts near to each other.
_ANYTHING = (
    "a picture", "a photo of something", "a page of a document", "some text", "a diagram",
    "a chart", "a person", "a thing", "一张图片", "一段文字", "一个文件", "某个东西",
)  # fmt: skip
_log = logging.getLogger(__name__)


class ImageIndex:
    """Writes, finds and removes picture vectors. Every write is idempotent and durable when it
    returns. Thread-safe."""

    def __init__(self, store: VectorStore, embedder: ImageEmbedder, margin: float) -> None:
        """`store` is not that of the chunks; `margin` as `image_embedder.margin`."""
        self._store = store
        self._embedder = embedder
        self._margin = margin
        self._lock = threading.Lock()
        self._anything: np.ndarray | None = None

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same picture would get another vector."""
        return self._embedder.fingerprint

    def write_document(self, document: Document, pictures: Sequence[tuple[Chunk, Figure]]) -> None:
        """Vectors for the pictures of a version, each with the chunk that speaks of it; those
        that it had go."""
        self.remove_documents(document.collection, [document.id])
        if not pictures:
            return
        vectors = self._embedder.embed_images([figure for _, figure in pictures])
        self._open(document.collection)
        self._store.upsert(
            document.collection,
            [
                IndexRow(chunk, vector, {}, document.readers)
                for (chunk, _), vector in zip(pictures, vectors, strict=True)
            ],
        )

    def copy_document(self, document: Document, source_id: str) -> int:
        """See `VectorStore.copy_document`; 0 as well when there are no pictures at all."""
        if not self._is_there(document.collection):
            return 0
        return self._store.copy_document(document, source_id)

    def remove_documents(self, collection: str, document_ids: Sequence[str]) -> int:
        """Removes the vectors of some versions; returns how many there were."""
        if not self._is_there(collection):
            return 0
        return self._store.delete_documents(collection, document_ids)

    def drop_collection(self, collection: str) -> bool:
        """Forgets all pictures of a collection; False when there were none."""
        return self._store.drop_collection(collection)

    def count_images(self, collection: str) -> dict[str, int]:
        """Vectors of each document id, by the present embedder."""
        is_current = self._is_there(collection) and self._is_current(collection)
        return self._store.count_chunks(collection) if is_current else {}

    def search(
        self, scope: Scope, text: str, limit: int, where: Sequence[Condition] = ()
    ) -> tuple[list[Hit], str]:
        """The pictures that a text describes better than texts in general do, best first, with
        stage IMAGE; and a note when pictures could not be looked at. A score of 1 is a picture
        that is nearer by the margin.

        Raises:
            EmbedderError, StoreError: never an empty result instead.
        """
        if not self._is_there(scope.collection):
            return [], ""
        if not self._is_current(scope.collection):
            return [], "image: another embedder made the vectors; run: attest rebuild --rechunk"
        vector = self._embedder.embed_texts([text])[0] - self._mean_text()
        found = self._store.search_dense(scope, vector, limit, where)
        stage = Stage.IMAGE
        hits = [
            replace(hit, score=hit.score / self._margin, stage=stage, ranks={stage.value: rank})
            for rank, hit in enumerate(found, start=1)
            if hit.score > 0
        ]
        return hits, ""

    def _mean_text(self) -> np.ndarray:
        with self._lock:
            if self._anything is None:
                self._anything = self._embedder.embed_texts(_ANYTHING).mean(axis=0)
            return self._anything

    def _open(self, collection: str) -> None:
        """Ready for vectors of the present embedder; those of another say nothing beside them and
        can all be made again, so they go."""
        dimensions, fingerprint = self._embedder.dimensions, self._embedder.fingerprint
        try:
            self._store.open_collection(collection, dimensions, fingerprint)
        except ConflictError as error:
            _log.warning("the picture vectors of %s are made anew: %s", collection, error.message)
            self._store.drop_collection(collection)
            self._store.open_collection(collection, dimensions, fingerprint)

    def _is_there(self, collection: str) -> bool:
        try:
            self._store.check_embedder(collection, "")  # without loading the model
        except NotFoundError:
            return False
        except ConflictError:
            return True
        return True

    def _is_current(self, collection: str) -> bool:
        try:
            self._store.check_embedder(collection, self._embedder.fingerprint)
        except (NotFoundError, ConflictError):
            return False
        return True
