"""LlamaIndex: its directory reader, sentence splitter and in-memory vector index.

`python -m bench.peers.folders.llama_index MODEL FOLDER`.
"""

from pathlib import Path

from llama_index.core import SimpleDirectoryReader, VectorStoreIndex
from llama_index.core.node_parser import SentenceSplitter
from llama_index.embeddings.huggingface import HuggingFaceEmbedding

from bench.peers.folders.clock import Pipeline, Texts, main

CHUNK_TOKENS = 300
"""Of its default tokenizer, GPT's: about as much text as the others have in a chunk."""


def load(model: str) -> Pipeline:
    """The embedder, loaded."""
    embedder = HuggingFaceEmbedding(model_name=model, query_instruction="query:", text_instruction="passage:")
    splitter = SentenceSplitter(chunk_size=CHUNK_TOKENS, chunk_overlap=0)

    def ingest(folder: Path) -> Texts:
        documents = SimpleDirectoryReader(input_dir=str(folder), recursive=True).load_data()
        nodes = splitter.get_nodes_from_documents(documents)
        VectorStoreIndex(nodes, embed_model=embedder)
        return lambda: [node.get_content() for node in nodes]

    return ingest


if __name__ == "__main__":
    main(load)
