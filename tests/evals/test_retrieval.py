"""From hits to figures: ranks of documents, of stages, of subsets and pools."""

import math
from dataclasses import replace

import pytest

from core.errors import InputError
from core.types import Chunk, Hit, Scope, Stage
from evals.beir import JudgedQuery
from evals.retrieval import ask_queries, first_of_pool, measure_run, rank_documents, report_runs, sample
from retrieval.retriever import SearchResult

SCOPE = Scope("evaluation-1")
DOCUMENTS = {"sha-a": "a", "sha-b": "b", "sha-c": "c"}


def hit(document: str, part: int, **ranks: int) -> Hit:
    chunk = Chunk(f"{document}-{part}", f"sha-{document}", part, "text", "", document)
    return Hit(chunk, 1.0, Stage.FUSED, ranks)


# The whole says b, c, a; dense a, b; lexical c alone; fused b, a, c. a and b have two chunks.
HITS = (
    hit("b", 0, dense=3, fused=1, reranked=1),
    hit("c", 0, lexical=1, fused=4, reranked=2),
    hit("a", 1, dense=2, fused=3),
    hit("a", 0, dense=1, fused=2),
    hit("b", 1, dense=4, fused=5),
)


class ScriptedRetriever:
    """Gives one result after the other and remembers the questions."""

    def __init__(self, *results: SearchResult):
        self.results = list(results)
        self.asked = []

    def search(self, query, scope, limit):
        assert scope == SCOPE
        self.asked.append(query)
        return self.results.pop(0) if self.results else SearchResult(())


def ask(queries, *results):
    retriever = ScriptedRetriever(SearchResult(()), *results)
    return ask_queries(retriever, SCOPE, queries, DOCUMENTS, lambda text: None), retriever


def test_a_document_ranks_where_its_best_chunk_ranks():
    assert rank_documents(HITS, DOCUMENTS) == ["b", "c", "a"]


def test_every_stage_has_its_own_order():
    (run,), _ = ask([JudgedQuery("q", "?", {"a": 1.0})], SearchResult(HITS))
    assert run.whole == ["b", "c", "a"]
    assert run.stages == {
        "dense": ["a", "b"],
        "lexical": ["c"],
        "fused": ["b", "a", "c"],
        "reranked": ["b", "c"],
    }


def test_the_first_search_is_not_measured():
    runs, retriever = ask([JudgedQuery("q", "what?", {"a": 1.0})], SearchResult(HITS))
    assert len(runs) == 1
    assert retriever.asked[1:] == ["what?"]
    assert retriever.asked[0] != "what?"


def test_measures_of_the_whole_and_of_each_leg():
    (run,), _ = ask([JudgedQuery("q", "?", {"a": 1.0})], SearchResult(HITS))
    row = measure_run(run)
    assert row["mrr@10"] == pytest.approx(1 / 3)
    assert row["ndcg@10"] == pytest.approx(1 / math.log2(4))
    assert row["legs"]["dense"]["recall@1"] == 1
    assert row["legs"]["lexical"]["recall@20"] == 0
    assert row["legs"]["fused"]["mrr@10"] == pytest.approx(0.5)


def test_a_search_without_hits_counts_as_nothing_found():
    (found, nothing), _ = ask(
        [JudgedQuery("q1", "?", {"b": 1.0}), JudgedQuery("q2", "?", {"b": 1.0})],
        SearchResult(HITS),
        SearchResult(()),
    )
    report = report_runs([found, nothing])
    assert report["recall@1"] == 0.5
    assert report["legs"]["reranked"]["recall@1"] == 0.5
    assert report["legs"]["lexical"]["recall@20"] == 0
    assert set(report_runs([nothing])["legs"]) == {"dense", "lexical", "fused"}


def test_latency_of_the_whole_and_of_the_stages():
    results = [SearchResult(HITS, timings_ms={"encode": float(n), "odd": 1.0}) for n in range(1, 101)]
    queries = [JudgedQuery(f"q{n}", "?", {"a": 1.0}) for n in range(100)]
    runs, _ = ask(queries, *results)
    report = report_runs([replace(run, total_ms=2.0 * n) for n, run in enumerate(runs, start=1)])
    assert report["stages_ms"]["encode"] == {"p50_ms": 50, "p99_ms": 99}
    assert report["stages_ms"]["odd"] == {"p50_ms": 1, "p99_ms": 1}
    assert (report["p50_ms"], report["p99_ms"]) == (100, 198)
    assert all(run.total_ms > 0 for run in runs)


def test_subsets_are_reported_apart():
    queries = [JudgedQuery("q1", "?", {"b": 1.0}, "easy"), JudgedQuery("q2", "?", {"a": 1.0}, "hard")]
    runs, _ = ask(queries, SearchResult(HITS), SearchResult(HITS))
    report = report_runs(runs)
    assert report["recall@1"] == 0.5
    assert {name: (row["n"], row["recall@1"]) for name, row in report["subsets"].items()} == {
        "easy": (1, 1.0),
        "hard": (1, 0.0),
    }
    assert report["subsets"]["hard"]["legs"]["dense"]["recall@1"] == 1


def test_the_first_of_a_pool():
    query = JudgedQuery("q", "?", {"a": 1.0}, pool=frozenset({"a", "c"}))
    assert first_of_pool(["b", "a", "c"], query) == 1
    assert first_of_pool(["b", "c", "a"], query) == 0
    assert first_of_pool(["b"], query) == 0


def test_pools_are_reported_for_the_whole_and_each_stage():
    query = JudgedQuery("q", "?", {"a": 1.0}, pool=frozenset({"a", "c"}))
    runs, _ = ask([query, JudgedQuery("q2", "?", {"b": 1.0})], SearchResult(HITS), SearchResult(HITS))
    report = report_runs(runs)
    assert (report["pool"]["n"], report["pool"]["p@1"]) == (1, 0.0)
    assert {stage: row["p@1"] for stage, row in report["pool"].items() if isinstance(row, dict)} == {
        "dense": 1.0,
        "lexical": 0.0,
        "fused": 1.0,
        "reranked": 0.0,
    }
    assert report["queries"]["q"]["pool.p@1"] == 0
    assert report["queries"]["q"]["legs"]["fused"]["pool.p@1"] == 1
    assert "pool.p@1" not in report["queries"]["q2"]


def test_a_sample_lies_evenly_over_the_file():
    queries = [JudgedQuery(str(n), "?", {"a": 1.0}) for n in range(10)]
    assert [q.id for q in sample(queries, 4)] == ["0", "2", "5", "7"]
    assert sample(queries, 10) == sample(queries, 99) == sample(queries, None) == queries


def test_a_query_that_is_refused_has_found_nothing():
    class Refusing(ScriptedRetriever):
        def search(self, query, scope, limit):
            if not query:
                raise InputError("the query holds no letter")
            return super().search(query, scope, limit)

    queries = [JudgedQuery("empty", "", {"a": 1.0}), JudgedQuery("q", "what?", {"b": 1.0})]
    runs = ask_queries(Refusing(SearchResult(()), SearchResult(HITS)), SCOPE, queries, DOCUMENTS, lambda t: None)
    assert [run.whole for run in runs] == [[], ["b", "c", "a"]]
