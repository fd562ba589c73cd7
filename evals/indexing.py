"""A corpus into a collection by the product's own write path, and distractors beside it.

Each document is read as plain text, cut by the chunker of the ingest and written as the
ingest writes it. Knows corpora and the index; knows nothing of queries or measures.
"""

import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import retrieval
from core.addresses import hide_credentials
from core.errors import ConflictError, InputError
from core.settings import IngestSettings, Settings
from core.types import Document
from evals.beir import CORPUS, POOLS, QUERIES, CorpusDocument, read_corpus
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.parsers.plain import parse_plain
from retrieval.index import ChunkIndex

MEMO = "evaluation.json"
_OUTSIDE = (
    "core/text.py",
    "ingest/chunker.py",
    "ingest/parsers/plain.py",
    "ingest/parsers/tables.py",
    "ingest/pieces.py",
)
# Read at each question only. Whatever else comes into the folder counts as write path: an
# index built once too often costs a minute, one that is stale costs a wrong figure.
_READ_PATH = re.compile(
    r"retriever|rerank|fus|candidates|expan|quer|dates|budget|copies|evidence|pieces|relevance|token_cache"
)
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What was indexed. `empty` counts documents without any text, which no search can find.
    With `reused`, `seconds` are those of the run that built the index."""

    documents: int
    distractors: int
    doubled_distractors: int
    empty: int
    chunks: int
    seconds: float
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of a set with its distractors, whose ids clash with none of the set."""

    documents: Sequence[CorpusDocument]
    distractors: Sequence[CorpusDocument] = ()
    doubled: int = 0

    @property
    def all(self) -> list[CorpusDocument]:
        """The set's own documents first."""
        return [*self.documents, *self.distractors]


def new_collection() -> str:
    """A name that no collection has: on a server, the user's own lie beside it."""
    return f"evaluation-{secrets.token_hex(6)}"


def add_distractors(documents: Sequence[CorpusDocument], folders: Sequence[Path]) -> Corpus:
    """The documents with those of other corpora. A text that is there already is skipped: it
    could be the answer.

    Raises:
        InputError: a folder holds no corpus.
    """
    seen = {_bare(document) for document in documents}
    kept: list[CorpusDocument] = []
    doubled = 0
    for number, folder in enumerate(folders, start=1):
        for path in corpus_files(folder):
            for document in read_corpus(path):
                if _bare(document) in seen:
                    doubled += 1
                    continue
                seen.add(_bare(document))
                identity = f"distractor {number}:{path.parent.name}/{path.stem}:{document.id}"
                kept.append(CorpusDocument(identity, document.text, document.title))
    return Corpus(documents, kept, doubled)


def corpus_files(folder: Path) -> list[Path]:
    """The folder's corpus.jsonl, else each .jsonl in it that is no query file."""
    if (folder / CORPUS).is_file():
        return [folder / CORPUS]
    found = sorted(path for path in folder.glob("*.jsonl") if path.name not in (QUERIES, POOLS))
    if not found:
        raise InputError(f"{folder} holds no corpus", remedy=f"it needs a {CORPUS} or other .jsonl corpora")
    return found


def document_id(document: CorpusDocument) -> str:
    """The id in the index: equal texts under two ids stay two documents."""
    parts = json.dumps([document.id, document.title, document.text])
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


def write_corpus(
    index: ChunkIndex, collection: str, corpus: Corpus, settings: IngestSettings, on_progress: Progress
) -> IndexReport:
    """Indexes every document in a new collection.

    Raises:
        InputError: a document cannot be indexed; names it.
        ServiceError: the store fails or weights are missing.
    """
    index.open_collection(collection)
    limits = ChunkLimits(settings.chunk_tokens, settings.overlap_tokens)
    begun, chunks, empty = time.perf_counter(), 0, 0
    documents = corpus.all
    for at, document in enumerate(documents, start=1):
        written = _write(index, collection, document, limits)
        chunks += written
        empty += not written
        on_progress(f"indexed {at} of {len(documents)} documents")
    seconds = round(time.perf_counter() - begun, 2)
    return IndexReport(len(corpus.documents), len(corpus.distractors), corpus.doubled, empty, chunks, seconds)


