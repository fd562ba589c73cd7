"""Measures retrieval: each judged query through `Retriever.search`, each stage for itself.

A hit carries its rank at every stage, so one search gives the order of each leg, of the
fusion and of the whole. A document ranks where its best chunk ranks. Knows the retriever
and the measures; knows nothing of files, or of how the index was made.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.errors import InputError
from core.types import Hit, Scope
from evals.beir import JudgedQuery
from evals.ranking import mean_of, measure_ranking, percentile
from retrieval.retriever import Retriever, SearchResult

SEARCH_LIMIT = 200
"""Hits asked for: more than all legs together give, so that no stage is cut short."""
LEGS = ("dense", "lexical", "fused")
WARM_UP = "warm up 预热"
KEPT_MEASURES = ("ndcg@10", "recall@5", "mrr@10")


@dataclass(frozen=True, slots=True)
class QueryRun:
    """One query's outcome: ranked document ids of the whole and of each stage, and the
    milliseconds of the search and of its stages."""

    query: JudgedQuery
    whole: Sequence[str]
    stages: Mapping[str, Sequence[str]]
    total_ms: float
    timings_ms: Mapping[str, float]


def ask_queries(
    retriever: Retriever,
    scope: Scope,
    queries: Sequence[JudgedQuery],
    documents: Mapping[str, str],
    on_progress: Callable[[str], None],
) -> list[QueryRun]:
    """Asks one after the other, after one search that is not measured. `documents` gives the
    corpus id of each document id in the index.

    A query that the retriever refuses, such as an empty one, has found nothing.

    Raises:
        StoreError: the store fails.
    """
    retriever.search(WARM_UP, scope, SEARCH_LIMIT)
    runs = []
    for at, query in enumerate(queries, start=1):
        begun = time.perf_counter()
        result = _search(retriever, query.text, scope)
        total_ms = (time.perf_counter() - begun) * 1000
        whole = rank_documents(result.hits, documents)
        stages = {
            stage: rank_documents(hits_at(result.hits, stage), documents)
            for stage in {name for hit in result.hits for name in hit.ranks}
        }
        runs.append(QueryRun(query, whole, stages, total_ms, dict(result.timings_ms)))
        on_progress(f"asked {at} of {len(queries)} queries")
    return runs


def _search(retriever: Retriever, query: str, scope: Scope) -> SearchResult:
    try:
        return retriever.search(query, scope, SEARCH_LIMIT)
    except InputError as exc:
        return SearchResult((), notes=(f"refused: {exc.message}",))


def hits_at(hits: Sequence[Hit], stage: str) -> list[Hit]:
    """The hits that a stage ranked, in its order."""
    return sorted((hit for hit in hits if stage in hit.ranks), key=lambda hit: hit.ranks[stage])


def rank_documents(hits: Sequence[Hit], documents: Mapping[str, str]) -> list[str]:
    """Corpus ids, each once, in the order of their best chunks."""
    return list(dict.fromkeys(documents[hit.chunk.document_id] for hit in hits))


def sample(queries: Sequence[JudgedQuery], most: int | None) -> list[JudgedQuery]:
    """At most `most` queries, evenly over the file, so that one topic does not fill them."""
    if most is None or most >= len(queries):
        return list(queries)
    return [queries[at * len(queries) // most] for at in range(most)]


def report_runs(runs: Sequence[QueryRun]) -> dict:
    """The figures of a run: of the whole at the top, of each stage below `legs`, of each
    subset and pool where the set has them, and of each query below `queries`."""
    rows = {run.query.id: measure_run(run) for run in runs}
    subsets = sorted({run.query.subset for run in runs} - {""})
    report = {**_summary(list(rows.values())), **_latency(runs)}
    if subsets:
        members = {name: [rows[r.query.id] for r in runs if r.query.subset == name] for name in subsets}
        report["subsets"] = {name: {"n": len(m), **_summary(m)} for name, m in members.items()}
    if pooled := [run for run in runs if run.query.pool]:
        report["pool"] = _pool_summary(pooled)
    report["queries"] = {run.query.id: _shown(rows[run.query.id], run) for run in runs}
    return report


def measure_run(run: QueryRun) -> dict:
    """All measures of one query: of the whole, and below `legs` of each stage. A leg that
    found nothing has zeros."""
    stages = sorted({*LEGS, *run.stages}, key=_stage_order)
    legs = {stage: measure_ranking(run.stages.get(stage, ()), run.query.gains) for stage in stages}
    return {**measure_ranking(run.whole, run.query.gains), "legs": legs}


def first_of_pool(ranking: Sequence[str], query: JudgedQuery) -> float:
    """P@1 within the query's pool: 1 when the first of its documents is relevant."""
    best = next((name for name in ranking if name in query.pool), None)
    return float(best in query.gains)


def _summary(rows: Sequence[Mapping]) -> dict:
    stages = sorted({stage for row in rows for stage in row["legs"]}, key=_stage_order)
    nothing = measure_ranking((), {})
    legs = {stage: mean_of([row["legs"].get(stage, nothing) for row in rows]) for stage in stages}
    whole = mean_of([{name: value for name, value in row.items() if name != "legs"} for row in rows])
    return {**whole, "legs": legs}


def _latency(runs: Sequence[QueryRun]) -> dict:
    stages = list(dict.fromkeys(name for run in runs for name in run.timings_ms))
    laps = {name: [run.timings_ms[name] for run in runs if name in run.timings_ms] for name in stages}
    whole = _percentiles([run.total_ms for run in runs])
    return {**whole, "stages_ms": {name: _percentiles(values) for name, values in laps.items()}}


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    return {"p50_ms": round(percentile(values, 0.5), 2), "p99_ms": round(percentile(values, 0.99), 2)}


def _pool_summary(runs: Sequence[QueryRun]) -> dict:
    whole = [first_of_pool(run.whole, run.query) for run in runs]
    stages = sorted({*LEGS, *(stage for run in runs for stage in run.stages)}, key=_stage_order)
    values = {s: [first_of_pool(run.stages.get(s, ()), run.query) for run in runs] for s in stages}
    shares = {stage: {"p@1": _share(found)} for stage, found in values.items()}
    return {"n": len(runs), "p@1": _share(whole), **shares}


def _shown(row: Mapping, run: QueryRun) -> dict:
    """One query in the report; of the stages only what runs are compared by."""
    legs = {stage: {name: _short(m[name]) for name in KEPT_MEASURES} for stage, m in row["legs"].items()}
    shown = {name: _short(value) for name, value in row.items() if name != "legs"}
    shown["ms"] = round(run.total_ms, 2)
    if run.query.pool:
        shown["pool.p@1"] = first_of_pool(run.whole, run.query)
        for stage, values in legs.items():
            values["pool.p@1"] = first_of_pool(run.stages.get(stage, ()), run.query)
    return {**shown, "legs": legs}


def _short(value: float) -> float:
    return round(value, 6)


def _share(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 5)


def _stage_order(stage: str) -> tuple[int, str]:
    order = (*LEGS[:2], "image", "fused", "reranked")
    return (order.index(stage) if stage in order else len(order), stage)
