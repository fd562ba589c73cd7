"""Does HyDE pay? `python -m evals.hyde EVALS_FOLDER`: questions of public development sets
searched with and without a hypothetical passage by the settings' chat model.

Reported are nDCG@10 of the legs fused and of the whole, paired, and what the model takes.
`--keep FOLDER` keeps passages and indexes: a run that was stopped goes on there. Writes
bench/results/hyde.json.
"""

import argparse
import asyncio
import hashlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.hyde import write_passage
from agents.prompt_library import PromptLibrary
from app.services import Services
from core.seams import ChatModel
from core.settings import load_settings
from core.telemetry import silence_libraries
from core.text import detect_language
from core.types import Scope
from evals.beir import CorpusDocument, JudgedQuery, read_retrieval_set
from evals.comparison import Run, paired
from evals.convert import convert
from evals.indexing import Corpus, KeptIndex, document_id, write_corpus
from evals.record import write_result
from evals.retrieval import ask_queries, report_runs, sample
from retrieval.retriever import Retriever, SearchResult

# Name of a set, and its family.
SETS = {"xquad-zh-en": "xquad", "xquad-en-zh": "xquad", "tatqa-text": "tatqa", "cranfield": "cranfield"}
QUESTIONS = 60
MEASURES = {"fused": "legs.fused.ndcg@10", "whole": "ndcg@10"}


@dataclass(frozen=True, slots=True)
class Written:
    """A passage, the seconds it took and the tokens it was made of and from."""

    passage: str
    seconds: float
    prompt_tokens: int
    completion_tokens: int


class PassageWriter:
    """Passages by the chat model, kept in a file as they are written."""

    def __init__(self, chat_model: ChatModel, kept: Path) -> None:
        self._chat_model = chat_model
        self._prompts = PromptLibrary()
        self._path = kept
        self._written = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}

    async def write(self, question: str, language: str) -> Written:
        """One passage; that of an earlier run by the same model and prompts if there is one."""
        about = [self._chat_model.name, self._prompts.fingerprint, language, question]
        key = hashlib.sha256(json.dumps(about).encode()).hexdigest()
        if key not in self._written:
            begun = time.perf_counter()
            made = await write_passage(self._chat_model, self._prompts, question, language)
            seconds = round(time.perf_counter() - begun, 2)
            tokens = [made.usage.prompt_tokens, made.usage.completion_tokens]
            self._written[key] = [made.passage, seconds, *tokens]
            self._path.write_text(json.dumps(self._written, ensure_ascii=False), encoding="utf-8")
        return Written(*self._written[key])


class SearchWithPassages:
    """A retriever that searches each question with the passage that was written for it."""

    def __init__(self, retriever: Retriever, passages: Mapping[str, str]) -> None:
        self._retriever = retriever
        self._passages = passages

    def search(self, query: str, scope: Scope, limit: int) -> SearchResult:
        """See `Retriever.search`."""
        return self._retriever.search(query, scope, limit, passage=self._passages.get(query, ""))


async def measure_set(folder: Path, queries: int, keep: Path, writer: PassageWriter) -> dict:
    """The figures of one set."""
    data = read_retrieval_set(folder)
    asked = sample(data.queries, queries)
    written = {q.text: await writer.write(q.text, detect_language(q.text)) for q in asked}
    return await asyncio.to_thread(_search, data.documents, asked, written, keep / folder.name)


def _search(
    documents: Sequence[CorpusDocument],
    asked: Sequence[JudgedQuery],
    written: Mapping[str, Written],
    keep: Path,
) -> dict:
    services = Services(load_settings(data=keep))
    try:
        corpus = Corpus(documents)
        index = KeptIndex(keep, services.index(), corpus, services.settings)
        if found := index.find():
            collection, _ = found
        else:
            collection = index.begin()
            report = write_corpus(
                services.index(), collection, corpus, services.settings.ingest, lambda text: None
            )
            index.finish(collection, report)
        ids = {document_id(document): document.id for document in documents}
        scope, retriever = Scope(collection), services.retriever()
        plain = report_runs(ask_queries(retriever, scope, asked, ids, lambda text: None))
        wrapped = SearchWithPassages(retriever, {q: made.passage for q, made in written.items()})
        other = report_runs(ask_queries(wrapped, scope, asked, ids, lambda text: None))
        return {"n": len(asked), **_compared(plain, other), **_cost(list(written.values()))}
    finally:
        services.close()


def _compared(plain: Mapping, other: Mapping) -> dict:
    """`mean_a` is without, `mean_b` with the passage."""
    before, after = Run.from_report("without", plain), Run.from_report("with", other)
    pairs = {name: paired(before.values(key), after.values(key)) for name, key in MEASURES.items()}
    return {**pairs, "p50_ms": [plain["p50_ms"], other["p50_ms"]]}


def _cost(written: Sequence[Written]) -> dict:
    return {
        "model, median s": statistics.median(w.seconds for w in written),
        "prompt_tokens": round(statistics.mean(w.prompt_tokens for w in written)),
        "completion_tokens": round(statistics.mean(w.completion_tokens for w in written)),
        "examples": [w.passage for w in written[:2]],
    }


async def run(evals: Path, names: Sequence[str], questions: int, keep: Path) -> dict:
    """The figures of each set, by its name."""
    services = Services(load_settings())
    found = {}
    try:
        chat_model = services.chat_model()
        writer = PassageWriter(chat_model, keep / "passages.json")
        for name in names:
            family = SETS[name]
            folders = {path.name: path for path in convert(family, evals / family, keep / "sets")}
            found[name] = await measure_set(folders[name], questions, keep / "indexes", writer)
            print(name, json.dumps(found[name], ensure_ascii=False), file=sys.stderr, flush=True)
        return {"model": chat_model.name, "sets": found}
    finally:
        await services.aclose()


def main() -> None:
    """Reads the command line, measures and writes."""
    parser = argparse.ArgumentParser(prog="python -m evals.hyde")
    parser.add_argument("evals", type=Path)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--questions", type=int, default=QUESTIONS, help="of each set, evenly over the file")
    parser.add_argument("--keep", type=Path, help="keep passages and indexes below this folder")
    arguments = parser.parse_args()
    silence_libraries()
    with tempfile.TemporaryDirectory() as scratch:
        keep = arguments.keep or Path(scratch)
        keep.mkdir(parents=True, exist_ok=True)
        found = asyncio.run(run(arguments.evals, arguments.sets, arguments.questions, keep))
    about = {"data": "development parts of public sets, evenly sampled questions", **found}
    if len(found["sets"]) == len(SETS):
        command = f"python -m evals.hyde EVALS_FOLDER --questions {arguments.questions}"
        write_result("hyde", command, about)
    else:
        print(json.dumps(about, ensure_ascii=False, indent=1))  # a part is not kept


if __name__ == "__main__":
    main()
