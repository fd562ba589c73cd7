"""Does a line of context a chunk pay? `python -m evals.context_line XQUAD_FOLDER`.

A document is an article of XQuAD's development half, without its title; a question finds its
paragraph among those of all articles, within and across Chinese and English. Searched are the paragraphs
alone, with a line by the settings' chat model in front of each chunk, and, to compare with
what is free, with the article's title in front. `--keep FOLDER` keeps the lines: a run that
was stopped goes on there. Writes bench/results/context_line.json.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.chat_models import connect_chat
from app.services import Services
from core.errors import ChatModelError
from core.settings import load_settings
from core.telemetry import silence_libraries
from core.types import Chunk, Document, Element, ElementKind, Scope, chunk_id
from evals.beir import JudgedQuery
from evals.comparison import Run, paired
from evals.indexing import new_collection
from evals.record import write_result
from evals.retrieval import ask_queries, report_runs
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.context_lines import ContextLines

LANGUAGES = ("zh", "en")
ARTICLES = 24
MEASURES = {"dense": "legs.dense.ndcg@10", "lexical": "legs.lexical.ndcg@10", "whole": "ndcg@10"}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, the questions that it answers, and its chunks in their article."""

    id: str
    questions: Sequence[JudgedQuery]
    chunks: Sequence[Chunk]


@dataclass(frozen=True, slots=True)
class Article:
    """An article as a document of several paragraphs."""

    document: Document
    title: str
    paragraphs: Sequence[Paragraph]


