"""nDCG@10 of each leg, of the fusion and after reranking, within and across languages.

`python -m bench.retrieval_legs XQUAD_FOLDER` reads xquad.zh.half.json and xquad.en.half.json
(SQuAD layout: the same paragraphs in both languages). Three libraries: Chinese, English,
and a mixed one in which every second paragraph is Chinese, with and without the language
gap. Development data: nothing here is a test figure.
"""

import argparse
import hashlib
import json
import math
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.services import Services
from bench.record import spread, write_result
from core.settings import load_settings
from core.types import Chunk, Document, Scope, chunk_id
from retrieval.rerank import build_reranker
from retrieval.retriever import Retriever

STAGES = ("dense", "lexical", "fused", "reranked")
DEPTH = 10


@dataclass(frozen=True, slots=True)
class Half:
    """Paragraphs and questions in one language; `gold[i]` is the paragraph of question i."""

    language: str
    paragraphs: list[str]
    questions: list[str]
    gold: list[int]


def read_half(folder: Path, language: str) -> Half:
    """One language of XQuAD's half."""
    half = Half(language, [], [], [])
    articles = json.loads((folder / f"xquad.{language}.half.json").read_text(encoding="utf-8"))["data"]
    for paragraph in (p for article in articles for p in article["paragraphs"]):
        for question in paragraph["qas"]:
            half.questions.append(question["question"])
            half.gold.append(len(half.paragraphs))
        half.paragraphs.append(paragraph["context"])
    return half


def index(services: Services, collection: str, paragraphs: list[str]) -> None:
    """Each paragraph a document of one chunk, whose uri is its number."""
    services.index().open_collection(collection)
    for at, text in enumerate(paragraphs):
        identity = hashlib.sha256(text.encode()).hexdigest()
        document = Document(identity, str(at), "", "text/plain", len(text), collection)
        chunk = Chunk(chunk_id(identity, 0), identity, 0, text, "", str(at))
        services.index().write_document(document, [chunk])


def measure(retriever: Retriever, collection: str, asked: list[tuple[str, int]]) -> dict:
    """nDCG@10 of each stage (one relevant paragraph a question), and milliseconds a search."""
    gains: dict[str, list[float]] = {stage: [] for stage in STAGES}
    laps: list[float] = []
    for question, gold in asked:
        begun = time.perf_counter()
        hits = retriever.search(question, Scope(collection), 100).hits
        laps.append((time.perf_counter() - begun) * 1000)
        ranks = next((hit.ranks for hit in hits if hit.chunk.uri == str(gold)), {})
        for stage in STAGES:
            rank = ranks.get(stage, DEPTH + 1)
            gains[stage].append(1 / math.log2(rank + 1) if rank <= DEPTH else 0.0)
    report = {f"ndcg@10 {stage}": round(statistics.mean(values), 4) for stage, values in gains.items()}
    return {"n": len(asked), **report, "ms": spread(laps)}


def every(half: Half, step: int) -> Iterator[tuple[str, int]]:
    """Every step-th question with its paragraph."""
    for at in range(0, len(half.questions), step):
        yield half.questions[at], half.gold[at]


def run(folder: Path, step: int) -> dict:
    """All libraries and directions."""
    zh, en = read_half(folder, "zh"), read_half(folder, "en")
    mixed = [zh.paragraphs[i] if i % 2 == 0 else en.paragraphs[i] for i in range(len(zh.paragraphs))]
    found = {}
    with tempfile.TemporaryDirectory() as data:
        services = Services(load_settings(data=Path(data)))
        for name, paragraphs in (("zh", zh.paragraphs), ("en", en.paragraphs), ("mixed", mixed)):
            index(services, name, paragraphs)
        retriever = services.retriever()
        for asked, library in ((zh, "zh"), (en, "en"), (zh, "en"), (en, "zh")):
            direction = f"{asked.language}→{library}"
            found[direction] = measure(retriever, library, list(every(asked, step)))
        embedder = services.embedder()
        for gap in (0.0, embedder.language_gap):
            embedder.language_gap = gap
            reranker = build_reranker(16, embedder)
            changed = Retriever(
                services.store(), embedder, services.lexicon(), reranker, services.settings.retrieval
            )
            for label, same in (("same language", True), ("other language", False)):
                questions = [
                    (question, gold)
                    for half in (zh, en)
                    for question, gold in every(half, step)
                    if ((gold % 2 == 0) == (half.language == "zh")) is same
                ]
                found[f"mixed, {label}, gap {gap}"] = measure(changed, "mixed", questions)
        services.close()
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--step", type=int, default=2, help="ask every n-th question")
    arguments = parser.parse_args()
    write_result(
        "retrieval_legs",
        f"python -m bench.retrieval_legs XQUAD_FOLDER --step {arguments.step}",
        {"data": "XQuAD, development half", "directions": run(arguments.folder, arguments.step)},
    )
