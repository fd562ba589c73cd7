"""The measures of guards, the reader of claims and the small networks."""

import json

import numpy as np
import pytest
from agents.guards.alignment import SCALARS, align, token_logits
from evals.fit_guard import fit_map
from evals.guard_network import Example, pooled, train_claims, train_head
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


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 1)), min_size=3, max_size=40))
def test_a_map_to_probabilities_only_rises(rows):
    logits, labels = np.array([r[0] for r in rows]), np.array([float(r[1]) for r in rows])
    where, share = fit_map(logits, labels, np.ones(len(rows)))
    assert (np.diff(where) >= 0).all() and (np.diff(share) >= -1e-9).all()
    assert share.min() > 0 and share.max() < 1


def toy_examples(count, seed):
    """A claim is wrong when one token's counterpart is not itself."""
    rng = np.random.default_rng(seed)
    examples = []
    for _ in range(count):
        claim = rng.standard_normal((6, 80)).astype(np.float32)
        claim /= np.linalg.norm(claim, axis=1, keepdims=True)
        wrong = np.zeros(6, np.float32)
        held = claim.copy()
        if rng.random() < 0.5:
            wrong[2] = 1
            held[2] = rng.standard_normal(80) / 9
        scalars = np.zeros((6, SCALARS), np.float32)
        examples.append(Example(claim, held, scalars, wrong, float(wrong.any())))
    return examples


def test_the_head_learns_which_token_is_not_held():
    head = train_head(toy_examples(300, 1), epochs=40, seed=3)
    unseen = toy_examples(60, 2)
    aligned = [type("A", (), {"claim": e.claim, "held": e.held, "scalars": e.scalars}) for e in unseen]
    scores = [pooled(head, token_logits(head, one)) for one in aligned]
    assert auroc(scores, [int(e.unsupported) for e in unseen]) > 0.95
    again = train_head(toy_examples(300, 1), epochs=40, seed=3)
    assert all((again[name] == value).all() for name, value in head.items())


def test_the_network_over_claims_learns_what_is_not_linear():
    rng = np.random.default_rng(1)
    table = rng.standard_normal((900, 3)).astype(np.float32)
    labels = (table[:, 0] * table[:, 1] > 0).astype(np.float32)
    from agents.guards.grounding_model import claims_logit

    net = train_claims(table[:700], labels[:700], np.ones(700, np.float32), seed=5, members=2)
    assert auroc([claims_logit(net, row) for row in table[700:]], labels[700:]) > 0.9


@given(st.integers(0, 4), st.integers(0, 3), st.integers(0, 3))
def test_any_number_of_tokens_and_sentences_is_aligned(words, quotes, around):
    rng = np.random.default_rng(words)
    tables = [rng.standard_normal((2, 8)).astype(np.float32) for _ in range(quotes + around)]
    found = align(
        rng.standard_normal((words, 8)).astype(np.float32),
        tables[:quotes],
        tables[quotes:],
        np.zeros(8, np.float32),
    )
    assert found.scalars.shape == (words, SCALARS) and np.isfinite(found.scalars).all()
    assert found.held.shape == (words, 8) and len(found.best) == len(found.quoted) == words