def read_articles(path: Path, most: int, services: Services) -> list[Article]:
    """At most `most` articles of a file in the SQuAD layout, evenly over it."""
    rows = json.loads(path.read_text(encoding="utf-8"))["data"]
    chosen = [rows[at * len(rows) // most] for at in range(most)] if most < len(rows) else rows
    return [_article(str(number), row, services) for number, row in enumerate(chosen)]


def _article(name: str, row: dict, services: Services) -> Article:
    identity = hashlib.sha256(json.dumps(row).encode()).hexdigest()
    document = Document(identity, name, "", "text/plain", 0, "")
    settings, paragraphs, order = services.settings.ingest, [], 0
    limits = ChunkLimits(settings.chunk_tokens, settings.overlap_tokens)
    for at, paragraph in enumerate(row["paragraphs"]):
        element = Element(ElementKind.TEXT, paragraph["context"])
        cut = chunk_elements(document, [element], limits, services.index().count_tokens)
        chunks = [replace(c, order=order + n, id=chunk_id(identity, order + n)) for n, c in enumerate(cut)]
        order += len(chunks)
        key = f"{name}-{at}"
        asked = [JudgedQuery(str(qa["id"]), qa["question"], {key: 1.0}) for qa in paragraph["qas"]]
        paragraphs.append(Paragraph(key, asked, chunks))
    return Article(document, row["title"].replace("_", " "), paragraphs)


class LineWriter:
    """Lines for articles, and the seconds that they took, kept over runs."""

    def __init__(self, services: Services, kept: Path) -> None:
        self.services = services
        connect = partial(connect_chat, services.chat_model)
        calls = services.settings.ingest.context_line_calls
        self._lines = ContextLines(connect, services.settings.chat.model, services.kept_lines(), calls)
        self._path = kept
        self.seconds = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}

    def write(self, article: Article) -> list[Chunk]:
        """The article's chunks with their lines.

        Raises:
            ChatModelError: the model failed on one of them: a part would not be a measurement.
        """
        begun = time.perf_counter()
        chunks = [chunk for paragraph in article.paragraphs for chunk in paragraph.chunks]
        made = self._lines.situate(article.document, chunks)
        if made.warning:
            raise ChatModelError(made.warning[1])
        if article.document.id not in self.seconds:
            self.seconds[article.document.id] = round(time.perf_counter() - begun, 2)
            self._path.write_text(json.dumps(self.seconds), encoding="utf-8")
        return list(made.chunks)


def measure(held: str, articles: Mapping[str, Sequence[Article]], writer: LineWriter) -> dict:
    """The paragraphs of one language, asked in each: the ways to index them against the
    paragraphs alone, by the name of the direction."""
    documents = articles[held]
    bare = {c.id: c for article in documents for p in article.paragraphs for c in p.chunks}
    lined: dict[str, Chunk] = {}
    for article in documents:
        lined.update({chunk.id: chunk for chunk in writer.write(article)})
        print(f"{len(lined)} of {len(bare)} chunks have a line", file=sys.stderr, flush=True)
    titles = {c.id: article.title for article in documents for p in article.paragraphs for c in p.chunks}
    ways = {
        "alone": bare,
        "with a line": lined,
        "with the title": {i: replace(chunk, title=titles[i]) for i, chunk in bare.items()},
    }
    found = {way: _search(documents, articles, chunks, writer.services) for way, chunks in ways.items()}
    seconds = sum(writer.seconds[article.document.id] for article in documents)
    about = {
        "paragraphs": sum(len(article.paragraphs) for article in documents),
        "chunks": len(bare),
        "seconds a chunk": round(seconds / len(bare), 2),
        "examples": [chunk.context_line for chunk in list(lined.values())[:6]],
    }
    return {f"xquad-{asked}-{held}": {**_compared(found, asked), **about} for asked in LANGUAGES}


def _compared(found: Mapping[str, Mapping[str, dict]], asked: str) -> dict:
    """`mean_a` is of the paragraphs alone."""
    runs = {way: Run.from_report(way, reports[asked]) for way, reports in found.items()}
    alone = runs.pop("alone")
    compared: dict = {"n": len(alone.queries)}
    for way, run in runs.items():
        compared[way] = {name: paired(alone.values(key), run.values(key)) for name, key in MEASURES.items()}
    return compared


def _search(
    documents: Sequence[Article],
    articles: Mapping[str, Sequence[Article]],
    chunks: Mapping[str, Chunk],
    services: Services,
) -> dict[str, dict]:
    """Every question, in each language, over the paragraphs of all documents. A paragraph is
    a document of its own, so that it ranks where its best chunk does."""
    index, collection, ids = services.index(), new_collection(), {}
    index.open_collection(collection)
    try:
        for paragraph in (p for article in documents for p in article.paragraphs):
            identity = hashlib.sha256(paragraph.id.encode()).hexdigest()
            ids[identity] = paragraph.id
            document = Document(identity, paragraph.id, "", "text/plain", 0, collection)
            cut = [
                replace(chunks[c.id], document_id=identity, id=chunk_id(identity, c.order))
                for c in paragraph.chunks
            ]
            index.write_document(document, cut)
        reports = {}
        for language, asked in articles.items():
            queries = [q for article in asked for p in article.paragraphs for q in p.questions]
            runs = ask_queries(services.retriever(), Scope(collection), queries, ids, lambda text: None)
            reports[language] = report_runs(runs)
        return reports
    finally:
        index.drop_collection(collection)


def main() -> None:
    """Reads the command line, measures and writes."""
    parser = argparse.ArgumentParser(prog="python -m evals.context_line")
    parser.add_argument("xquad", type=Path)
    parser.add_argument(
        "--articles", type=int, default=ARTICLES, help="of each language, evenly over the file"
    )
    parser.add_argument(
        "--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES), help="of documents"
    )
    parser.add_argument("--keep", type=Path, help="keep lines and indexes below this folder")
    arguments = parser.parse_args()
    silence_libraries()
    with tempfile.TemporaryDirectory() as scratch:
        keep = arguments.keep or Path(scratch)
        keep.mkdir(parents=True, exist_ok=True)
        services, sets = Services(load_settings(data=keep)), {}
        try:
            writer = LineWriter(services, keep / "seconds.json")
            articles = {
                language: read_articles(
                    arguments.xquad / f"xquad.{language}.half.json", arguments.articles, services
                )
                for language in LANGUAGES
            }
            for language in arguments.languages:
                sets.update(measure(language, articles, writer))
            about = {"data": "XQuAD, development half", "model": services.settings.chat.model, "sets": sets}
        finally:
            services.close()
    options = f"--articles {arguments.articles} --languages {' '.join(arguments.languages)}"
    command = f"python -m evals.context_line XQUAD_FOLDER {options}"
    write_result("context_line", command, about)


if __name__ == "__main__":
    main()
