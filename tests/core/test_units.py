"""Numbers with units in both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.units import quantities, same_amount


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("保修期为18个月", {(18, "month")}), ("十八个月", {(18, "month")}), ("18 months", {(18, "month")}),
        ("eighteen months", {(18, "month")}), ("48 小时内", {(48, "hour")}), ("an 8-hour shift", {(8, "hour")}),
        ("3 工作日", {(3, "day")}), ("0–50 °C", {(50, "degree")}), ("EUR 84,000", {(84_000, "euro")}), ("", set()),
        ("$1.2 million", {(1_200_000, "us dollar")}), ("3.5亿美元", {(3.5e8, "us dollar")}), ("一年半", {(1.5, "year")}),
        ("半年", {(0.5, "year")}), ("两个半小时", {(2.5, "hour")}), ("百分之五", {(5, "percent")}),
        ("四百公里", {(400, "kilometre")}), ("¥300", {(300, "yuan")}), ("7.52‰", {(7.52, "per mille")}),
        ("M1芯片", set()), ("2022年", set()), ("10 m/s", set()), ("5G", set()),
    ],
)  # fmt: skip
def test_units_in_both_languages(text, found):
    assert quantities(text) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.5 km", "1500米"), ("18 months", "一年半"), ("2 weeks", "14天"), ("1吨", "1000 kg"), ("50%", "500‰"),
     ("半年", "6个月"), ("120 minutes", "两小时"), ("1.2万元", "人民币12,000元")],
)  # fmt: skip
def test_one_amount_in_two_units(one, other):
    (left,), (right,) = quantities(one), quantities(other)
    assert same_amount(left, right) and same_amount(right, left)


@pytest.mark.parametrize(
    ("one", "other"), [("18 months", "18 years"), ("5 美元", "5 欧元"), ("3 km", "3 kg"), ("1 km", "1 英里")]
)
def test_another_amount(one, other):
    (left,), (right,) = quantities(one), quantities(other)
    assert not same_amount(left, right)


@given(st.integers(1, 10**6), st.sampled_from(["km", "公斤", "天", "hours", "%", "美元", "months"]))
def test_a_number_and_its_unit_are_found_in_any_text(value, unit):
    assert len(quantities(f"约 {value:,} {unit}，")) == 1
    assert {amount for amount, _ in quantities(f"它有{value}{unit}。")} == {value}
