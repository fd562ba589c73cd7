"""Dates are one however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.dates import CalendarDate, find_dates

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@given(st.integers(1900, 2099), st.integers(1, 12), st.integers(1, 28))
def test_every_way_of_writing_gives_the_date(year, month, day):
    name = MONTHS[month - 1]
    for text in (
        f"{year}年{month}月{day}日", f"{year}-{month:02}-{day:02}", f"{year}/{month}/{day}", f"{name} {day}, {year}",
        f"{day} {name} {year}", f"{name[:3]}. {day}, {year}", f"on the {day}th of {name} {year}",
    ):  # fmt: skip
        assert CalendarDate(year, month, day) in find_dates(f"x {text}."), text


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("二〇二二年十二月三日", CalendarDate(2022, 12, 3)), ("7月21日", CalendarDate(None, 7, 21)),
        ("in May 2019", CalendarDate(2019, 5, None)), ("十一月二十日", CalendarDate(None, 11, 20)),
        ("２０２０年６月", CalendarDate(2020, 6, None)),
    ],
)  # fmt: skip
def test_a_date_may_lack_a_part(text, date):
    assert find_dates(text) == [date]


def test_what_both_say_must_not_differ():
    assert CalendarDate(None, 7, 21).agrees(CalendarDate(2017, 7, 21))
    assert not CalendarDate(2018, 7, 21).agrees(CalendarDate(2017, 7, 21))
    assert not CalendarDate(2017, 7, None).agrees(CalendarDate(None, 8, 21))


def test_a_slashed_date_may_be_read_both_ways():
    assert set(find_dates("03/04/2024")) == {CalendarDate(2024, 3, 4), CalendarDate(2024, 4, 3)}


@given(st.text(max_size=60))
def test_any_text_is_read(text):
    for date in find_dates(text):
        assert date.month and 1 <= date.month <= 12 and (date.year or date.day)
