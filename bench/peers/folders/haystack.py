"""Haystack: its converter of several kinds of file, recursive splitter, embedder and store.

`python -m bench.peers.folders.haystack MODEL FOLDER`.
"""

from pathlib import Path

from haystack.components.converters import MultiFileConverter
from haystack.components.preprocessors import RecursiveDocumentSplitter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
)

from bench.peers.folders.clock import Pipeline, Texts, main

CHUNK_CHARS = 700
SEPARATORS = ["\n\n", "\n", "。", ". ", " "]
"""Its own ones split sentences by a model that has to be fetched first."""


def load(model: str) -> Pipeline:
    """The components, warm."""
    converter = MultiFileConverter()
    splitter = RecursiveDocumentSplitter(split_length=CHUNK_CHARS, split_unit="char", separators=SEPARATORS)
    embedder = SentenceTransformersDocumentEmbedder(model=model, prefix="passage: ", progress_bar=False)
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    for component in (splitter, embedder):
        component.warm_up()

    def ingest(folder: Path) -> Texts:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        documents = converter.run(sources=files)["documents"]
        parts = splitter.run(documents=documents)["documents"]
        store.write_documents(embedder.run(documents=parts)["documents"])
        return lambda: [part.content for part in parts]

    return ingest


if __name__ == "__main__":
    main(load)
