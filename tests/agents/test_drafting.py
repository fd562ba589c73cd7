"""What leaves and what is withheld: with the real guard's exact checks and a scripted draft."""

from dataclasses import replace

import pytest

from agents.binding import EvidenceBinder
from agents.drafting import ANSWERING, DraftChecker, is_refusal
from core.types import Label
from tests.agents.doubles import CharacterVectors, chunk, letter_guard

MANUAL = chunk(
    "TM-20 和 TM-20L 主机的保修期为 18 个月，电池的保修期为 6 个月。试用期员工不允许远程办公。", 0, "售后问答"
)
ENGLISH = chunk("Ann Miller approved a budget of EUR 84,000 on 5 June. The pump must not run dry.", 1, "Minutes")


@pytest.fixture
def checker():
    vectors = CharacterVectors()
    return DraftChecker(
        EvidenceBinder(vectors).pool([MANUAL, ENGLISH]), letter_guard(), "TM-20 的保修期是多久？"
    )


def pairs(released):
    """What left, as pairs of sentence and new citations."""
    return [(one.sentence, one.citations) for one in released]


def test_a_supported_sentence_leaves_with_its_citation(checker):
    [(sentence, new)] = pairs(checker.check("TM-20 主机的保修期为 18 个月。[7]"))
    assert sentence.citations == (1,) and sentence.verdict.label is Label.SUPPORTED
    assert [c.quote for c in new] == ["TM-20 和 TM-20L 主机的保修期为 18 个月，电池的保修期为 6 个月。"]
    assert checker.draft.text == "TM-20 主机的保修期为 18 个月。[1]"


def test_a_citation_names_the_picture_that_its_chunk_speaks_of():
    vectors = CharacterVectors()
    pictured = replace(ENGLISH, figure="0" * 32 + ".png")
    pool = EvidenceBinder(vectors).pool([MANUAL, pictured])
    checker = DraftChecker(pool, letter_guard(), "Who approved the budget?")
    figures = {span.chunk.id: checker.quote(span).citations[0].figure for span in checker.rank_quotes()[:4]}
    assert figures == {MANUAL.id: "", pictured.id: pictured.figure}


def test_the_same_evidence_keeps_its_number(checker):
    checker.check("TM-20 主机的保修期为 18 个月。")
    [(sentence, new)] = pairs(checker.check("TM-20 电池的保修期为 6 个月。"))
    assert sentence.citations == (1,) and new == ()


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        ("TM-20 主机的保修期为 24 个月。", "24"),
        ("TM-30 主机的保修期为 18 个月。", "tm30"),
        ("TM-20 主机的保修期为 18 个月，重量为 3 公斤。", "3"),
        ("试用期员工允许远程办公。", "允许 / 不允许"),
    ],
)
def test_what_the_evidence_does_not_say_is_withheld(checker, draft, reason):
    assert checker.check(draft) == []
    assert reason in checker.draft.withheld[0].verdict.reason
    assert checker.draft.text == "" and checker.draft.citations == []


def test_a_negation_lost_on_the_way_is_withheld():
    vectors = CharacterVectors()
    checker = DraftChecker(
        EvidenceBinder(vectors).pool([ENGLISH]), letter_guard(), "May the pump run dry?"
    )
    assert checker.check("The pump must run dry.") == []
    assert checker.draft.withheld[0].verdict.reason == "negated on one side only"


def test_a_name_from_nowhere_is_withheld():
    vectors = CharacterVectors()
    checker = DraftChecker(
        EvidenceBinder(vectors).pool([ENGLISH]), letter_guard(), "Who approved the budget?"
    )
    assert checker.check("A budget of EUR 84,000 was approved by Bob Stone on 5 June.") == []
    assert "bob" in checker.draft.withheld[0].verdict.reason


def test_an_answer_about_another_product_is_withheld():
    vectors = CharacterVectors()
    checker = DraftChecker(
        EvidenceBinder(vectors).pool([MANUAL]), letter_guard(), "FS-85 的保修期是多久？"
    )
    assert checker.check("主机的保修期为 18 个月。") == []
    assert "fs85" in checker.draft.withheld[0].verdict.reason


