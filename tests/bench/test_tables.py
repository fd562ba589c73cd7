"""The page of benchmarks shows what the result files hold."""

import json

import pytest

from bench.tables import MARKED, NOT_MEASURED, PAGE, PAGES, TABLES, fill, render
from evals.record import RESULTS

MACHINE = {"cpu": "a processor", "cores": 2, "memory_gb": 24.7}
HEAD = {"command": "python -m bench.x", "date": "2026-01-01", "machine": MACHINE}


def written(folder, name, figures):
    (folder / f"{name}.json").write_text(json.dumps({**HEAD, **figures}), encoding="utf-8")


def test_the_pages_are_up_to_date():
    pages = [path.read_text(encoding="utf-8") for path in PAGES]
    assert {match[2] for page in pages for match in MARKED.finditer(page)} == TABLES.keys()
    assert [fill(page, RESULTS) for page in pages] == pages, "run: python -m bench.tables"


def test_without_a_file_nothing_is_claimed(tmp_path):
    assert render("roofline", tmp_path) == NOT_MEASURED


def test_an_unknown_table_is_an_error(tmp_path):
    with pytest.raises(KeyError):
        fill("<!-- table: gone -->\n<!-- end of table -->", tmp_path)


def test_variants_stand_side_by_side(tmp_path):
    written(tmp_path, "lexical_terms", {"ndcg@10": {"a-set": {"n": 7, "one way": 0.5, "other way": 0.61}}})
    shown = render("lexical-terms", tmp_path)
    assert "| set | n | one way | other way |" in shown and "| a-set | 7 | 0.5000 | 0.6100 |" in shown


def test_sets_floors_and_pools(tmp_path):
    legs = {leg: {"ndcg@10": value} for leg, value in (("dense", 0.5), ("lexical", 0.25), ("fused", 0.55))}
    change = {"difference": 0.05, "interval": [-0.01, 0.11], "wins": 3, "losses": 1}
    row = {
        "counts": {"queries": 40}, "legs": legs, "ndcg@10": 0.6, "recall@5": 0.7, "p50_ms": 31.4,
        "fused against best leg": change, "whole against best leg": change,
        "own pool, whole against fused": change, "pool": {"p@1": 0.8, **{leg: {"p@1": 0.5} for leg in legs}},
        "bm25 floor": {"measure": "ndcg@10", "value": 0.4, "reached": 0.6, "relative": 0.5},
    }  # fmt: skip
    written(tmp_path, "retrieval_quality", {"sets": {"rgb": row}})
    sets = render("quality-sets", tmp_path)
    assert (
        "| rgb | 40 | 0.5000 | 0.2500 | 0.5500 | **0.6000** | +0.0500 | +0.0500 (-0.010 to +0.110) |" in sets
    )
    assert "| rgb | ndcg@10 | 0.400 | 0.600 | +50 % |" in render("quality-floors", tmp_path)
    assert "| rgb | 40 | 0.500 | 0.500 | 0.500 | 0.800 | 3 / 1 |" in render("quality-pools", tmp_path)


def test_failures(tmp_path):
    row = {"ours": 0.01, "theirs": 0.04, "ratio": 0.25, "interval": [0.1, 0.5], "best": "peer: dense"}
    whole = {"ours": 0.0, "theirs": 0.0, "ratio": None, "interval": None}
    compared = {"drcd": {"1 - ndcg@10": row}, "all": {"1 - ndcg@10": whole}}
    written(tmp_path, "peers", {"failures against the best other way": compared})
    text = render("peers-failures", tmp_path)
    assert "| drcd | 1 - ndcg@10 | 0.0100 | 0.0400 | peer: dense | 0.25 | 0.10–0.50 |" in text
    assert "| all | 1 - ndcg@10 | 0.0000 | 0.0000 |  | none | none |" in text
    assert "`python -m bench.x`, 2026-01-01, 2 cores of a processor, 24.7 GB" in text


def test_scale(tmp_path):
    pair = {"p50": 1.0, "p99": 2.0}
    small = {"whole_ms": pair, "cpu_ms": pair, "stages_ms": {"dense": pair}, "dense_roof": {"least_ms": 0.5}}
    large = {**small, "stages_ms": {"dense": pair, "rerank": pair}}
    written(tmp_path, "retrieval_scale", {"sizes": {"1000": small, "10000": large}})
    text = render("retrieval-scale", tmp_path)
    assert "| ms, p50 (p99) | 1,000 chunks | 10,000 chunks |" in text
    assert "| rerank |  | 1.0 (2.0) |" in text
    assert "| least time to read all vectors | 0.50 | 0.50 |" in text


