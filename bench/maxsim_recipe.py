"""A plain recipe on XQuAD's half, to be compared with the whole of the product.

`python -m bench.maxsim_recipe EVALS_FOLDER`: the same 8-bit e5 with its token vectors as they
are, all alike. MaxSim over the 50 best by cosine and the 50 best by BM25, brought to mean 0 and
deviation 1; BM25 of the same candidates likewise, times the share of the question that its
best passages cover. No fitted weights: what the rest of the product adds shows beside it.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.paths import weights_dir
from evals.beir import RetrievalSet, read_retrieval_set
from evals.convert import convert
from evals.projection_data import raw_encoder
from evals.ranking import ndcg
from evals.record import RESULTS, write_result
from retrieval import lexical
from retrieval.candidates import COVERAGE_FROM
from retrieval.embedders.e5 import E5Embedder

TOP = 50
WHOLE = "retrieval_quality"


class Passages:
    """The paragraphs of a set: vectors, token vectors and terms."""

    def __init__(self, texts: Sequence[str], embedder: E5Embedder) -> None:
        self._embedder = embedder
        self._vectors, tables = embedder.embed_documents_and_tokens(texts)
        self._tables = [_unit(table.astype(np.float32)) for table in tables]
        self._weights = [lexical.encode_document(text).weights for text in texts]
        self._frequencies: dict[int, int] = {}
        for weights in self._weights:
            for term in weights:
                self._frequencies[term] = self._frequencies.get(term, 0) + 1

    def rank(self, question: str) -> list[int]:
        """The candidates, best first."""
        cosines = self._vectors @ self._embedder.embed_query(question)
        words = lexical.weigh_query(lexical.query_shares(question), len(self._weights), self._frequencies)
        terms = np.array([lexical.inner_product(words, weights) for weights in self._weights])
        found = [at for at in np.argsort(-terms, kind="stable")[:TOP].tolist() if terms[at] > 0]
        asked = np.argsort(-cosines, kind="stable")[:TOP].tolist()
        candidates = np.array(sorted({*asked, *found}))
        rows = _unit(self._embedder.embed_query_tokens(question))
        sims = np.array([_max_sim(rows, self._tables[at]) for at in candidates])
        covered = lexical.coverage(words, [self._weights[at] for at in found[:COVERAGE_FROM]])
        scores = _standard(sims) + covered * _standard(terms[candidates])
        return candidates[np.argsort(-scores, kind="stable")].tolist()


def _max_sim(rows: np.ndarray, table: np.ndarray) -> float:
    return float((rows @ table.T).max(axis=1).mean()) if len(rows) and len(table) else 0.0


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _standard(scores: np.ndarray) -> np.ndarray:
    spread = scores.std()
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)


def measure(data: RetrievalSet, passages: Passages) -> dict:
    """Mean nDCG@10 over the questions of a set."""
    ids = [document.id for document in data.documents]
    values = [ndcg([ids[at] for at in passages.rank(query.text)], query.gains) for query in data.queries]
    return {"n": len(values), "recipe": round(float(np.mean(values)), 4)}


def run(evals: Path, whole: Mapping) -> dict:
    """The figures of each direction, and those of the product's whole from its result file."""
    embedder = raw_encoder(weights_dir(None))
    found = {}
    with tempfile.TemporaryDirectory() as place:
        for folder in convert("xquad", evals / "xquad", Path(place)):
            data = read_retrieval_set(folder)
            row = measure(data, Passages([document.text for document in data.documents], embedder))
            found[folder.name] = {**row, "whole": round(whole["sets"][folder.name]["ndcg@10"], 4)}
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.maxsim_recipe")
    parser.add_argument("evals", type=Path)
    product = json.loads((RESULTS / f"{WHOLE}.json").read_text(encoding="utf-8"))
    figures = run(parser.parse_args().evals, product)
    about = {"data": "XQuAD, development half; whole: from retrieval_quality.json", "ndcg@10": figures}
    write_result("maxsim_recipe", "python -m bench.maxsim_recipe EVALS_FOLDER", about)
