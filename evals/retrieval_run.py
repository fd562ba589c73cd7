"""One evaluation of retrieval from a folder to a report.

Knows the order of the steps: read, add distractors, index (or find the kept index), ask,
report. The product under measurement is handed in.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from app.services import Services
from core.types import Scope
from evals.beir import RetrievalSet, read_retrieval_set
from evals.indexing import (
    Corpus,
    IndexReport,
    KeptIndex,
    Progress,
    add_distractors,
    document_id,
    new_collection,
    settings_fingerprint,
    shown_settings,
    write_corpus,
)
from evals.retrieval import ask_queries, report_runs, sample

SECTIONS = ("milvus", "embedder", "retrieval", "ingest")


@dataclass(frozen=True, slots=True)
class RetrievalJob:
    """What shall be evaluated. `kept` is the data directory when it is to be reused."""

    folder: Path
    distractors: Sequence[Path] = ()
    limit_queries: int | None = None
    kept: Path | None = None


def evaluate_retrieval(job: RetrievalJob, services: Services, on_progress: Progress) -> dict:
    """The whole report, as `attest eval retrieval --json` prints it. The data directory of
    `services` is `job.kept` when that is given, else one that nobody needs afterwards.

    Raises:
        InputError: the folder is broken.
        ServiceError: the store fails or weights are missing.
    """
    data = read_retrieval_set(job.folder)
    corpus = add_distractors(data.documents, job.distractors)
    asked = sample(data.queries, job.limit_queries)
    documents = {document_id(document): document.id for document in corpus.all}
    with _indexed(job, services, corpus, on_progress) as (collection, indexed):
        runs = ask_queries(services.retriever(), Scope(collection), asked, documents, on_progress)
    sections = shown_settings(services.settings, SECTIONS)
    return {
        "kind": "retrieval",
        "set": data.name,
        "settings_fingerprint": settings_fingerprint(sections),
        "embedder": services.index().fingerprint,
        "settings": sections,
        "counts": _counts(data, indexed, len(asked)),
        "indexing": _speed(indexed),
        **report_runs(runs),
    }


@contextmanager
def _indexed(
    job: RetrievalJob, services: Services, corpus: Corpus, on_progress: Progress
) -> Iterator[tuple[str, IndexReport]]:
    """A collection with the corpus. One that is not kept is removed, which matters on a
    server: there it lies among others."""
    if job.kept is not None:
        yield _kept(job.kept, services, corpus, on_progress)
        return
    index, collection = services.index(), new_collection()
    try:
        yield collection, write_corpus(index, collection, corpus, services.settings.ingest, on_progress)
    finally:
        index.drop_collection(collection)


def _kept(folder: Path, services: Services, corpus: Corpus, on_progress: Progress) -> tuple[str, IndexReport]:
    KeptIndex.check(folder)  # before the store makes its files there
    index = services.index()
    kept = KeptIndex(folder, index, corpus, services.settings)
    if found := kept.find():
        return found
    collection = kept.begin()
    report = write_corpus(index, collection, corpus, services.settings.ingest, on_progress)
    kept.finish(collection, report)
    return collection, report


def _counts(data: RetrievalSet, indexed: IndexReport, asked: int) -> dict:
    figures = asdict(indexed)
    names = ("documents", "distractors", "doubled_distractors", "empty", "chunks")
    return {
        **{name: figures[name] for name in names},
        "queries": asked,
        "judged_queries": len(data.queries),
        "unjudged_queries": data.unjudged,
        "judgements": data.judgements,
    }


def _speed(indexed: IndexReport) -> dict:
    count = indexed.documents + indexed.distractors
    rate = round(count / indexed.seconds, 1) if indexed.seconds else None
    return {"seconds": indexed.seconds, "documents_per_s": rate, "reused": indexed.reused}