def _write(index: ChunkIndex, collection: str, source: CorpusDocument, limits: ChunkLimits) -> int:
    """The number of chunks."""
    identity = document_id(source)
    text = source.text.replace("\r\n", "\n").replace("\r", "\n")
    title = " ".join(source.title.split())
    document = Document(identity, source.id, title, "text/plain", len(text), collection)
    elements = parse_plain(text) if text.strip() else parse_plain(title)
    chunks = chunk_elements(document, elements, limits, index.count_tokens)
    if chunks:
        try:
            index.write_document(document, chunks)
        except InputError as exc:
            raise InputError(f"document {source.id!r}: {exc.message}", remedy=exc.remedy) from exc
    return len(chunks)


class KeptIndex:
    """The memo of an index that several runs share: what it was built from, the collection
    that holds it, and its report.

    An index counts as the same when the corpus, the settings of the chunker, the embedder,
    the store and the source code of the write path are the same.
    """

    def __init__(self, folder: Path, index: ChunkIndex, corpus: Corpus, settings: Settings) -> None:
        self._path = folder / MEMO
        self._index = index
        self._made_from = {
            "corpus": corpus_fingerprint(corpus),
            "chunks": [settings.ingest.chunk_tokens, settings.ingest.overlap_tokens],
            "index": index.fingerprint,
            "store": settings.milvus.uri,
            "write_path": code_fingerprint(write_path_files()),
        }

    @staticmethod
    def check(folder: Path) -> None:
        """Raises InputError when the folder holds something else than such an index."""
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is no folder", remedy="name a new one with --keep-data")
        if folder.is_dir() and any(folder.iterdir()) and not (folder / MEMO).exists():
            raise ConflictError(
                f"{folder} was not made by attest eval", remedy="name a new or empty folder with --keep-data"
            )

    def find(self) -> tuple[str, IndexReport] | None:
        """The collection and what it holds; None when there is none that fits."""
        memo = self._read()
        if memo.get("made_from") != self._made_from or "report" not in memo:
            return None
        if memo["collection"] not in self._index.collections():
            return None
        return memo["collection"], IndexReport(**{**memo["report"], "reused": True})

    def begin(self) -> str:
        """The name of a new collection, which is not whole yet; the one before is removed."""
        if former := self._read().get("collection"):
            self._index.drop_collection(former)
        collection = new_collection()
        self._write({"collection": collection})
        return collection

    def finish(self, collection: str, report: IndexReport) -> None:
        """The index is whole."""
        self._write({"collection": collection, "made_from": self._made_from, "report": asdict(report)})

    def _read(self) -> dict:
        try:
            return json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def _write(self, memo: dict) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(memo, indent=1), encoding="utf-8")


def corpus_fingerprint(corpus: Corpus) -> str:
    """Changes with any id, title or text, and with their order."""
    return _digest(document_id(document) for document in corpus.all)


def write_path_files() -> list[Path]:
    """The source files that decide what stands in an index."""
    folder = Path(retrieval.__file__).parent
    inside = [
        p for p in sorted(folder.rglob("*.py")) if not _READ_PATH.search(p.relative_to(folder).as_posix())
    ]
    return [*inside, *(folder.parent / name for name in _OUTSIDE)]


def code_fingerprint(files: Iterable[Path]) -> str:
    """Changes with the text of any of the files."""
    return _digest(f"{path.name} {path.read_text(encoding='utf-8')}" for path in files)


def shown_settings(settings: Settings, sections: Iterable[str]) -> dict:
    """These sections as a report tells them: without keys, and without passwords in addresses."""
    return _shown(settings.model_dump(mode="json", include=set(sections)))


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _shown(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shown(inner) for inner in value]
    return hide_credentials(value) if isinstance(value, str) else value


def settings_fingerprint(settings: Mapping) -> str:
    """Changes with any setting that is given, in whatever order they stand."""
    return _digest([json.dumps(settings, sort_keys=True, ensure_ascii=False)])


def _digest(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part.encode()).digest())
    return digest.hexdigest()[:16]


def _bare(document: CorpusDocument) -> str:
    return "".join(f"{document.title}{document.text}".split())