def test_a_filled_page_stays_as_it_is(tmp_path):
    pair = {"p50": 1.0, "p99": 2.0}
    figures = {"whole_ms": pair, "cpu_ms": pair, "stages_ms": {}, "dense_roof": {"least_ms": 0.5}}
    written(tmp_path, "retrieval_scale", {"sizes": {"1000": figures}})
    page = fill(PAGE.read_text(encoding="utf-8"), tmp_path)
    assert "1,000 chunks" in page and fill(page, tmp_path) == page


def pair(before: float, after: float) -> dict:
    return {"mean_a": before, "mean_b": after, "interval": [-0.01, 0.0234]}


def test_what_a_chat_model_adds_stands_beside_what_was_there(tmp_path):
    row = {"n": 15, "fused": pair(0.8, 0.75), "whole": pair(0.9, 0.91), "model, median s": 3.21}
    written(tmp_path, "hyde", {"sets": {"xquad-zh-en": row}})
    shown = render("hyde", tmp_path)
    cells = "0.8000 | 0.7500 | -0.010 to +0.023 | 0.9000 | 0.9100 | -0.010 to +0.023 | 3.2"
    assert f"| xquad-zh-en | 15 | {cells} |" in shown


def test_lines_of_context_stand_beside_titles(tmp_path):
    ways = {
        "with a line": {"dense": pair(0.5, 0.6), "whole": pair(0.7, 0.72)},
        "with the title": {"whole": pair(0.7, 0.8)},
    }
    written(tmp_path, "context_line", {"sets": {"s": {"n": 9, "chunks": 4, "seconds a chunk": 2.04, **ways}}})
    [shown] = [line for line in render("context-line", tmp_path).splitlines() if line.startswith("| s |")]
    change = "-0.010 to +0.023"
    assert (
        shown
        == f"| s | 9 | 4 | 0.5000 | 0.6000 | {change} | 0.7000 | 0.7200 | {change} | 0.8000 | {change} | 2.0 |"
    )


def test_guards_stand_beside_plain_baselines(tmp_path):
    row = {
        "auroc": 0.951, "balanced_accuracy": 0.9, "f1_unsupported": 0.92, "n": 10, "supported": 4, "ms_per_claim": 11.6, "binding_ms": 30.4,
        "intervals": {"auroc": [0.9, 0.99]}, "baselines": {"cover": 0.6, "bigram cover": 0.61, "MaxSim": 0.62},
        "reliability": [{"from": 0.9, "n": 4, "score": 0.95, "supported": 1.0}],
        "kinds": {"number": {"n": 6, "caught": 0.83, "auroc": 0.98}},
    }  # fmt: skip
    agreement = {"n": 9, "spearman": 0.31, "baselines": {"cover": 0.2, "bigram cover": 0.21, "MaxSim": 0.22}}
    written(tmp_path, "guard", {"sets": {"changed": row, "mtrag": agreement}})
    shown = render("guard-sets", tmp_path)
    assert "| changed | 10 | 4 | **.951** (.900–.990) | .600 | .610 | .620 | .900 | .920 | 12 | 30 |" in shown
    assert "| changed | number | 6 | 0.83 | .980 |" in render("guard-kinds", tmp_path)
    assert "| 0.9–1.0 | 4 | 0.95 | 1.00 |" in render("guard-reliability", tmp_path)
    assert "| 9 | 0.310 | 0.200 | 0.210 | 0.220 |" in render("guard-agreement", tmp_path)
    assert render("guard-probed", tmp_path) == NOT_MEASURED
    written(tmp_path, "probes", {"probes": {"holds": {"sets": {"rgb": {"n": 27, "auroc": 0.988}}}}})
    assert "| holds | rgb | 27 | .988 |" in render("probes", tmp_path)


def test_what_the_gate_and_the_whole_are_worth(tmp_path):
    row = {"n": 60, "unanswerable": 20, "auroc": 0.8124, "risk": {"0.2": 0.05, "1": 0.333},
           "declined_at_precision_0.95": 0.25}  # fmt: skip
    again = row | {"auroc": 0.9124}
    written(tmp_path, "abstention", {"gate on the quarter": {"rgb": row}, "with the second reading": {"rgb": again}})
    assert "| rgb | 60 | 20 | .812 | .050 | .333 | .25 |" in render("abstention-small", tmp_path)
    assert "| rgb | 60 | 20 | .912 | .050 | .333 | .25 |" in render("abstention-gate", tmp_path)
    answers = {"n": 20, "accuracy": 0.5, "abstention_precision": None, "abstention_recall": 1.0,
               "citation_precision": 0.875, "prompt_tokens_median": 410, "first_sentence_median_ms": 3210.5}  # fmt: skip
    written(tmp_path, "rgb_answers", {"sets": {"rgb noise 0": answers}})
    assert "| rgb noise 0 | 20 | .500 |  | 1.000 | .875 | 410 | 3.2 |" in render("rgb-answers", tmp_path)
