"""The tables of the pages in docs/, made from the result files.

`python -m bench.tables` writes each table between its two marks in the pages. Knows how the
result files are laid out; measures nothing.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.abstention_tables import ABSTENTION_TABLES
from bench.guard_tables import GUARD_TABLES
from bench.ingest_tables import INGEST_TABLES
from bench.markdown import spread_words, table
from evals.record import RESULTS

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "benchmarks.md"
PAGES = (PAGE, *(DOCS / f"{name}.md" for name in ("guards", "abstention", "chat-models", "tables")))
MARKED = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
NOT_MEASURED = "Not measured yet.\n"
WAYS_SHOWN = ("default", "without reranking", "hybrid", "dense", "bm25")


def fill(page: str, results: Path) -> str:
    """The page with every marked table made anew. Raises KeyError for an unknown table."""
    return MARKED.sub(lambda match: f"{match[1]}{render(match[2], results)}{match[3]}", page)


def render(name: str, results: Path) -> str:
    """One table as Markdown, or a line that says that there is nothing to show yet."""
    file, make = TABLES[name]
    path = results / f"{file}.json"
    if not path.exists():
        return NOT_MEASURED
    measured = json.loads(path.read_text(encoding="utf-8"))
    return f"{make(measured)}\n`{measured['command']}`, {measured['date']}, {_machine(measured['machine'])}\n"


def sets_table(measured: Mapping) -> str:
    """nDCG@10 of each leg, of both fused and of the whole, set by set."""
    rows = []
    for name, row in measured["sets"].items():
        legs = [f"{row['legs'][leg]['ndcg@10']:.4f}" for leg in ("dense", "lexical", "fused")]
        fused, whole = row["fused against best leg"], row["whole against best leg"]
        low, high = whole["interval"]
        gained = f"{whole['difference']:+.4f} ({low:+.3f} to {high:+.3f})"
        scores = [*legs, f"**{row['ndcg@10']:.4f}**", f"{fused['difference']:+.4f}", gained]
        costs = [f"{row['recall@5']:.3f}", f"{row['p50_ms']:.0f}"]
        rows.append([name, str(row["counts"]["queries"]), *scores, *costs])
    return table(
        ["set", "n", "dense", "lexical", "fused", "whole", "fused − best leg", "whole − best leg (95 %)",
         "recall@5", "p50, ms"], rows
    )  # fmt: skip


def floors_table(measured: Mapping) -> str:
    """The whole beside plain BM25, and the first of a question's own passages."""
    rows = []
    for name, row in measured["sets"].items():
        if "bm25 floor" in row:
            floor = row["bm25 floor"]
            values = [f"{floor['value']:.3f}", f"{floor['reached']:.3f}", f"{100 * floor['relative']:+.0f} %"]
            rows.append([name, floor["measure"], *values])
    return table(["set", "measure", "plain BM25", "whole", "relative"], rows)


def pools_table(measured: Mapping) -> str:
    """P@1 among each question's own passages: what reranking does there."""
    rows = []
    for name, row in measured["sets"].items():
        if "pool" in row:
            change = row["own pool, whole against fused"]
            legs = [f"{row['pool'][leg]['p@1']:.3f}" for leg in ("dense", "lexical", "fused")]
            counts = f"{change['wins']} / {change['losses']}"
            rows.append([name, str(row["counts"]["queries"]), *legs, f"{row['pool']['p@1']:.3f}", counts])
    return table(["set", "n", "dense", "lexical", "fused", "whole", "won / lost by reranking"], rows)


def failures_table(measured: Mapping) -> str:
    """Ours beside the best other way, set by set."""
    rows = []
    for name, compared in measured["failures against the best other way"].items():
        for measure, row in compared.items():
            interval = "–".join(f"{value:.2f}" for value in row["interval"]) if row["interval"] else "none"
            ratio = "none" if row["ratio"] is None else f"{row['ratio']:.2f}"
            best = row.get("best", "")
            rows.append([name, measure, f"{row['ours']:.4f}", f"{row['theirs']:.4f}", best, ratio, interval])
    return table(["set", "failure", "ours", "best other", "which", "ratio", "95 %"], rows)


def quality_table(measured: Mapping) -> str:
    """nDCG@10 of the usual ways, one column a set."""
    quality = measured["quality"]
    labels = list(dict.fromkeys(label for ways in quality.values() for label in ways))
    shown = sorted(label for label in labels if label.partition(": ")[2] in WAYS_SHOWN)
    rows = [[label, *(f"{ways[label]['ndcg@10']:.3f}" for ways in quality.values())] for label in shown]
    return table(["nDCG@10", *quality], rows)


