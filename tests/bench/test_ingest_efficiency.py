"""The measurement runs, in small; its figures are for bench/results."""

import pytest

from bench.ingest_efficiency import measure_efficiency, measure_memory, write_corpus


def test_the_corpus_is_the_same_each_time_and_no_file_like_another(tmp_path):
    for name in ("a", "b"):
        write_corpus(tmp_path / name, 12, (1, 3))
    first, second = (
        {p.name: p.read_text("utf-8") for p in (tmp_path / name).rglob("*.md")} for name in ("a", "b")
    )
    assert first == second and len(set(first.values())) == 12


@pytest.mark.slow
@pytest.mark.models
def test_it_measures(tmp_path, weights_folder):
    found = measure_efficiency(tmp_path / "one", 6)
    assert found["chunks"] >= 6 and found["efficiency"] > 0 and found["unchanged_speedup"] > 1
    memory = measure_memory(tmp_path / "two", 20)
    # Not the peak: that of this process is of whatever ran in it before.
    assert memory["rss_mb_at_the_end"] - memory["rss_mb_after_a_fifth"] < 200
