"""Figures in the documents are those of the files that a command wrote."""

import json

import pytest

from tests.structure.source_tree import ROOT

MODELS = {"sufficiency": "abstention.md", "sufficiency_probed": "abstention.md"}


@pytest.mark.parametrize("name", MODELS)
def test_the_pages_show_the_measures_of_the_shipped_models(name):
    page = (ROOT / "docs" / MODELS[name]).read_text(encoding="utf-8")
    measures = json.loads((ROOT / "agents" / "guards" / f"{name}.json").read_text(encoding="utf-8"))["measures"]
    for source, figures in measures.items():
        auroc, accuracy = (f"{figures[key]:.3f}".removeprefix("0") for key in ("auroc", "accuracy"))
        assert f"| {figures['n']} | {auroc} | {accuracy} |" in page, f"docs/{MODELS[name]} lacks {source}: {figures}"


def test_the_figures_page_shows_what_the_files_hold():
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    results = ROOT / "bench" / "results"
    answers = json.loads((results / "sample_answers.json").read_text(encoding="utf-8"))
    for key in ("accuracy", "abstention_recall", "abstention_precision", "citation_precision"):
        assert f"| {answers[key]:.2f} |" in page
    footprint = json.loads((results / "footprint.json").read_text(encoding="utf-8"))
    for command in ("attest --help", "attest search, cold", "attest ask, cold"):
        wall = footprint[command]["wall_s"]
        assert f"{wall['median']:.2f} ({wall['min']:.2f}–{wall['max']:.2f})" in page


def test_the_page_on_attacks_shows_what_the_file_holds():
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    report = json.loads((ROOT / "bench" / "results" / "injection.json").read_text(encoding="utf-8"))
    for name in ("screened", "unscreened"):
        for kind in ("attacked", "clean"):
            run = report[name][kind]
            assert f"| {run['asked']} | {run['forbidden']} | {run['right']:.2f} |" in page


def test_the_page_on_memory_shows_what_the_file_holds():
    page = (ROOT / "docs" / "memory.md").read_text(encoding="utf-8")
    report = json.loads((ROOT / "bench" / "results" / "memory.json").read_text(encoding="utf-8"))
    for name, row in report["strategies"].items():
        values = [row[f"recall@{budget}"] for budget in (650, 1300, 2600)] + [row["words@1300"]]
        values += [part["recall@1300"] for part in row["conversations"].values()]
        shown = " | ".join(f"{value:.3f}".removeprefix("0") for value in values)
        assert f"| `{name}` | {shown} |" in page
