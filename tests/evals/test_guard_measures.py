"""The measures of guards and the reader of claims."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.types import Label, Verdict
from evals.claims import Claim, read_claims
from evals.guard import Judged, auroc, figures, reliability, report, spearman

SCORES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.integers(0, 1)), min_size=1, max_size=30
)


@given(SCORES)
def test_auroc_is_the_share_of_pairs_in_the_right_order(rows):
    right = [(s > t) + (s == t) / 2 for s, one in rows if one for t, other in rows if not other]
    found = auroc([s for s, _ in rows], [label for _, label in rows])
    assert found is None if not right else found == pytest.approx(sum(right) / len(right))


def judged(scores, labels, kinds=None):
    kinds = kinds or [""] * len(scores)
    return [
        Judged(
            Claim(str(at), "x", "y", label, group=str(at), kind=kind),
            Verdict(Label.UNSURE, score, "g"),
            2.0,
            {"cover": score},
        )
        for at, (score, label, kind) in enumerate(zip(scores, labels, kinds, strict=True))
    ]


def test_figures_at_the_threshold():
    found = figures(judged([0.9, 0.4, 0.6, 0.1], [1, 1, 0, 0]), 0.5)
    assert found["auroc"] == 0.75 and found["balanced_accuracy"] == 0.5
    assert found["f1_unsupported"] == 0.5 and found["n"] == 4
    assert 0 <= found["intervals"]["auroc"][0] <= 0.75 <= found["intervals"]["auroc"][1] <= 1


def test_one_label_alone_has_no_auroc():
    found = figures(judged([0.9, 0.2], [1, 1]), 0.5)
    assert found["auroc"] is None and found["balanced_accuracy"] is None and found["n"] == 2


def test_a_report_has_the_keys_that_scripts_read():
    found = report(judged([0.9, 0.8, 0.1, 0.7], [1, 1, 0, 0], ["", "", "number", "date"]), 0.5)
    assert {"auroc", "balanced_accuracy", "f1_unsupported", "ms_per_claim", "n"} <= set(found)
    assert found["ms_per_claim"] == 2 and found["baselines"]["cover"] == 1
    assert found["kinds"]["number"]["caught"] == 1 and found["kinds"]["date"]["caught"] == 0
    json.dumps(found)


def test_a_report_of_one_label_has_no_auroc():
    found = report(judged([0.9, 0.8], [1, 1]), 0.5)
    assert found["auroc"] is None and found["baselines"]["cover"] is None


def test_reliability_and_rank_correlation():
    rows = reliability([0.05, 0.95, 0.95, 1.0], [0, 1, 0, 1])
    assert [row["n"] for row in rows] == [1, 3] and rows[1]["supported"] == 0.667
    assert spearman([1, 2, 3], [10, 20, 30]) == pytest.approx(1) and spearman(
        [1, 2, 2], [3, 2, 2]
    ) == pytest.approx(-1)


def test_claims_are_read(tmp_path):
    path = tmp_path / "claims.jsonl"
    path.write_text('{"id": "a", "evidence": ["x", "y"], "claim": "z", "label": 1}\n\n', encoding="utf-8")
    assert [(c.id, c.evidence, c.text, c.label) for c in read_claims(path)] == [("a", "x\ny", "z", 1)]


@pytest.mark.parametrize(
    "line", ["", "no json", '{"id": 1}', '{"evidence": "e", "claim": "c", "label": 2}', "[1]"]
)
def test_a_row_that_is_no_claim_is_named(tmp_path, line):
    path = tmp_path / "claims.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError):
        read_claims(path)
