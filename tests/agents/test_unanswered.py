"""Which part of a question an answer leaves open; and that nothing is called open that may be answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.decompose import decompose
from agents.nodes.finish import made_answer
from agents.unanswered import unanswered_parts

TWO = "TM-20 和 TM-30 的重量分别是多少？"
TRAITS = "TM-20 的重量和保修期分别是多少？"
WHO = "TM-20 是谁设计的，TM-30 是谁设计的？"
EN = "When was Nova founded and how many people does Delta employ?"


def outcome(*said):
    """Sentences, each with the chunk that it cites and the quote in it, where another one than itself."""
    sentences, citations = [], []
    for at, (text, chunk, *quote) in enumerate(said, start=1):
        sentences.append({"text": text, "citations": [at], "verdict": {}})
        citations.append({"marker": at, "chunk_id": chunk, "title": "", "quote": quote[0] if quote else text})
    return {"sentences": sentences, "citations": citations}


def unanswered(question, found, *said):
    parts = decompose(question, 4).questions
    return unanswered_parts(question, parts, found or [["a"], ["b"]], outcome(*said))


@pytest.mark.parametrize(
    ("question", "found", "said", "left"),
    [
        # Nothing that was found for it is cited.
        (TWO, None, [("TM-20 的重量为 1.8 千克。", "a")], ["TM-30的重量是多少？"]),
        (WHO, None, [("TM-30 由王兰设计。", "b")], ["TM-20 是谁设计的？"]),
        (EN, None, [("Nova was founded in 1987.", "a")], ["how many people does Delta employ?"]),
        (EN, None, [("Delta employs 40 people.", "b")], ["When was Nova founded?"]),
        # All stands in one passage; there are fewer numbers than parts that ask for one.
        (TRAITS, [["a"], ["a"]], [("TM-20 的重量为 1.8 千克。", "a")], ["TM-20的保修期是多少？"]),
        (TRAITS, [["a"], ["a"]], [("TM-20 的重量为 1.8 千克。", "a", "TM-20 的重量为 1.8 千克，保修期为 18 个月。")],
         ["TM-20的保修期是多少？"]),
        ("北京、上海和广州的人口分别是多少？", [["a"]] * 3, [("北京的人口为 2189 万。", "a"), ("上海的人口为 2487 万。", "a")],
         ["广州的人口是多少？"]),
    ],
)  # fmt: skip
def test_a_part_without_a_sentence_is_told(question, found, said, left):
    assert unanswered(question, found, *said) == left


@pytest.mark.parametrize(
    ("question", "found", "said"),
    [
        (TWO, None, [("TM-20 的重量为 1.8 千克。", "a"), ("TM-30 的重量为 2.4 千克。", "b")]),
        (TWO, None, [("TM-20 重 1.8 千克，TM-30 重 2.4 千克。", "a")]),
        # One sentence for several parts.
        (TWO, None, [("TM-20 与同系列产品的重量均为 1.8 千克。", "a")]),
        (EN, None, [("Nova was founded in 1987, and both companies have 40 people.", "a")]),
        # In other words than the question, out of what was found for that part, or with a number of its own.
        (TRAITS, [["a"], ["a"]], [("TM-20 的重量为 1.8 千克。", "a"), ("质保十八个月。", "a")]),
        (WHO, [["a"], ["a"]], [("TM-20 由王兰设计。", "a"), ("另一款出自李明之手。", "a")]),
        (WHO, None, [("TM-20 由王兰设计。", "a"), ("后者出自李明之手。", "b")]),
        (WHO, None, [("TM-20 由王兰设计。", "a"), ("后者出自李明之手。", "c", "TM-30 的设计出自李明之手。")]),
        # Neither is named: it cannot be told which of them is answered.
        (TWO, None, [("该温度计的重量为 1.8 千克。", "a")]),
        (TWO, None, [("It weighs 1.8 kg.", "a")]),
        # One is the answer of the other.
        ("TM-20 和 TM-30 哪个更重？", None, [("TM-20 更重。", "a")]),
        ("Which is heavier, the TM-20 or the TM-30?", None, [("The TM-20 is heavier.", "a")]),
        (TWO, None, []),
    ],
)  # fmt: skip
def test_nothing_is_told_of_a_part_that_may_be_answered(question, found, said):
    assert unanswered(question, found, *said) == []


def test_across_languages_what_is_named_by_its_code_is_told():
    assert unanswered(TWO, None, ("The TM-20 weighs 1.8 kg.", "a")) == ["TM-30的重量是多少？"]
    assert unanswered(TWO, None, ("The TM-20 weighs 1.8 kg.", "a"), ("The TM-30 weighs 2.4 kg.", "b")) == []


@given(st.lists(st.tuples(st.text(max_size=30), st.sampled_from("abc")), max_size=4), st.text(max_size=30))
def test_never_all_parts_and_never_one_that_stands_alone(said, question):
    parts = ["TM-20的重量是多少？", "TM-30的重量是多少？"]
    assert len(unanswered_parts(question, parts, [["a"], ["b"]], outcome(*said))) < 2
    assert unanswered_parts(question, parts[:1], [["a"]], outcome(*said)) == []


def answer(question, language, said, **more):
    found = decompose(question, 4)
    state = {
        "queries": [question], "language": language, "refusal": "", "route": "hops", "policy": "balanced",
        "parts": list(found.questions), "apart": {"questions": list(found.questions), "then": found.then},
        "found": [["a"], ["b"]], "missing": [], "run": "r", "session_id": "s", "started": 0.0, "timings_ms": {},
        "evidence": [], "spent": {"prompt_tokens": 0, "completion_tokens": 0, "model_calls": 0}, **more,
    }  # fmt: skip
    result = {"status": "answered", "text": said, "withheld": [], "usage": state["spent"], **outcome((said, "a"))}
    verdict = {"label": "supported", "score": 0.9, "guard": "g", "reason": ""}
    result["sentences"] = [{**sentence, "verdict": verdict, "conflicts": []} for sentence in result["sentences"]]
    more = {"document_id": "d", "uri": "", "start": 0, "end": 1, "page": None, "boxes": []}
    result["citations"] = [{**citation, **more} for citation in result["citations"]]
    return made_answer({**state, "outcome": result})


@pytest.mark.parametrize(
    ("question", "language", "said", "words"),
    [
        (TWO, "zh", "TM-20 的重量为 1.8 千克。", "（这部分没有得到回答：TM-30的重量是多少？）"),
        (EN, "en", "Nova was founded in 1987.", "(Left without an answer: how many people does Delta employ?)"),
    ],
)
def test_the_answer_says_which_part_is_left_and_is_partial(question, language, said, words):
    told = answer(question, language, said)
    assert told.status == "partial" and told.text == f"{said}\n\n{words}"


def test_what_the_documents_do_not_hold_is_named_once():
    told = answer(TWO, "zh", "TM-20 的重量为 1.8 千克。", missing=["TM-30的重量是多少？"])
    assert told.text.count("TM-30的重量") == 1 and "文档中没有找到" in told.text


def test_a_chain_has_one_answer():
    chain = "生产 TM-20 的公司的法人是谁？"
    told = answer(chain, "zh", "李明远。", parts=["生产 TM-20 的公司是哪个？", "甲公司的法人是谁？"])
    assert told.status == "answered" and told.text == "李明远。"
