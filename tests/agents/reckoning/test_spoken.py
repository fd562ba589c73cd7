"""Questions that are reckoned: what is understood, and what is left to the documents."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.reckoning.spoken import calculate, read_calculation
from core.errors import InputError

TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("question", "number", "unit"),
    [
        ("What is 18% of 2,340?", "421.2", ""),
        ("三万五千的12%是多少", "4200", ""),
        ("1亿2000万的15%是多少", "18000000", ""),
        ("百分之十五的八百等于多少？", "120", ""),
        ("800元的八折是多少", "640", "yuan"),
        ("$3.5 million * 12%", "420000", "us dollar"),
        ("200 + 10%", "220", ""),
        ("100 - 20%", "80", ""),
        ("0.1+0.2", "0.3", ""),
        ("(3+4)*2^3 = ?", "56", ""),
        ("三万五千加两千等于多少", "37000", ""),
        ("2的10次方是多少", "1024", ""),
        ("9的平方根是多少", "3", ""),
        ("square root of 16 plus √(4+5)", "7", ""),
        ("convert 5 km to metres", "5000", "metre"),
        ("37°C是多少华氏度", "98.6", "fahrenheit"),
        ("how many hours are in 3 days?", "72", "hour"),
        ("5 feet 3 inches in cm", "160.02", "centimetre"),
        ("3小时20分钟 + 50分钟", "250", "minute"),
        ("2 * 3小时30分钟", "7", "hour"),
        ("从2024-03-01到2025-01-15有多少天？", "320", "day"),
        ("how many days between March 1, 2024 and 15 January 2025?", "320", "day"),
        ("从2024-03-01到2025-01-15有几个月", "10", "month"),
        ("2024年3月1日90天后是哪天", "2024-05-30", ""),
        ("what date is 90 days after 2024-03-01?", "2024-05-30", ""),
        ("2024-01-31 + 1个月", "2024-02-29", ""),
        ("35占200的百分之几", "17.5", "percent"),
        ("percentage increase from 200 to 250", "25", "percent"),
        ("从200增长到250，增长了百分之几", "25", "percent"),
        ("150比120多百分之几", "25", "percent"),
        ("average of 3 and 4", "3.5", ""),
        ("what is the difference between 5 and 12", "7", ""),
        ("round(2.345, 2) * 1", "2.35", ""),
    ],
)
def test_a_question_is_reckoned(question, number, unit):
    found = read_calculation(question, TODAY)
    assert found is not None
    assert (found.number, found.unit) == (number, unit)


@pytest.mark.parametrize(
    "question",
    [
        "what is 18% of the budget?",
        "how many days between the two meetings?",
        "TM-20 的重量是多少？",
        "TM-20 和 TM-30 的差",
        "difference between TCP and UDP",
        "满三年的员工有多少天年假",
        "员工手册第3章是多少页",
        "24/7",
        "9-11",
        "5-7天",
        "2025年比2024年多多少",
        "what is 12?",
        "100美元是多少欧元",
        "2024-02-30 + 1天",
        "10 km + 5 kg",
        "三五",
        "How many people are in 5 teams?",
    ],
)
def test_what_asks_of_documents_or_cannot_be_reckoned_is_left_alone(question):
    assert read_calculation(question, TODAY) is None


def test_what_does_not_end_is_marked_as_rounded():
    assert "≈" in calculate("1/3", TODAY).text and "≈" not in calculate("1/4", TODAY).text
    assert not calculate("2^0.5", TODAY).is_exact


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("1 / 0", "zero"),
        ("2 ** 100000", "exponents"),
        ("9 ** 999 ** 9", "large|exponents"),
        ("99999999999999999999 ** 999", "large"),
        ("(" * 100 + "1" + ")" * 100, "nested"),
        (")0", "not understood|whole"),
        (") of 5", "not understood"),
        ("10 km + 5 kg", "cannot be made"),
        ("100美元是多少欧元", "rate"),
        ("__import__('os')", "not understood"),
        ("1 + ", "whole expression"),
        ("sqrt(-1)", "root"),
        ("2024-02-30 + 1 day", "calendar|there is no day"),
        ("2024-03-01 + 99999999 days", "calendar"),
        ("1" * 61, "digits"),
        ("1+" * 300 + "1", "characters"),
        ("2024-03-01 * 2", "day"),
        ("min()", "no expression|whole"),
        ("(1, 2)", "no expression|one value"),
    ],
)
def test_what_has_no_value_says_why(expression, words):
    with pytest.raises(InputError, match=words):
        calculate(expression, TODAY)


NUMBERS = st.integers(-10_000, 10_000)


@given(NUMBERS, NUMBERS, NUMBERS.filter(bool))
def test_sums_products_and_quotients_are_those_of_fractions(one, other, divisor):
    from fractions import Fraction

    worth = Fraction(one) + Fraction(other) * Fraction(1, divisor)
    found = calculate(f"({one}) + ({other}) * 1 / ({divisor})", TODAY)
    assert abs(Fraction(found.number) - worth) <= abs(worth) * Fraction(1, 10**10)
    if found.is_exact:
        assert Fraction(found.number) == worth


@given(st.dates(), st.integers(0, 3000))
def test_a_day_shifted_and_counted_back_is_the_same(day, days):
    from datetime import timedelta

    if (date.max - day).days < days:
        return
    later = day + timedelta(days=days)
    if day.year < 1000 or later.year > 2099 or later.year < 1000:
        return
    assert calculate(f"{day} + {days} days", TODAY).number == later.isoformat()
    assert calculate(f"从{day}到{later}有多少天", TODAY).number == str(days)


@given(st.integers(1, 10**7), st.sampled_from([("km", "miles"), ("公斤", "磅"), ("litres", "gallons"), ("°c", "°f")]))
def test_there_and_back_again_is_the_same_amount(count, units):
    there = calculate(f"{count} {units[0]} to {units[1]}", TODAY)
    back = calculate(f"{there.number} {units[1]} to {units[0]}", TODAY) if "e" not in there.number else None
    assert back is None or abs(float(back.number) - count) <= 1e-9 * count


@given(st.text(max_size=60))
def test_any_text_is_reckoned_or_refused(text):
    try:
        calculate(text, TODAY)
    except InputError as exc:
        assert exc.message


@given(st.lists(st.sampled_from(["of", "的", "%", "(", ")", "sqrt(", "to", "km", "5", "三千", "2024-01-01", "+"])))
def test_any_words_of_its_own_are_reckoned_or_refused(words):
    with contextlib.suppress(InputError):
        calculate(" ".join(words), TODAY)


@given(st.text(alphabet="0123456789+-*/^%()., 万亿千百零一二三天月年日kmgce的占比多少到从xof$", max_size=60))
def test_any_text_of_its_signs_is_reckoned_or_refused(text):
    try:
        calculate(text, TODAY)
    except InputError as exc:
        assert exc.message
