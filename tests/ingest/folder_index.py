"""A stand-in for ingest.document_index.DocumentIndex: chunks as JSON files, durable enough to be killed."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from core.types import chunk_id


@dataclass(frozen=True)
class Embedded:
    """A document and its chunks; there are no vectors here."""

    document: object
    chunks: tuple


class FolderIndex:
    """The surface of DocumentIndex over a folder. `fail_after` chunks a write stops half-way."""

    def __init__(self, folder: Path, fingerprint: str = "fake-1") -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self.history: list[tuple[str, str]] = []
        self.fail_with: Exception | None = None
        self.refused: dict[str, Exception] = {}

    def open_collection(self, collection):
        if collection in self.refused:
            raise self.refused[collection]
        (self.folder / collection).mkdir(parents=True, exist_ok=True)

    def write_document(self, document, chunks):
        self.history.append(("write", document.uri))
        for at, chunk in enumerate(chunks):
            if self.fail_with is not None and at == 1:
                raise self.fail_with
            row = {
                "chunk_id": chunk.id,
                "document_id": document.id,
                "uri": chunk.uri,
                "title": chunk.title,
                "text": chunk.text,
                "headings": chunk.headings,
                "context_line": chunk.context_line,
                "readers": document.readers,
            }
            place = self.folder / document.collection / f"{chunk.id}.json"
            fresh = place.with_suffix(".new")
            fresh.write_text(json.dumps(row), encoding="utf-8")
            os.replace(fresh, place)

    def write_tables(self, document, tables):
        return [placed.table.filled for placed in tables]

    def write_figures(self, document, figures):
        return len({figure.name for figure in figures})

    def documents_with_lines(self, collection):
        return set()

    def forget_lines(self, collection, document_ids):
        assert not document_ids

    graph_fingerprint = ""

    def prepare_graph(self, document, chunks):
        return None

    def documents_with_replies(self, collection):
        return set()

    def forget_replies(self, collection, document_ids):
        assert not document_ids

    def documents_in_communities(self, collection):
        return set()

    def forget_communities(self, collection, document_ids):
        assert not document_ids

    def remove_chunks(self, collection, document_id):
        return self.remove_document(collection, document_id)

    def embed(self, documents):
        return [Embedded(document, tuple(chunks)) for document, chunks in documents]

    def write_embedded(self, collection, documents, stale=()):
        for document_id in stale:
            self.remove_document(collection, document_id)
        for made in documents:
            self.write_document(made.document, made.chunks)

    def copy_document(self, document, source_id):
        self.history.append(("copy", document.uri))
        rows = [row for row in self.rows(document.collection) if row["document_id"] == source_id]
        for row in rows:
            name = chunk_id(document.id, int(row["chunk_id"].rpartition("-")[2]))
            place = self.folder / document.collection / f"{name}.json"
            stamped = {"chunk_id": name, "document_id": document.id, "uri": document.uri}
            fresh = place.with_suffix(".new")
            fresh.write_text(json.dumps(row | stamped | {"readers": document.readers}), encoding="utf-8")
            os.replace(fresh, place)
        return len(rows)

    def remove_documents(self, collection, document_ids):
        return sum(self.remove_document(collection, document_id) for document_id in document_ids)

    def count_parts(self, collection):
        return {"chunks": self.count_chunks(collection)}

    def repeated_ids(self, collection):
        return []

    def uris_of_chunks(self, collection):
        uris = {}
        for row in self.rows(collection):
            uris.setdefault(row["document_id"], set()).add(row["uri"])
        return uris

    def remove_document(self, collection, document_id):
        self.history.append(("remove", document_id))
        gone = [p for p in self._files(collection) if self._read(p)["document_id"] == document_id]
        for path in gone:
            path.unlink()
        return len(gone)

    def drop_collection(self, collection):
        existed = (self.folder / collection).is_dir()
        shutil.rmtree(self.folder / collection, ignore_errors=True)
        return existed

    def collections(self):
        return sorted(p.name for p in self.folder.iterdir()) if self.folder.is_dir() else []

    def count_chunks(self, collection):
        counts = {}
        for row in self.rows(collection):
            counts[row["document_id"]] = counts.get(row["document_id"], 0) + 1
        return counts

    def count_tokens(self, text):
        return sum(2 if ord(c) > 0x2E80 else 1 for c in text) // 2 + 1

    def close(self):
        self.history.append(("close", ""))

    def rows(self, collection="default"):
        return [self._read(p) for p in self._files(collection)]

    def texts(self, collection="default"):
        return [row["text"] for row in self.rows(collection)]

    def _files(self, collection):
        folder = self.folder / collection
        return sorted(folder.glob("*.json")) if folder.is_dir() else []

    @staticmethod
    def _read(path):
        return json.loads(path.read_text(encoding="utf-8"))
