"""`attest eval retrieval` and `attest compare` as a user runs them, with the real embedder."""

import json
import os

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from tests.evals.conftest import write_lines

MEASURES = {"ndcg@10", "recall@1", "recall@5", "recall@10", "recall@20", "mrr@10"}


def attest(*words, **environment):
    return CliRunner().invoke(app, [str(word) for word in words], env=environment)


def error_of(result) -> str:
    return " ".join(result.stderr.split())


@pytest.mark.slow
@pytest.mark.models
def test_a_set_from_a_folder_to_a_report(weights_folder, tiny_set, tmp_path):
    out = tmp_path / "run.json"
    result = attest("eval", "retrieval", tiny_set, "--json", "--out", out)
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report == json.loads(out.read_text(encoding="utf-8"))
    assert report.keys() >= MEASURES | {"p50_ms", "p99_ms", "settings_fingerprint", "embedder", "stages_ms"}
    for leg in ("dense", "lexical", "fused"):
        assert report["legs"][leg].keys() == MEASURES
    # Easy questions: every stage must find them, or the figures are of something else.
    assert (
        report["recall@5"]
        == report["legs"]["dense"]["recall@5"]
        == report["legs"]["lexical"]["recall@5"]
        == 1
    )
    assert report["ndcg@10"] > 0.9
    assert report["counts"]["documents"] == 6
    assert report["counts"]["chunks"] > 6  # the long document is several
    assert report["counts"]["queries"] == len(report["queries"]) == 4
    assert report["indexing"]["documents_per_s"] > 0
    assert report["p50_ms"] >= max(row["p50_ms"] for row in report["stages_ms"].values()) > 0


@pytest.mark.slow
@pytest.mark.models
def test_distractors_a_kept_index_and_a_comparison(weights_folder, tiny_set, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    rows = [{"_id": "leave", "text": "The annual report of the gardening club lists twenty roses."}]
    rows.append(
        {"_id": "x", "text": "Visitors park behind the north gate and register their plates at the desk."}
    )
    write_lines(other / "corpus.jsonl", rows)
    kept = tmp_path / "index"
    runs = [tmp_path / "first.json", tmp_path / "second.json"]
    given = ("eval", "retrieval", tiny_set, "--distractors", other, "--keep-data", kept, "--json", "--out")
    reports = [json.loads(attest(*given, path).stdout) for path in runs]
    assert [report["indexing"]["reused"] for report in reports] == [False, True]
    assert reports[0]["counts"] == reports[1]["counts"]
    assert reports[0]["counts"]["distractors"] == reports[0]["counts"]["doubled_distractors"] == 1
    ignored = ("ms",)
    for identity, row in reports[0]["queries"].items():
        again = reports[1]["queries"][identity]
        assert {k: v for k, v in row.items() if k not in ignored} == {
            k: v for k, v in again.items() if k not in ignored
        }

    found = json.loads(attest("compare", *runs, "--json").stdout)
    assert (found["n"], found["wins"], found["ties"], found["losses"]) == (4, 0, 4, 0)
    assert found["interval"] == [0, 0]
    assert found["mcnemar"]["p"] == 1
    shown = attest("compare", *runs, "--metric", "legs.lexical.ndcg@10")
    assert "B better 0, equal 4, worse 0" in shown.stdout


@pytest.mark.slow
@pytest.mark.models
def test_a_table_for_people_fits_its_width(weights_folder, tiny_set):
    result = attest("eval", "retrieval", tiny_set, "--limit-queries", "2")
    assert result.exit_code == 0, result.stderr
    assert "tiny: 2 queries over 6 documents and 0 distractors" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    labels = [line.split()[0] for line in result.stdout.splitlines() if line.count(".") >= 6]
    assert labels == ["dense", "lexical", "fused", "reranked", "whole"]


def test_a_broken_folder_is_wrong_use(tmp_path):
    result = attest("eval", "retrieval", tmp_path, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "bad_input"
    assert "corpus.jsonl" in error_of(result)


def test_a_report_that_cannot_be_written_is_refused_before_the_work(tiny_set, tmp_path):
    result = attest("eval", "retrieval", tiny_set, "--out", tmp_path / "none" / "run.json")
    assert result.exit_code == 2
    assert "cannot be written" in error_of(result)


def test_a_data_directory_is_never_taken_for_an_index(tiny_set, tmp_path):
    mine = tmp_path / "data"
    mine.mkdir()
    (mine / "attest.db").write_bytes(b"mine")
    result = attest("eval", "retrieval", tiny_set, "--keep-data", mine)
    assert result.exit_code == 2
    assert "was not made by attest eval" in error_of(result)
    assert os.listdir(mine) == ["attest.db"]


def test_runs_over_other_queries_are_wrong_use(tmp_path):
    for name, query in (("a", "q1"), ("b", "q2")):
        report = {"queries": {query: {"ndcg@10": 1.0, "recall@5": 1.0}}}
        (tmp_path / name).write_text(json.dumps(report), encoding="utf-8")
    result = attest("compare", tmp_path / "a", tmp_path / "b")
    assert result.exit_code == 2
    assert "--common" in error_of(result)