def costs_table(measured: Mapping) -> str:
    """What each system costs: indexing, encoding, searching, starting, memory."""
    rows = []
    for system, indexing in measured["indexing"].items():
        searches = measured["search without encoding"]["en"]
        first = measured["systems"][system]["ways"][0]
        plain = f"{system}: without reranking"
        way = plain if plain in searches else f"{system}: {first}"
        cold = measured["cold start"].get(system, {}).get("first_hit_s", {}).get("median")
        rows.append(
            [
                system,
                f"{indexing['per_second']:.1f}",
                f"{indexing['per_cpu_second']:.1f}",
                f"{measured['encoding a question'][system]['cpu_ms']['p50']:.1f}",
                f"{searches[way]['cpu_ms']['p50']:.1f} ({way.partition(': ')[2]})",
                "none" if cold is None else f"{cold:.2f}",
                str(measured["memory"][system]["peak_rss_mb"]),
            ]
        )
    heads = ["system", "texts/s", "texts/CPU-s", "encode, CPU ms", "search, CPU ms", "cold start, s", "MB"]
    return table(heads, rows)


def scale_table(measured: Mapping) -> str:
    """Medians and 99th percentiles by size, whole and by stage."""
    sizes = measured["sizes"]
    stages = list(dict.fromkeys(stage for figures in sizes.values() for stage in figures["stages_ms"]))
    rows = [["whole", *(_both(figures["whole_ms"]) for figures in sizes.values())]]
    rows.append(["processor", *(_both(figures["cpu_ms"]) for figures in sizes.values())])
    for stage in stages:
        rows.append([stage, *(_both(f["stages_ms"].get(stage)) for f in sizes.values())])
    least = (figures["dense_roof"]["least_ms"] for figures in sizes.values())
    rows.append(["least time to read all vectors", *(f"{ms:.2f}" for ms in least)])
    return table(["ms, p50 (p99)", *(f"{int(size):,} chunks" for size in sizes)], rows)


def roofline_table(measured: Mapping) -> str:
    """What the machine can do."""
    rows = [["memory read, GB/s", spread_words(measured["memory_read_gb_per_s"])]]
    rows.append(["exact scan of 384 dimensions, GB/s", spread_words(measured["exact_scan_gb_per_s"])])
    rows += [[f"product, {name}, GOPS", spread_words(row)] for name, row in measured["product_gops"].items()]
    fsync = measured["fsync_ms"]
    rows.append(["write of 4 KiB and fsync, ms", f"{fsync['median']:.2f} (p99 {fsync['p99']:.2f})"])
    rows.append(["Python loop, million steps/s", spread_words(measured["python_loop_mega_steps_per_s"])])
    return table(["", "median (least–most)"], rows)


def variants_table(measured: Mapping) -> str:
    """nDCG@10 of several ways to do one thing, set by set."""
    sets = measured["ndcg@10"]
    names = [name for name in next(iter(sets.values())) if name != "n"]
    rows = [[name, str(row["n"]), *(f"{row[way]:.4f}" for way in names)] for name, row in sets.items()]
    return table(["set", "n", *names], rows)


def hyde_table(measured: Mapping) -> str:
    """nDCG@10 without and with a hypothetical passage, set by set, and what the model takes."""
    rows = []
    for name, row in measured["sets"].items():
        columns = [value for order in ("fused", "whole") for value in _change(row[order])]
        rows.append([name, str(row["n"]), *columns, f"{row['model, median s']:.1f}"])
    heads = [f"{order}{what}" for order in ("fused", "whole") for what in ("", " with a passage", ", 95 %")]
    return table(["set", "n", *heads, "model, s a question"], rows)


def context_line_table(measured: Mapping) -> str:
    """nDCG@10 of chunks alone, with a line by the model and with the title, by direction."""
    rows = []
    for name, row in measured["sets"].items():
        line, title = row["with a line"], row["with the title"]
        columns = [*_change(line["dense"]), *_change(line["whole"]), *_change(title["whole"])[1:]]
        rows.append([name, str(row["n"]), str(row["chunks"]), *columns, f"{row['seconds a chunk']:.1f}"])
    return table(
        ["set", "n", "chunks", "dense", "dense with a line", "95 %", "whole", "whole with a line", "95 %",
         "whole with the title", "95 %", "model, s a chunk"], rows
    )  # fmt: skip


