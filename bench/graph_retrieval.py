"""What the graph of entities brings to a search: recall of all the passages that a question needs.

`python -m bench.graph_retrieval EVALS_FOLDER` searches with and without the graph leg, over questions for
how two things are related, made two-hop questions, questions over conversations that need several turns,
and plain ones. The questions over XQuAD were looked at while rules and weights were chosen, those over DRCD
were not. Names get no vectors here: they are found by their letters alone.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.graph_cases import Case, CaseSet, conversations, related, single_hop, two_hop
from core.database import open_database
from core.paths import DataPaths, weights_dir
from core.settings import IngestSettings, MilvusSettings, RetrievalSettings
from core.types import Document, Hit, Scope
from evals.comparison import bootstrap_interval
from evals.record import write_result
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.entities.graphs import DocumentGraphs
from ingest.entities.rules import RuleExtractor
from ingest.parsers.plain import parse_plain
from retrieval.embedders.e5 import E5Embedder
from retrieval.graph.index import ENTITY_PREFIX, RELATION_PREFIX, GraphIndex
from retrieval.graph.leg import GraphLeg
from retrieval.graph.reader import GraphReader
from retrieval.graph.ways import GraphWays
from retrieval.index import ChunkIndex
from retrieval.lexical import Lexicon
from retrieval.rerankers import build_reranker
from retrieval.retriever import MoreLegs, Retriever
from retrieval.store import open_beside, open_store
from retrieval.token_vectors import TokenVectors

DOCUMENTS_AT_ONCE = 64
LIMITS = (4, 10)
"""As many chunks as the chat model is shown, and as a search gives by default."""
SINGLE_HOP_CASES = 60
CORPORA = ("xquad-en", "xquad-zh", "cmrc2018", "drcd", "locomo")


class WithoutNames:
    """The vectors of names that nobody compares."""

    dimensions, fingerprint, language_gap = 2, "without names", 0.0

    def embed_documents(self, texts: Sequence[str]) -> np.ndarray:
        """Ones."""
        return np.ones((len(texts), self.dimensions), np.float32)


class EveryQuestion(GraphLeg):
    """A leg that walks for any question, to see what it does where it is not wanted."""

    def serves(self, question: str) -> bool:
        """All of them."""
        return True


@dataclass
class Bench:
    """One data directory; a corpus that it holds already is not embedded again."""

    folder: Path

    def __post_init__(self) -> None:
        paths = DataPaths(self.folder)
        paths.create()
        self.store, self.embedder = open_store(MilvusSettings(), paths), E5Embedder(weights_dir(None))
        self.lexicon = Lexicon(open_database(paths.ledger))
        self.tokens = TokenVectors(open_database(paths.tokens), lambda: self.embedder)
        self.index = ChunkIndex(self.store, self.embedder, self.lexicon, self.tokens)
        stores = open_beside(self.store, ENTITY_PREFIX), open_beside(self.store, RELATION_PREFIX)
        self.graph = GraphIndex(*stores, WithoutNames())
        self.reader = GraphReader(*stores, self.embedder)

    def write(self, corpus: str, passages: dict[str, str]) -> float:
        """Indexes passages with their graphs; seconds that the graphs took."""
        limits = ChunkLimits(IngestSettings().chunk_tokens, IngestSettings().overlap_tokens)
        documents = [(_document(corpus, i, text), text) for i, text in passages.items()]
        count = self.index.count_tokens
        cut = [(of, chunk_elements(of, parse_plain(text), limits, count)) for of, text in documents]
        is_new = corpus not in self.index.collections()
        self.index.open_collection(corpus)
        graphs, seconds = DocumentGraphs(self.graph, RuleExtractor()), 0.0
        for at in range(0, len(cut), DOCUMENTS_AT_ONCE):
            part = cut[at : at + DOCUMENTS_AT_ONCE]
            if is_new:
                self.index.write_embedded(corpus, self.index.embed(part))
            begun = time.perf_counter()
            graphs.write_documents(part)
            seconds += time.perf_counter() - begun
        return seconds

    def retriever(self, leg: type[GraphLeg] | None, walks: bool) -> Retriever:
        """A search as the product makes it, with the leg or without."""
        settings, ways = RetrievalSettings(), GraphWays(self.reader, self.store)
        graph = leg(self.reader, ways, self.store, walks) if leg else None
        reranker = build_reranker(settings, lambda: self.tokens)
        more = MoreLegs(None, graph)
        return Retriever(self.store, self.embedder, self.lexicon, reranker, settings, more)


def compare(bench: Bench, kind: str, cases: CaseSet) -> dict:
    """Shares of questions all of whose passages are among the first, without and with the graph."""
    walks = kind != "related"
    leg = EveryQuestion if kind == "single-hop" else GraphLeg
    without, with_graph = bench.retriever(None, walks), bench.retriever(leg, walks)
    rows = []
    for case in cases.cases:
        scope = Scope(cases.name)
        plain, linked = (r.search(case.question, scope, max(LIMITS)) for r in (without, with_graph))
        found = {k: (_holds(plain.hits[:k], case), _holds(linked.hits[:k], case)) for k in LIMITS}
        rows.append((case, found, linked.timings_ms.get("graph")))
    served = [ms for _, _, ms in rows if ms is not None]
    shown = {"n": len(rows), "served": len(served), "ms": round(float(np.median(served)), 1) if served else 0}
    return shown | _shares([found for _, found, _ in rows])


def _shares(found: Sequence[dict[int, tuple[bool, bool]]]) -> dict:
    shares: dict = {}
    for k in LIMITS:
        pairs = np.array([entry[k] for entry in found], float).reshape(-1, 2)
        difference = pairs[:, 1] - pairs[:, 0]
        low, high = bootstrap_interval(difference) if len(found) else (0.0, 0.0)
        shares[f"all@{k}"] = {
            "plain": round(float(pairs[:, 0].mean()), 3),
            "graph": round(float(pairs[:, 1].mean()), 3),
            "interval": [round(low, 3), round(high, 3)],
        }
    return shares


def _holds(hits: Sequence[Hit], case: Case) -> bool:
    return case.needed <= {hit.chunk.uri for hit in hits}


def _document(corpus: str, name: str, text: str) -> Document:
    identity = hashlib.sha256(f"{corpus}{name}".encode()).hexdigest()
    return Document(identity, name, "", "text/plain", len(text), corpus)


def case_sets(evals: Path, corpora: Sequence[str]) -> list[tuple[str, CaseSet]]:
    """The sets with their kinds; those of one corpus have the same passages and name."""
    files = {
        "xquad-en": (evals / "xquad" / "xquad.en.half.json", "en"),
        "xquad-zh": (evals / "xquad" / "xquad.zh.half.json", "zh"),
        "cmrc2018": (evals / "cmrc2018" / "cmrc2018_trial.json", "zh"),
        "drcd": (evals / "drcd" / "DRCD_dev.json", "zh"),
    }
    sets: list[tuple[str, CaseSet]] = []
    for name, (path, language) in files.items():
        if name in corpora:
            sets.append(("related", related(path, name, language)))
            sets.append(("two-hop", two_hop(path, name, language)))
            sets.append(("single-hop", single_hop(path, name, SINGLE_HOP_CASES)))
    if "locomo" in corpora:
        sets += [("conversation", one) for one in conversations(evals / "locomo" / "locomo_dev2.json")]
    return sets


def run(evals: Path, corpora: Sequence[str], folder: Path) -> dict:
    """The figures of each set by its kind and name."""
    bench, figures, written = Bench(folder), {}, {}
    for kind, cases in case_sets(evals, corpora):
        if cases.name not in written:
            written[cases.name] = bench.write(cases.name, cases.passages)
            stores = bench.graph.entities, bench.graph.relations
            entities, relations = (sum(s.count_chunks(cases.name).values()) for s in stores)
            figures.setdefault("graphs", {})[cases.name] = {
                "documents": len(cases.passages),
                "entities": entities - len(cases.passages),
                "relations": relations,
                "seconds": round(written[cases.name], 1),
            }
        figures.setdefault(kind, {})[cases.name] = compare(bench, kind, cases)
        print(kind, cases.name, figures[kind][cases.name], flush=True)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.graph_retrieval")
    parser.add_argument("evals", type=Path)
    parser.add_argument("--corpora", nargs="+", default=list(CORPORA))
    parser.add_argument("--keep-data", type=Path, help="folder of an index that a second run uses again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        measured = run(given.evals, given.corpora, given.keep_data or Path(place))
    command = f"python -m bench.graph_retrieval EVALS_FOLDER --corpora {' '.join(given.corpora)}"
    write_result("graph_retrieval", command, {"data": "development parts of public sets", **measured})
