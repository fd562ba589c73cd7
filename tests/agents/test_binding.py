"""A citation is a slice of a chunk that the model was shown, and the right slice."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.binding import EvidenceBinder, strip_markers
from tests.agents.doubles import CharacterVectors, chunk

WARRANTY = chunk("主机的保修期为 18 个月。光源模块的保修期为 36 个月。", 0)
LEAVE = chunk("员工每年有 10 天年假。病假为 8 天。", 1)
TABLE = chunk("技术参数如下。\n| 项目 | TM-20 | TM-20L |\n| --- | --- | --- |\n| 防护等级 | IP67 | IP65 |\n", 2)


def pool(*chunks):
    """The evidence of those chunks."""
    return EvidenceBinder(CharacterVectors()).pool(chunks)


def test_the_sentence_that_holds_the_claim_is_quoted():
    bound = pool(LEAVE, WARRANTY).bind("光源模块的保修期是36个月")
    assert bound[0].quote == "光源模块的保修期为 36 个月。"


def test_a_wrong_marker_does_not_mislead():
    bound = pool(LEAVE, WARRANTY).bind("主机的保修期是18个月", hints=[1, 99, -3])
    assert bound[0].chunk is WARRANTY


def test_a_sentence_from_two_places_gets_both():
    bound = pool(LEAVE, WARRANTY).bind("主机的保修期为18个月，员工每年有10天年假")
    assert {b.chunk.id for b in bound} == {WARRANTY.id, LEAVE.id}


def test_a_row_is_read_with_its_header_and_quoted_without():
    bound = pool(TABLE).bind("TM-20L 的防护等级是 IP65")[0]
    assert bound.quote == "| 防护等级 | IP67 | IP65 |"
    assert bound.header == "| 项目 | TM-20 | TM-20L |" and "TM-20L" in bound.readable
    assert bound.spoken == "项目: 防护等级; TM-20: IP67; TM-20L: IP65"


def test_rows_without_a_rule_line_have_no_header():
    rows = chunk("| TM-20 | 3 years |\n| FS-85 | 5 years |", 4)
    bound = pool(rows).bind("FS-85: 5 years")[0]
    assert (bound.header, bound.spoken) == ("", "| FS-85 | 5 years |")


def test_no_evidence_binds_nothing():
    assert pool().bind("任何话") == [] and pool(chunk("—— …… ——", 3)).bind("任何话") == []


def test_markers_are_taken_off_and_read():
    assert strip_markers("保修期为18个月[1]。") == ("保修期为18个月。", [1])
    assert strip_markers("It is so. [1][2, 3]") == ("It is so.", [1, 2, 3])
    assert strip_markers("a[i] stays 【4】") == ("a[i] stays", [4])
    assert strip_markers("It is so [evidence-0043e3, 2].") == ("It is so.", [])
    assert strip_markers("It is so [evidence-0043e30a1b2c3d4e, 2].") == ("It is so.", [])
    assert strip_markers("[e464a6]") == strip_markers("[e464a60a1b2c3d4e]") == ("", [])
    assert strip_markers("See [AB-12].") == ("See [AB-12].", [])


TEXTS = st.text(alphabet="甲乙丙。！\n| -1.ab[]", max_size=60)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, max_size=4), TEXTS, st.lists(st.integers(-2, 9), max_size=3))
def test_every_quote_stands_letter_by_letter_in_its_chunk(texts, claim, hints):
    chunks = [chunk(text, at) for at, text in enumerate(texts)]
    for bound in pool(*chunks).bind(claim, hints):
        assert bound.chunk in chunks
        assert bound.quote == bound.chunk.text[bound.span.start : bound.span.end] != ""