def vllm_table(measured: Mapping) -> str:
    """One stream, several at once, and a prompt of which the beginning was read before."""
    alone, together, same = measured["alone"], measured["together"], measured["the same beginning"]
    gain = together["tokens_per_s"]["median"] / alone["tokens_per_s"]["median"]
    streams, cached = together["streams"], same["cached_tokens"]
    rows = [
        ["one stream: tokens a second", spread_words(alone["tokens_per_s"])],
        ["one stream: seconds to the first", _seconds(alone["first_s"])],
        [f"{streams} streams: tokens a second of all", spread_words(together["tokens_per_s"])],
        [f"{streams} streams against one", f"{gain:.1f} ×"],
        [f"{streams} streams: seconds to the first of the last one", _seconds(together["first_s"])],
        ["a long prompt, new: seconds to the first", _seconds(same["new_first_s"])],
        [f"the same with another end, {cached} tokens cached", _seconds(same["read_before_first_s"])],
        ["seconds to start", f"{measured['ready_s']:.0f}"],
    ]
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    return table([f"{measured['model']} on {versions}", "median (least–most)"], rows)


def tool_kills_table(measured: Mapping) -> str:
    """What was amiss after kills of a run with effects."""
    stages = measured["killed_at"]
    between = stages.get("effect intended", 0) + stages.get("effect had, not noted", 0)
    heads = ["kills", "of these between intent and note", "runs", "effects", "faults"]
    values = [measured["kills"], between, measured["rounds"], measured["effects"], len(measured["amiss"])]
    return table(heads, [list(map(str, values))])


def table_questions_table(measured: Mapping) -> str:
    """Each set: how many questions are answered rightly from tables, and from tables of others."""
    rows = []
    for name, found in measured["sets"].items():
        for route, row in found["routes"].items():
            keys = ("exact_match", "answered", "precision", "numeric_exactness")
            values = ["" if row[key] is None else f"{row[key]:.3f}".removeprefix("0") for key in keys]
            reckoned = str(row["reckoned_as_people_did"] or "")
            elsewhere = f"{100 * found['elsewhere']['answered']:.1f} %" if route == "rules" else ""
            rows.append([name, route, str(row["n"]), *values, reckoned, elsewhere])
    return table(
        ["set", "route", "n", "exact", "answered", "precision", "exactness", "of so many",
         "answered from another's table"], rows
    )  # fmt: skip


def overhead_table(measured: Mapping) -> str:
    """What the graph takes of a question, and what a session's checkpoints take."""
    alone, goal = measured["alone"], f"{measured['goal_ms']:g}"
    rows = [
        ["milliseconds of the graph alone", _seconds(alone["ms"]), goal],
        ["of them on the processor", _seconds(alone["processor_ms"]), goal],
        ["milliseconds with the usual evidence", _seconds(measured["ms"]), ""],
        ["of them on the processor", _seconds(measured["processor_ms"]), ""],
        ["checkpoints of a session, KB", f"{measured['checkpoint_kb']:g}", f"{measured['goal_kb']:g}"],
    ]
    return table(["", "median (least–most)", "goal"], rows)


TABLES: Mapping[str, tuple[str, Callable[[Mapping], str]]] = {
    "quality-sets": ("retrieval_quality", sets_table),
    "quality-floors": ("retrieval_quality", floors_table),
    "quality-pools": ("retrieval_quality", pools_table),
    "peers-failures": ("peers", failures_table),
    "peers-quality": ("peers", quality_table),
    "peers-costs": ("peers", costs_table),
    "lexical-terms": ("lexical_terms", variants_table),
    "late-interaction": ("late_interaction", variants_table),
    "maxsim-recipe": ("maxsim_recipe", variants_table),
    "chunk-sizes": ("chunk_sizes", variants_table),
    "hyde": ("hyde", hyde_table),
    "context-line": ("context_line", context_line_table),
    "retrieval-scale": ("retrieval_scale", scale_table),
    "roofline": ("roofline", roofline_table),
    "vllm": ("vllm", vllm_table),
    "tool-kills": ("tool_kills", tool_kills_table),
    "graph-overhead": ("graph_overhead", overhead_table),
    **INGEST_TABLES,
    "table-questions": ("table_questions", table_questions_table),
    **GUARD_TABLES,
    **ABSTENTION_TABLES,
}


def _change(pair: Mapping) -> list[str]:
    """Before, after, and the interval of the difference."""
    low, high = pair["interval"]
    return [f"{pair['mean_a']:.4f}", f"{pair['mean_b']:.4f}", f"{low:+.3f} to {high:+.3f}"]


def _both(quantiles: Mapping | None) -> str:
    return f"{quantiles['p50']:.1f} ({quantiles['p99']:.1f})" if quantiles else ""


def _seconds(row: Mapping) -> str:
    return f"{row['median']:.2f} ({row['min']:.2f}–{row['max']:.2f})"


def _machine(machine: Mapping) -> str:
    return f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gb']} GB"


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(fill(path.read_text(encoding="utf-8"), RESULTS), encoding="utf-8")