def test_what_another_document_says_otherwise_takes_no_place_of_what_was_withheld():
    newer = chunk("TM-20 主机的保修期为 24 个月。", 2, "售后问答 2024年版")
    pool = EvidenceBinder(CharacterVectors()).pool([MANUAL, newer])
    checker = DraftChecker(pool, letter_guard(), "TM-20 的保修期是多久？")
    checker.check("TM-20 主机的保修期为 36 个月。")
    checker.check("TM-20 电池的保修期为 9 个月。")
    released = checker.check("TM-20 主机的保修期为 18 个月。")
    assert len(released) == 2
    mended = [checker.mend(one.sentence) for one in released]
    assert [old is None for old in mended] == [True, False]
    assert [s.text for s in checker.draft.lost] == ["TM-20 电池的保修期为 9 个月。"]


def test_empty_pieces_and_repeats_are_dropped(checker):
    checker.check("TM-20 主机的保修期为 18 个月。")
    assert checker.check("TM-20 主机的保修期为 18 个月。") == []
    assert checker.check("——[1]") == [] and checker.draft.withheld == []


@pytest.mark.parametrize(
    "text",
    ["资料中没有。", "Not in the evidence.", "资料中没有提到婚假。", "文档未说明价格。", "资料不包含价格信息。", "文件不涉及婚假。", "文档中并未提及。", "无法确定。", "The documents do not mention a price.",
     "I cannot answer this.", "It does not mention a price.", "There is no information about that.", "There is no information about it in the text, it is not provided."],
)  # fmt: skip
def test_refusals_are_known(text):
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    ["试用期员工不允许远程办公。", "Smoking is not allowed on site.", "没有年龄限制。", "The pump must not run dry.",
     "涉密文件不得带出办公区。", "合同文件未经批准不得外传。", "内容不得超过 500 字。", "该材料不易燃烧。",
     "Employees may not provide customer information to third parties.", "The set does not contain batteries."],
)
def test_negative_facts_are_no_refusals(text):
    assert not is_refusal(text)


def test_the_place_of_evidence_is_no_part_of_a_sentence(checker):
    checker.check("(售后问答 › 保修)\nTM-20 主机的保修期为 18 个月。[1]")
    assert checker.draft.sentences[0].text == "TM-20 主机的保修期为 18 个月。"
    assert checker.check("(售后问答 › 保修)") == [] and checker.draft.withheld == []


def test_sentences_join_without_a_blank_after_a_chinese_stop(checker):
    checker.check("TM-20 主机的保修期为 18 个月。")
    checker.check("TM-20 电池的保修期为 6 个月。")
    assert "月。[1]TM-20 电池" in checker.draft.text


REPORT = chunk("孟买的一座桥发生踩踏，12人受伤。寺庙踩踏事故造成12人死亡。", 0, "新闻")


def test_a_bare_number_is_cited_where_the_question_s_words_stand():
    vectors = CharacterVectors()
    pool = EvidenceBinder(vectors).pool([REPORT])
    checker = DraftChecker(pool, letter_guard(), "寺庙踩踏事故死亡人数")
    released = checker.check("12人")
    assert released and released[0].citations[0].quote == "寺庙踩踏事故造成12人死亡。"


def test_a_bare_number_about_something_else_is_withheld():
    vectors = CharacterVectors()
    pool = EvidenceBinder(vectors).pool([chunk("孟买的一座桥发生塌陷，12人受伤。", 0, "新闻")])
    checker = DraftChecker(pool, letter_guard(), "北京冬奥会澳大利亚运动员数量")
    assert not checker.check("12人")
    assert checker.draft.withheld[0].verdict.guard == ANSWERING and not checker.draft.lost


def test_what_follows_an_answer_may_explain_it(checker):
    assert checker.check("TM-20 主机的保修期为 18 个月。") and checker.check("试用期员工不允许远程办公。")


@pytest.mark.parametrize("said", ["[float龙]", "【浮龙】。", "[Section on pumps]"])
def test_a_bracket_alone_is_no_sentence(checker, said):
    assert checker.check(said) == [] and not checker.draft.withheld


def test_a_clause_that_is_not_held_keeps_a_sentence_from_being_raised(checker):
    asked = []
    checker.weigh = lambda *given: asked.append(given) or given[-1]
    checker.check("TM-20 主机的保修期为 18 个月，管理员已经放行访问请求。")
    assert not asked and checker.draft.withheld
    checker.check("TM-20 主机的保修期为 18 个月。")
    assert len(asked) == 1
