"""The built-in embedder: speed, memory, and what 8 bit loses against full precision.

`python -m bench.embedder XQUAD_FOLDER`. nDCG@10 of dense search alone over XQuAD's
development half, by exact cosine in NumPy.
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import openvino as ov

from core.paths import weights_dir
from core.settings import load_settings
from evals.datasets.squad import Paragraphs, read_xquad
from evals.record import spread, write_result
from retrieval.embedders.e5 import E5Embedder
from retrieval.embedders.e5_graph import E5GraphBuilder

TOKENS = 128
TEXTS = 192
RUNS = 5


def time_documents(embedder: E5Embedder, paragraphs: list[str]) -> dict:
    """Texts of 128 tokens a second, and single queries in milliseconds."""
    texts = [_of_length(embedder, text) for text in paragraphs * 3][:TEXTS]
    rates, queries = [], []
    for _ in range(RUNS):
        begun = time.perf_counter()
        embedder.embed_documents(texts)
        rates.append(len(texts) / (time.perf_counter() - begun))
        begun = time.perf_counter()
        for text in texts[:20]:
            embedder.embed_query(text[:40])
        queries.append((time.perf_counter() - begun) / 20 * 1000)
    return {"texts_per_second": spread(rates), "query_ms": spread(queries)}


def ndcg(embedder: E5Embedder, asked: Paragraphs, held: Paragraphs) -> float:
    """nDCG@10 with one relevant paragraph a question."""
    documents = embedder.embed_documents([document.text for document in held.documents])
    queries = np.stack([embedder.embed_query(text) for _, text in asked.questions])
    scores = queries @ documents.T
    place = {document.id: at for at, document in enumerate(held.documents)}
    gold = np.array([place[held.paragraph_of[identity]] for identity, _ in asked.questions])
    ranks = (scores > scores[np.arange(len(gold)), gold][:, None]).sum(axis=1)
    return round(float(np.where(ranks < 10, 1 / np.log2(ranks + 2), 0).mean()), 4)


def in_full_precision(embedder: E5Embedder) -> E5Embedder:
    """The same embedder with the graph that is not quantised."""
    graph = E5GraphBuilder(embedder._weights, None).build()
    embedder._graph = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return embedder


def run(folder: Path) -> dict:
    """Both precisions, in one process and after one another."""
    halves = read_xquad(folder)
    zh, en = halves["zh"], halves["en"]
    paragraphs = [document.text for half in (zh, en) for document in half.documents]
    embedder = E5Embedder(weights_dir(load_settings().cache))
    found = {"8 bit": time_documents(embedder, paragraphs)}
    found["8 bit"]["peak_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
    pairs = {"zh→zh": (zh, zh), "en→en": (en, en), "zh→en": (zh, en), "en→zh": (en, zh)}
    found["8 bit"]["ndcg@10"] = {name: ndcg(embedder, *pair) for name, pair in pairs.items()}
    exact = in_full_precision(embedder)
    found["full precision"] = time_documents(exact, paragraphs)
    found["full precision"]["ndcg@10"] = {name: ndcg(exact, *pair) for name, pair in pairs.items()}
    return found


def _of_length(embedder: E5Embedder, text: str) -> str:
    """A text cut to about 128 tokens with its prefix and frame."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = embedder.count_tokens(text[:middle]) <= TOKENS - 5
        low, high = (middle, high) if fits else (low, middle - 1)
    return text[:low]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    write_result("embedder", "python -m bench.embedder XQUAD_FOLDER", run(parser.parse_args().folder))
