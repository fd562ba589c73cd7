"""With the policy `mask` no event carries personal data."""

from dataclasses import asdict

import pytest
from hypothesis import given as given_data
from hypothesis import strategies as st

from agents.events import (
    ApprovalNeeded,
    Failed,
    Finished,
    Retrieved,
    SentenceReleased,
    SentenceRevised,
    StatusChanged,
    ToolCalled,
)
from agents.masking import AnswerMask
from agents.tools.tool import ToolResult
from core.personal_data import KINDS
from core.types import Answer, Citation, Hit, Label, Sentence, Stage, Status, Verdict, chunk_id
from tests.agents.doubles import chunk

PHONE = "13812345678"
SAID = f"联系电话是 {PHONE}。"
SENTENCE = Sentence(SAID, (1,), Verdict(Label.SUPPORTED, 0.9, "grounding", f"numbers: {PHONE}"))
CITATION = Citation(1, "c", "d", f"名片 {PHONE}", f"file:///{PHONE}", SAID, 0, len(SAID))
ANSWER = Answer(
    "a", Status.ANSWERED, SAID, (SENTENCE,), (CITATION,), (SENTENCE,), (f"{PHONE} 是谁？",), guarded={"empty": 1}
)
EVENTS = [
    StatusChanged("searching", f"{PHONE} 是谁？"),
    Retrieved((Hit(chunk(SAID, title=f"名片 {PHONE}", headings=(PHONE,), uri=PHONE), 0.9, Stage.RERANKED),), (SAID,)),
    SentenceReleased(SENTENCE, (CITATION,)),
    SentenceRevised(SAID, SENTENCE.verdict, SENTENCE),
    Finished(ANSWER),
]


def test_every_event_is_masked():
    mask = AnswerMask(KINDS)
    for event in EVENTS:
        assert PHONE in str(asdict(event))
        masked = str(asdict(mask.event(event)))
        assert PHONE not in masked and "[phone]" in masked, event.name
    finished = mask.event(EVENTS[-1])
    assert finished.answer.guarded == {"empty": 1, "masked_personal_data": 1}


def test_what_holds_none_is_the_same():
    event = Failed("code", "message")
    assert AnswerMask(KINDS).event(event) is event
    plain = StatusChanged("searching", "保修期")
    assert AnswerMask(KINDS).event(plain) == plain


def test_kinds_that_are_not_asked_for_stay():
    assert AnswerMask(("email",)).text(SAID) == SAID


def test_what_a_tool_gives_is_masked():
    given = ToolResult(SAID, {"rows": [{"phone": PHONE, "n": 2}]}, (CITATION,))
    masked = AnswerMask(KINDS).result(given)
    assert masked.text == "联系电话是 [phone]。" and PHONE not in str(masked.citations)
    assert masked.data == {"rows": [{"phone": "[phone]", "n": 2}]}


def test_names_in_what_a_tool_gives_and_takes_are_masked_and_nothing_is_lost():
    given = {"groups": {PHONE: 1, "13912345678": {f"a {PHONE}": [2]}, "[phone]": 3, "n": 4}}
    wanted = {"groups": {"[phone] (2)": 1, "[phone] (3)": {"a [phone]": [2]}, "[phone]": 3, "n": 4}}
    mask = AnswerMask(KINDS)
    called = ToolCalled("lookup", given)
    needed = ApprovalNeeded("id", "lookup", given)
    for shown in (mask.result(ToolResult("", given)).data, *(mask.event(e).arguments for e in (called, needed))):
        assert shown == wanted


def test_a_number_of_somebody_is_masked_where_a_table_holds_it_as_a_number():
    given = {"rows": [{"tel": int(PHONE), "also": float(PHONE), "n": 2, "share": 0.5, "yes": True, "none": None}]}
    masked = AnswerMask(KINDS).result(ToolResult("", given)).data
    assert masked == {"rows": [{"tel": "[phone]", "also": "[phone]", "n": 2, "share": 0.5, "yes": True, "none": None}]}


@given_data(st.recursive(
    st.integers() | st.text() | st.sampled_from([PHONE, f"a {PHONE}", "[phone]", "[phone] (2)"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text() | st.sampled_from([PHONE, f"{PHONE} ", "[phone]", "document_id"]), inner, max_size=6),
))
def test_no_name_or_value_is_lost_or_left_whatever_a_tool_gives(data):
    shown = AnswerMask(KINDS).result(ToolResult("", {"data": data})).data["data"]
    assert _count(shown) == _count(data) and PHONE not in str(shown)


def _count(data):
    """How many lists, mappings, names and values it has."""
    if isinstance(data, dict):
        return 1 + sum(1 + _count(value) for value in data.values())
    return 1 + sum(map(_count, data)) if isinstance(data, list) else 1


@pytest.mark.parametrize("order", [0, 99_999, 100_000])
def test_ids_of_documents_and_chunks_leave_as_they_are_though_they_look_like_a_number(order):
    mask, document = AnswerMask(KINDS), "0086031105130703".ljust(64, "a")
    part = chunk_id(document, order)
    rows = [{"document_id": document, "chunk_id": part}]
    assert mask.text(part) != part
    assert mask.result(ToolResult("", {"rows": rows})).data == {"rows": rows}


@pytest.mark.parametrize("name", ["document_id", "chunk_id"])
@pytest.mark.parametrize(
    "value", [PHONE, f"{'a' * 64} {PHONE}", f"{'a' * 16}-00000\n{PHONE}", [PHONE], {"document_id": [PHONE]}, (PHONE,)]
)
def test_what_is_no_id_of_ours_is_masked_under_the_name_of_one(name, value):
    mask, given = AnswerMask(KINDS), {"rows": [{name: value}]}
    for shown in (mask.result(ToolResult("", given)).data, mask.event(ToolCalled("lookup", given)).arguments):
        assert PHONE not in str(shown)
