"""Tables of docs/benchmarks.md on ingestion, from the result files. Measures nothing."""

from collections.abc import Callable, Mapping

from bench.markdown import spread_words, table


def folder_table(measured: Mapping) -> str:
    """A folder of mixed files, library by library; below, how much quicker ours is."""
    rows = []
    for name, row in measured["systems"].items():
        seconds = [spread_words(row["wall_s"]), spread_words(row["cpu_s"])]
        share = f"{100 * row['characters of those written']:.0f} %"
        rows.append([name, *seconds, f"{row['files_per_s']:.1f}", str(row["chunks"]), share])
    if ratios := measured.get("times as fast as the best other"):
        cells = [f"{ratios[key]['median']:.2f} ×" for key in ("wall_s", "cpu_s")]
        rows.append(["attest against the best other", *cells, "", "", ""])
    heads = ["", "seconds", "CPU seconds", "files/s", "chunks", "characters of those written"]
    return table(heads, rows)


def efficiency_table(measured: Mapping) -> str:
    """What ingestion costs beyond its model, an unchanged folder, and memory."""
    whole, memory = measured["efficiency"], measured["memory"]
    encoder = sum(whole["encoder_s"]) / len(whole["encoder_s"])
    rows = [
        ["files, chunks", f"{whole['files']}, {whole['chunks']}"],
        ["the bare encoder, s", f"{encoder:.1f}"],
        ["ingested, durable, s", f"{whole['ingest_s']:.1f}"],
        ["encoder ÷ ingest", f"**{whole['efficiency']:.2f}**"],
        ["the same of processor time", f"{whole['efficiency_cpu']:.2f}"],
        ["the unchanged folder again, s", f"{whole['unchanged_s']:.3f}"],
        ["times quicker", f"{whole['unchanged_speedup']:.0f}"],
        [f"{memory['files']} files: MB after a fifth of them", str(memory["rss_mb_after_a_fifth"])],
        ["MB at the end", str(memory["rss_mb_at_the_end"])],
        ["MB at the most", str(memory["peak_rss_mb"])],
    ]
    return table(["", ""], rows)


def fidelity_table(measured: Mapping) -> str:
    """Cells of generated tables found again, by kind of file."""
    rows = [
        [
            kind,
            str(row["tables"]),
            str(row["cells"]),
            f"{100 * row['found_share']:.2f} %",
            str(row["exact_tables"]),
            str(row["header_rows_right"]),
            str(row["flagged"]),
        ]
        for kind, row in measured["formats"].items()
    ]
    heads = ["kind", "tables", "cells", "found again", "tables exact", "header rows right", "flagged"]
    return table(heads, rows)


def parsing_table(measured: Mapping) -> str:
    """Words of known files found again, set by set."""
    rows = [
        [
            name,
            str(row["files"]),
            str(len(row["failed"])),
            *(f"{row[key]:.3f}" if row.get(key) is not None else "" for key in ("found", "pairs found")),
        ]
        for name, row in measured["sets"].items()
    ]
    return table(["set", "files", "failed", "words found", "pairs of words found"], rows)


def crash_table(measured: Mapping) -> str:
    """What was amiss after kills at random moments."""
    counted = ("kills", "rounds", "lost", "duplicate", "orphan", "stale")
    return table(["embedder", *counted], [[measured["embedder"], *(str(measured[key]) for key in counted)]])


INGEST_TABLES: Mapping[str, tuple[str, Callable[[Mapping], str]]] = {
    "folder-throughput": ("folder_throughput", folder_table),
    "ingest-efficiency": ("ingest_efficiency", efficiency_table),
    "crash": ("crash", crash_table),
    "table-fidelity": ("table_fidelity", fidelity_table),
    "parsing-quality": ("parsing_quality", parsing_table),
}
