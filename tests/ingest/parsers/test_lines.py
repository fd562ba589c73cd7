"""Lines to paragraphs."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.parsers.lines import join_all, unwrap


def test_chinese_lines_join_without_a_blank_and_english_ones_with():
    assert join_all(["批准人", "是厂长。"]) == "批准人是厂长。"
    assert join_all(["sold in the", "United Kingdom"]) == "sold in the United Kingdom"
    assert join_all(["有效期为", "24小时"]) == "有效期为24小时"
    assert join_all(["cali\x02", "bration"]) == "calibration"


def test_wrapped_prose_is_joined_and_meant_breaks_stay():
    wrapped = [
        "The service centre completed 412 calibrations and 96 repairs from",
        "March to May. The mean time was nine days, which is two days less",
        "than in the winter.",
    ]
    assert unwrap(wrapped) == " ".join(wrapped)
    assert unwrap(["Date: 5 June", "Place: Rotterdam"]) == "Date: 5 June\nPlace: Rotterdam"
    notes = ["基本框架：" + "角色加任务加格式" * 12, "两大核心原则：编写明确的指令"]
    assert unwrap(notes) == "\n".join(notes)


@given(st.lists(st.text(alphabet="ab 中。.\x02-1", max_size=90), max_size=6))
def test_no_letter_is_lost(lines):
    kept = [c for c in unwrap(lines) if not c.isspace()]
    wanted = [c for c in "".join(lines) if not c.isspace()]
    assert [c for c in kept if c != "\x02"] == [c for c in wanted if c != "\x02"]
