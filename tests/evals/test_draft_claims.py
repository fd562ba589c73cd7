"""What the reader learns from real drafts."""

import random
from dataclasses import replace

import pytest

from core.messages import ChatDelta
from evals.draft_cases import DraftCase, draft_cases
from evals.draft_claims import SOURCE, WRONG, claims_on_drafts
from evals.drafts import Drafted, Shown, read_drafts, write_drafts
from evals.sufficiency_data import is_reported, is_weighed
from retrieval.evidence import CutLimits, EvidenceCutter
from tests.agents.doubles import CharacterVectors

PASSAGE = "The north gate was built in 1832 by Anna Berg. The south gate was built in 1764."
NEAR = "The harbour was widened in 1902. Its lighthouse stands on the pier."
ASKED = "When was the north gate built?"
CASE = DraftCase("x", ASKED, (PASSAGE, NEAR), (("1832",),))


def claims(case: DraftCase, draft: str):
    return list(claims_on_drafts([Drafted(case, draft)], random.Random(1)))


def test_a_right_draft_is_a_true_claim_and_false_ones_are_made_of_it():
    rows = claims(CASE, "They built the north gate in 1832 [1].")
    true, *false = rows
    assert (true.first, true.label, true.marked) == ("They built the north gate in 1832.", 1, ())
    assert false and {row.label for row in false} == {0} and {row.source for row in rows} == {SOURCE}
    for row in false:
        assert row.second == NEAR or all(row.first[a:b] not in true.first for a, b in row.marked)


@pytest.mark.parametrize(
    ("case", "draft"),
    [
        (CASE, "Workers from the harbour put it up over a very long winter."),
        (DraftCase("x", "When was the east gate built?", (NEAR,)), "The east gate was built in 1777."),
    ],
)
def test_what_is_said_in_words_of_its_own_is_wrong(case, draft):
    (row,) = claims(case, draft)
    assert (row.label, row.source, row.marked) == (0, WRONG, None)


def test_a_sentence_of_the_passage_may_be_true_and_a_refusal_is_no_claim():
    assert claims(CASE, "The south gate was built in 1764.") == []
    assert claims(CASE, "The evidence does not mention it.") == []


def test_the_other_script_and_a_part_of_a_long_answer_are_right():
    case = DraftCase("x", "誰建了北門?", ("北門是張汝梅所建。",), (("張汝梅",),))
    assert claims(case, "北门的建造者叫张汝梅。")[0].label == 1
    told = "The harbour was widened and the lighthouse on the pier was raised by ten metres"
    case = DraftCase("x", "What happened in 1902?", (f"In 1902: {told}.",), ((told,),))
    assert claims(case, "In 1902 the lighthouse was raised by ten metres.")[0].label == 1


class Writes:
    """A model that counts."""

    name = "counting"

    def __init__(self, reply: str = "") -> None:
        self.asked, self._reply = 0, reply

    async def stream(self, messages, options):
        self.asked += 1
        for piece in (self._reply or f"draft {self.asked}").split(" "):
            yield ChatDelta(f"{piece} ")


async def test_what_is_drafted_is_kept_and_not_drafted_again(tmp_path):
    cases = [CASE, DraftCase("y", "谁？", ("泵由李明维护。",), (("李明",),))]
    path, model, show = (
        tmp_path / "drafts.jsonl",
        Writes(),
        Shown(EvidenceCutter(CharacterVectors()), CutLimits(20, 4)),
    )
    await write_drafts(cases, path, model, show, lambda line: None)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(lines[0], encoding="utf-8")
    await write_drafts(cases, path, model, show, lambda line: None)
    assert model.asked == 3
    assert [(d.case, d.draft) for d in read_drafts(path)] == [(cases[0], "draft 1 "), (cases[1], "draft 3 ")]


async def test_of_passages_as_a_search_finds_them_the_model_sees_what_the_cutter_leaves(tmp_path):
    case = DraftCase("x", ASKED, (NEAR * 5, PASSAGE), (("1832",),), found=True)
    show = Shown(EvidenceCutter(CharacterVectors()), CutLimits(20, 4))
    shown, whole = ("\n".join(e.text for e in show(one)) for one in (case, replace(case, found=False)))
    assert whole == "\n".join(case.passages) and 0 < len(shown) < len(whole)
    model = Writes("It was built in 1832. It stands. It stands.")
    await write_drafts([case], tmp_path / "drafts.jsonl", model, show, lambda line: None)
    (drafted,) = read_drafts(tmp_path / "drafts.jsonl")
    assert drafted.case == case and drafted.draft.startswith("It was built in 1832.")
    assert not drafted.draft.endswith("It stands. It stands.")


@pytest.mark.parametrize("weighed", [False, True])
def test_drafts_are_of_questions_that_nothing_is_reported_on(eval_data, weighed):
    cases = draft_cases(eval_data, weighed, found=True)
    of_rgb = {case.question for case in cases if case.source.startswith("rgb-")}
    assert of_rgb and any(case.found for case in cases)
    assert all(map(is_weighed, of_rgb)) if weighed else not any(map(is_reported, of_rgb))
    assert draft_cases(eval_data, weighed) == [case for case in cases if not case.found]
