"""Numbers with units in both languages."""

import pytest

from core.units import quantities


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("保修期为18个月", {(18, "month")}), ("十八个月", {(18, "month")}), ("18 months", {(18, "month")}),
        ("eighteen months", {(18, "month")}), ("48 小时内", {(48, "hour")}), ("an 8-hour shift", {(8, "hour")}),
        ("3 工作日", {(3, "day")}), ("0–50 °C", {(50, "degree")}), ("EUR 84,000", {(84_000, "euro")}), ("", set()),
    ],
)  # fmt: skip
def test_units_in_both_languages(text, found):
    assert quantities(text) == found
