"""What is indexed and asked."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.peers.libraries import LEAST_CHARS, LIBRARY_OF_SET, Size, fill_library, read_plan, sample_questions
from bench.peers.protocol import Passage
from evals.beir import CorpusDocument, JudgedQuery, RetrievalSet
from tests.structure.source_tree import ROOT

OWN = [Passage(f"own:{at}", f"paragraph {at}") for at in range(6)]
SPARE = [Passage(f"other:{at}", f"{at} " + "abstract " * 40) for at in range(8)]


@given(st.integers(2, 20), st.integers(0, 5))
def test_a_library_holds_what_is_needed_and_nothing_twice(size, seed):
    chosen = fill_library(OWN, SPARE, {"own:4", "own:5"}, size, seed)
    ids = [passage.id for passage in chosen]
    assert {"own:4", "own:5"} <= set(ids)
    assert len(ids) == len(set(ids)) == min(size, len(OWN) + len(SPARE))
    assert size < len(OWN) or set(ids) >= {passage.id for passage in OWN}
    assert chosen == fill_library(OWN, SPARE, {"own:4", "own:5"}, size, seed)


def test_distractors_that_could_answer_or_are_titles_are_left_out():
    copy = Passage("other:copy", "paragraph  \n0")
    short = Passage("other:short", "x" * (LEAST_CHARS - 1))
    assert {p.id for p in fill_library(OWN, [copy, short], set(), 0, 1)} == {p.id for p in OWN}


def test_both_languages_are_asked_the_same():
    queries = [JudgedQuery(f"q{at}", f"text {at}", {"d": 1.0}) for at in range(30)]
    documents = [CorpusDocument("d", "text")]
    size = Size(5, 0, 0, 3)
    zh, en = (
        sample_questions(RetrievalSet(name, documents, queries), size) for name in ("xquad-zh-en", "xquad-en-zh")
    )
    assert [q.id for q in zh] == [q.id for q in en] and len({q.id for q in zh}) == 5
    assert (zh[0].gold, en[0].gold) == ("xquad-en:d", "xquad-zh:d")
    assert (zh[0].library, en[0].library) == ("en", "zh")


@pytest.mark.slow
def test_the_public_sets_make_a_plan():
    folder = Path(os.environ.get("ATTEST_EVAL_DATA") or ROOT.parent / "shared" / "evals")
    if not (folder / "xquad").is_dir():
        pytest.skip(f"no public sets in {folder}: name their folder in ATTEST_EVAL_DATA")
    plan = read_plan(folder, Size(10, 0, 300, 7))
    assert [sum(q.set == name for q in plan.questions) for name in LIBRARY_OF_SET] == [10] * 6
    ids = {name: {p.id for p in passages} for name, passages in plan.libraries.items()}
    assert all(question.gold in ids[question.library] for question in plan.questions)
    assert len(ids["en"]) == 300 and len(ids["zh"]) > 1300
    assert plan.contents()["zh"]["sources"]["drcd"]["passages"] == 1000
