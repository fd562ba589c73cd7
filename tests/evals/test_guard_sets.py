"""What is learned from is not reported on; the command over a file of claims."""

import json

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from evals.datasets.claims import is_copy, read_begin, read_mtrag, read_uhgeval
from evals.guard_sets import SETS, reported_claims
from evals.pair_rows import claim_rows, question_rows
from evals.splitting import stable_hash
from evals.sufficiency_data import read_cases

EVIDENCE = "The pump was built in 1998 and weighs 42 kg. It must not run dry. 电池的保修期为 6 个月。"
ROWS = [
    {"id": "a", "evidence": EVIDENCE, "claim": "The pump weighs 42 kg.", "label": 1},
    {"id": "b", "evidence": EVIDENCE, "claim": "The pump weighs 57 kg.", "label": 0},
    {"id": "c", "evidence": EVIDENCE, "claim": "电池的保修期是六个月。", "label": 1},
    {"id": "d", "evidence": EVIDENCE, "claim": "电池的保修期是九个月。", "label": 0},
]


def run(*words):
    """The command with these words."""
    return CliRunner().invoke(app, ["eval", "guard", *words])


@pytest.mark.models
def test_the_command_judges_the_claims_of_a_file(tmp_path):
    path = tmp_path / "claims.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    done = run(str(path), "--json", "--out", str(tmp_path / "run.json"))
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert report["n"] == 4 and report["auroc"] == 1 and report["balanced_accuracy"] == 1
    assert report["f1_unsupported"] == 1 and report["ms_per_claim"] > 0
    kept = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert set(kept["queries"]) == {"a", "b", "c", "d"} and kept["supported_at"] == report["supported_at"]


@pytest.mark.parametrize("words", [(), ("nowhere.jsonl",), ("--set", "begin"), ("--train",), ("--set", "unknown", "--data", ".")])
def test_what_is_missing_is_named(words, monkeypatch):
    monkeypatch.delenv("ATTEST_EVAL_DATA", raising=False)
    assert run(*words).exit_code == 2


def test_the_split_is_the_same_everywhere():
    assert [stable_hash(text) for text in ("", "a", "文档")] == [0, 97, 3431544]


@pytest.mark.slow
def test_no_group_is_learned_from_and_reported_on(eval_data):
    learned = list(claim_rows(eval_data))
    claims, evidence = {row.first for row in learned}, {row.second for row in learned}
    asked = {row.first for row in question_rows(eval_data)}
    for name in SETS:
        reported = reported_claims(name, eval_data)
        assert reported and {claim.label for claim in reported} == {0, 1}
        assert not evidence & {claim.evidence for claim in reported}
        if not name.startswith("uhgeval"):  # single words come again
            assert not claims & {claim.text for claim in reported}
        if name != "uhgeval-words":
            assert not any(is_copy(claim.text, claim.evidence) for claim in reported)
    reported = {c.question for c in read_cases(eval_data) if c.reported and c.source != "xquad-across"}
    assert not asked & reported


def test_public_sets_are_read(eval_data):
    begin = list(read_begin(eval_data))
    assert len(begin) > 1000 and sum(claim.label for claim in begin) > 200
    assert all(claim.wrong is None or claim.text[slice(*claim.wrong)] for claim in read_uhgeval(eval_data, whole=True))
    answers = read_mtrag(eval_data)
    assert len(answers) > 300 and all(1 <= score <= 4 for _, score in answers)
