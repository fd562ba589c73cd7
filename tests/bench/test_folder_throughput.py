"""The folder that the pipelines are compared on, and our own pipeline over it."""

import sys

import pytest

from bench.folder_throughput import KINDS, OURS, run_system, summarise, write_folder
from ingest.media_types import detect_media_type
from ingest.parsing import parse_file


def test_each_kind_of_file_holds_what_was_written(tmp_path):
    written = write_folder(tmp_path, 2 * len(KINDS))
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert {path.suffix[1:] for path in files} == set(KINDS)
    parsed = [parse_file(path, detect_media_type(path, path.name)) for path in files]
    read = sum(len(element.text) for file in parsed for element in file.elements)
    assert 0.95 < read / written < 1.1


def test_the_best_other_is_chosen_round_by_round():
    def run(seconds):
        return {"wall_s": seconds, "cpu_s": seconds, "chunks": 5, "characters": 90}

    found = summarise({OURS: [run(2), run(4)], "a": [run(6), run(8)], "b": [run(8), run(6)]}, 10, 100)
    assert found["times as fast as the best other"]["wall_s"]["median"] == 2.25
    assert found["systems"]["a"]["characters of those written"] == 0.9


@pytest.mark.slow
@pytest.mark.models
def test_our_pipeline_embeds_all_of_it(tmp_path, weights_folder):
    written = write_folder(tmp_path / "files", len(KINDS))
    found = run_system(OURS, sys.executable, tmp_path, tmp_path / "files", tmp_path / "log")
    assert found["chunks"] > len(KINDS) and found["characters"] > 0.95 * written and found["wall_s"] > 0
