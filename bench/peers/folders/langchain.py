"""LangChain: its loaders by kind of file, recursive splitter and in-memory vector store.

`python -m bench.peers.folders.langchain MODEL FOLDER`.
"""

from pathlib import Path

from langchain_community.document_loaders import BSHTMLLoader, Docx2txtLoader, PyPDFLoader, TextLoader
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

from bench.peers.folders.clock import Pipeline, Texts, main

CHUNK_CHARS = 700
LOADERS = {".pdf": PyPDFLoader, ".docx": Docx2txtLoader, ".html": BSHTMLLoader}


def load(model: str) -> Pipeline:
    """The embeddings, loaded."""
    embeddings = HuggingFaceEmbeddings(model_name=model, encode_kwargs={"prompt": "passage: "})
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=CHUNK_CHARS, chunk_overlap=0, separators=["\n\n", "\n", "。", ". ", " ", ""]
    )
    store = InMemoryVectorStore(embeddings)

    def ingest(folder: Path) -> Texts:
        documents = []
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            loader = LOADERS.get(path.suffix, lambda name: TextLoader(name, encoding="utf-8"))
            documents += loader(str(path)).load()
        parts = splitter.split_documents(documents)
        store.add_documents(parts)
        return lambda: [part.page_content for part in parts]

    return ingest


if __name__ == "__main__":
    main(load)
