"""Years, moments and periods by one name in both languages, and thresholds in the unit of a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tables.answering import answer_from_tables
from agents.tables.coverage import without_frame
from agents.tables.periods import periods_in, same_words, years_in
from core.types import Table
from tests.agents.tables.test_rules import INCOME, stored

STAFF = Table(
    (
        ("", "Closing balance", "Opening balance", "Change%"),
        ("Deposits", "500", "400", "25%"),
        ("Bonds", "80", "100", "-20%"),
    )
)
HOLDERS = Table(
    (
        ("序号", "股东名称", "期初持股数", "期末持股数", "期末持有限售股份数量"),
        ("1", "何川", "5,000", "5,200", "1,000"),
        ("2", "许诺", "2,900", "2,700", "400"),
        ("合计", "合计", "7,900", "7,900", "1,400"),
    )
)
LOANS = Table(
    (
        ("序号", "贷款方式", "贷款银行", "贷款规模", "起始日期"),
        ("1", "信用", "东湖银行", "500", "2020-01-05"),
        ("2", "信用", "西山银行", "650", "2020-02-06"),
        ("3", "信用", "东湖银行", "700", "2020-03-07"),
    )
)
TAXES = Table(
    (
        ("(in millions)", "2021", "2020"),
        ("Deferred tax assets:", "", ""),
        ("Loss carryforwards", "310", "290"),
        ("Accruals", "45", "40"),
        ("", "355", "330"),
        ("Deferred tax liabilities:", "", ""),
        ("Goodwill", "(20)", "(25)"),
        ("Leases", "(9)", "(3)"),
    )
)


@pytest.mark.parametrize(
    ("text", "periods"),
    [
        ("at the beginning of the current period", ("期初",)),
        ("At the beginning and end of the period", ("期初", "期末")),
        ("Closing balance", ("期末",)),
        ("the balance at the end of last year", ("期初",)),
        ("the current period and the same period of last year", ("本期", "上期")),
        ("本期期末", ("期末",)),
        ("本报告期和去年同期", ("本期", "上期")),
        ("the year ending June 30", ()),
        ("current liabilities", ()),
    ],
)
def test_words_for_a_period_are_one_name(text, periods):
    assert periods_in(same_words(text)) == periods


@given(st.lists(st.integers(1900, 2099), min_size=1, max_size=4, unique=True), st.sampled_from(["年", "年度", " ", ", FY"]))
def test_years_are_read_in_their_order(years, between):
    assert years_in(same_words("".join(f" {year}{between}" for year in years))) == tuple(map(str, years))


@given(st.text(max_size=60))
def test_no_words_that_lead_up_are_more_than_the_question(text):
    assert text.endswith(without_frame(text)) and len(without_frame(f"Do you know {text}")) <= len(text) + 1


@pytest.mark.parametrize(
    ("table", "question", "text"),
    [
        (STAFF, "Do you know the deposits at the beginning of the period?", "Deposits, Opening balance: 400."),
        (STAFF, "How much did the bonds change from the beginning to the end of the period?",
         "The difference is -20: 80 (Bonds, Closing balance) less 100 (Bonds, Opening balance)."),
        (HOLDERS, "期初和期末的时候，许诺各持有多少股？",
         "许诺，期初持股数：2,900；许诺，期末持股数：2,700。"),
        (LOANS, "东湖银行的贷款规模分别是多少？", "信用，东湖银行，贷款规模：500；信用，东湖银行，贷款规模：700。"),
        (INCOME, "In which years was the revenue reported?", "2019; 2018."),
        (TAXES, "What are the components of deferred tax assets?", "Loss carryforwards; Accruals."),
        (TAXES, "How many items are there under deferred tax liabilities?", "There are 2: Goodwill; Leases."),
        (TAXES, "What are the total deferred tax assets in 2020?", "Deferred tax assets, Total, 2020: 330 (in millions)."),
        (TAXES, "In which year were the accruals above 42 million?", "Above 42: 45 (Deferred tax assets, Accruals, 2021) (in millions)."),
        (TAXES, "In which year were the accruals above 42,000 thousand?", "Above 42: 45 (Deferred tax assets, Accruals, 2021) (in millions)."),
        (STAFF, "Which balance of deposits is above 450 million?", None),
    ],
)  # fmt: skip
def test_periods_groups_and_units_are_understood(table, question, text):
    found = answer_from_tables(question, [stored(table)], sure_at=0.8)
    assert (found and found.text) == text


@pytest.mark.parametrize(
    ("unit", "figures", "question", "text"),
    [
        ("单位：亿元", ("9000", "30000"), "哪些地区的收入超过2万亿？", "大于 20000的是：30000（华南，收入）（单位：亿元）。"),
        ("单位：亿元", ("900", "3000"), "哪些地区的收入超过2千亿？", "大于 2000的是：3000（华南，收入）（单位：亿元）。"),
        ("单位：亿元", ("9000", "30000"), "哪些地区的收入超过3十万亿？", None),
        ("单位：元", ("5", "300"), "哪些地区的收入超过100万？", None),
        ("单位：元", ("5", "300"), "哪些地区的收入超过100？", "大于 100的是：300（华南，收入）（单位：元）。"),
    ],
)  # fmt: skip
def test_a_threshold_is_counted_in_all_of_its_unit(unit, figures, question, text):
    rows = (("地区", "收入"), *zip(("华东", "华南"), figures, strict=True))
    found = answer_from_tables(question, [stored(Table(rows, 1, unit))], sure_at=0.6)
    assert (found and found.text) == text


@pytest.mark.parametrize(
    ("table", "question"),
    [
        (HOLDERS, "何川的期初持股数是多少？期末持有限售股份数量的占比呢？谁是大股东？"),
        (INCOME, "What was the revenue in 2019, and the change from 2018?"),
        (LOANS, "南湖银行的贷款规模是多少？"),
    ],
)
def test_several_things_that_are_asked_are_not_answered_by_one(table, question):
    assert answer_from_tables(question, [stored(table)], sure_at=0.8) is None
