"""One evaluation of retrieval from a folder to a report.

Knows the order of the steps: read, add distractors, index (or find the kept index), ask,
report. The product under measurement is handed in.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from app.services import Services
from evals.beir import RetrievalSet, read_retrieval_set
from evals.indexing import (
    Corpus,
    IndexReport,
    KeptIndex,
    Progress,
    add_distractors,
    document_id,
    settings_fingerprint,
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
    indexed = _index(job, services, corpus, on_progress)
    documents = {document_id(document): document.id for document in corpus.all}
    asked = sample(data.queries, job.limit_queries)
    runs = ask_queries(services.retriever(), asked, documents, on_progress)
    sections = services.settings.model_dump(mode="json", include=set(SECTIONS))
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


def _index(job: RetrievalJob, services: Services, corpus: Corpus, on_progress: Progress) -> IndexReport:
    if job.kept is None:
        return write_corpus(services.index(), corpus, services.settings.ingest, on_progress)
    KeptIndex.check(job.kept)  # before the store makes its files there
    kept = KeptIndex(job.kept, services.index(), corpus, services.settings.ingest)
    if report := kept.report():
        return report
    kept.begin()
    report = write_corpus(services.index(), corpus, services.settings.ingest, on_progress)
    kept.finish(report)
    return report


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
