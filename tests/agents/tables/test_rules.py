"""From a question to cells, SQL and a sentence, in Chinese and English."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tables.answering import answer_from_tables
from agents.tables.cues import Operation
from agents.tables.grid import read_grid
from agents.tables.planning import TablePlan, plan_cells
from agents.tables.reckoning import reckon, sql_of
from agents.tables.wording import figure
from core.types import StoredTable, Table

SALES = Table(
    (
        ("Region", "2022", "2023", "2024", "Manager"),
        ("North", "1,200.5", "1,310.0", "1,450.2", "Ann Lee"),
        ("South", "980.0", "1,005.5", "990.4", "Bo Chen"),
        ("East", "2,110.3", "2,000.0", "2,345.6", "Cy Young"),
        ("Total", "4,290.8", "4,315.5", "4,786.2", ""),
    )
)
HUGE = Table(
    (
        ("Region", "2022", "2023"),
        ("North", "1e27", "2e27"),
        ("South", "1e400", "10"),
        ("East", "9e37", "9e-9"),
    )
)
REPORT = Table(
    (
        ("项目", "本期金额", "上期金额", "变动比例%"),
        ("营业收入", "4,210,723.07", "3,900,000.00", "7.97%"),
        ("营业成本", "2,889,500.67", "2,700,100.00", "7.01%"),
        ("净利润", "820,100.00", "790,000.00", "3.81%"),
    )
)
INCOME = Table(
    (
        ("", "Years ended June 30,", ""),
        ("", "2019", "2018"),
        ("(in millions)", "", ""),
        ("Segment one:", "", ""),
        ("Revenue", "$ 120", "$ 100"),
        ("Expenses", "(70)", "(65)"),
        ("Operating margin", "41.7%", "35.0%"),
    ),
    1,
)


def stored(table: Table, title: str = "") -> StoredTable:
    return StoredTable(Path("t.parquet"), "d" * 64, 0, title, "t.csv", (), None, table)


@pytest.mark.parametrize(
    ("table", "question", "text"),
    [
        (SALES, "What were the sales of South in 2023?", "South, 2023: 1,005.5."),
        (SALES, "What is the percentage change in North from 2023 to 2024?",
         "The change is 10.70%: from 1,310.0 (North, 2023) to 1,450.2 (North, 2024)."),
        (SALES, "What is the difference between East and South in 2022?",
         "The difference is 1,130.3: 2,110.3 (East, 2022) less 980.0 (South, 2022)."),
        (SALES, "What is the change in South from 2023 to 2024?",
         "The difference is -15.1: 990.4 (South, 2024) less 1,005.5 (South, 2023)."),
        (SALES, "Which region had the highest 2024?", "The highest is East, 2024: 2,345.6, of 3 values."),
        (SALES, "What were the top two regions by 2023?",
         "The highest are East, 2023: 2,000.0; North, 2023: 1,310.0, of 3 values."),
        (REPORT, "上期金额最低的是哪个项目？", "最低的是 净利润，上期金额：790,000.00（共比较 3 个数值）。"),
        (SALES, "What is the average of East from 2022 to 2024?",
         "The average is 2,151.97: 2,110.3 (East, 2022); 2,000.0 (East, 2023); 2,345.6 (East, 2024)."),
        (SALES, "How many regions had more than 1,000 in 2023?",
         "3 are above 1000: 1,310.0 (North, 2023); 1,005.5 (South, 2023); 2,000.0 (East, 2023)."),
        (SALES, "Which region was below 1,000 in 2024?", "Below 1000: 990.4 (South, 2024)."),
        (SALES, "What is the ratio of North to Total in 2022?",
         "The ratio is 0.28: 1,200.5 (North, 2022) to 4,290.8 (Total, 2022)."),
        (SALES, "What is North as a percentage of Total in 2022?",
         "The share is 27.98%: 1,200.5 (North, 2022) of 4,290.8 (Total, 2022)."),
        (SALES, "Who is the manager of East?", "East, Manager: Cy Young."),
        (SALES, "Which region does Bo Chen manage?", "South, Region: South."),
        (REPORT, "本期营业收入是多少？", "营业收入，本期金额：4,210,723.07。"),
        (REPORT, "净利润的本期金额和上期金额相差多少？",
         "差额为 30,100.00：820,100.00（净利润，本期金额） 减 790,000.00（净利润，上期金额）。"),
        (REPORT, "请问本期的营业收入和营业成本分别是多少？",
         "营业收入，本期金额：4,210,723.07；营业成本，本期金额：2,889,500.67。"),
        (REPORT, "净利润的变动比例是多少？", "净利润，变动比例%：3.81%。"),
        (REPORT, "上期营业收入和净利润的合计是多少？",
         "合计为 4,690,000.00：3,900,000.00（营业收入，上期金额）；790,000.00（净利润，上期金额）。"),
        (INCOME, "What is the total revenue in 2019 and 2018?",
         "The total is $220: $ 120 (Segment one, Revenue, 2019); $ 100 (Segment one, Revenue, 2018) (in millions)."),
        (INCOME, "What was the operating margin in 2018?", "Segment one, Operating margin, 2018: 35.0%."),
        (INCOME, "What were the expenses in 2019?", "Segment one, Expenses, 2019: (70) (in millions)."),
    ],
)  # fmt: skip
def test_a_question_is_answered_by_the_cells_that_its_words_name(table, question, text):
    found = answer_from_tables(question, [stored(table)], sure_at=0.6)
    assert found is not None and found.text == text


@pytest.mark.parametrize(
    ("table", "question"),
    [
        (SALES, "What were the sales of South in 2019?"),
        (SALES, "What were the sales of West in 2023?"),
        (SALES, "What does Acme sell in its South shops in the mornings of 2023?"),
        (SALES, "Who founded the company?"),
        (REPORT, "本期资产总计是多少？"),
        (REPORT, "研发中心有几层楼？"),
        (REPORT, "博创公司的子公司北京天元本期营业收入是多少？"),
        (INCOME, "What is the difference between the average revenue and the average expenses?"),
    ],
)
def test_what_the_labels_do_not_explain_is_not_answered(table, question):
    assert answer_from_tables(question, [stored(table)], sure_at=0.8) is None


def test_tables_that_explain_as_much_and_say_different_things_give_no_answer():
    other = Table((REPORT.rows[0], ("营业收入", "1.00", "2.00", "-50%")))
    question = "本期营业收入是多少？"
    assert answer_from_tables(question, [stored(REPORT), stored(other)], sure_at=0.8) is None
    named = answer_from_tables(
        f"博创{question}", [stored(REPORT), stored(other, "博创年度报告")], sure_at=0.8
    )
    assert named is not None and named.text.endswith("1.00。")


def test_a_table_without_figures_or_rows_has_no_grid():
    assert read_grid(Table((("a", "b"),))) is None
    assert read_grid(Table((("only",), ("one",)))) is None


def test_a_division_by_zero_is_no_answer():
    table = Table((("", "2019", "2018"), ("Cost", "5", "0")))
    assert answer_from_tables("What is the percentage change in cost from 2018 to 2019?", [stored(table)]) is None


amounts = st.decimals(-(10**9), 10**9, allow_nan=False, places=2)


@given(st.lists(amounts, min_size=2, max_size=6, unique=True))
def test_sums_and_differences_are_exact(values):
    header = ("Item", *(str(2000 + at) for at in range(len(values))))
    table = Table((header, ("Cost", *(f"{value:,}" for value in values))))
    grid = read_grid(table)
    total = plan_cells(f"What is the sum of cost from 2000 to {1999 + len(values)}?", grid)
    assert reckon(total, grid).value == sum(values)
    change = plan_cells("What is the change in cost from 2000 to 2001?", grid)
    assert reckon(change, grid).value == values[1] - values[0]


words = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)
cells = st.one_of(words, amounts.map(str), st.sampled_from(["2019", "2018", "%", "12%", "—", "Total", "合计"]))


@given(st.integers(1, 4).flatmap(lambda w: st.lists(st.lists(cells, min_size=w, max_size=w), min_size=1, max_size=6)),
       st.integers(0, 3), words, st.sampled_from(["{} 2019?", "average {}", "{}的合计是多少", "top {} above 3", "{}"]))  # fmt: skip
def test_any_table_and_any_question_give_a_plan_of_its_own_cells_or_none(rows, header, said, form):
    table = Table(tuple(map(tuple, rows)), min(header, len(rows)))
    grid = read_grid(table)
    if grid is None:
        return
    asked = form.format(said or rows[-1][0])
    plan = plan_cells(asked, grid)
    if plan is None:
        return
    assert 0 <= plan.confidence <= 1
    for cell in plan.cells:
        assert " ".join(table.body[cell.row - 1][cell.column - 1].split()) == cell.text
    assert said not in sql_of(plan) or len(said) < 9 or said in "SELECT row, col, row_label, column_label, text"
    reckon(plan, grid)


def test_no_word_of_a_question_or_a_table_comes_into_the_sql():
    table = Table((("x'; DROP", "2019"), ("cost' OR 1=1 --", "5"), ("other", "6")))
    grid = read_grid(table)
    plan = plan_cells("What is the cost' OR 1=1 -- in 2019?", grid)
    assert "'" not in sql_of(plan) and "--" not in sql_of(plan)
    assert reckon(plan, grid).found[0].value == Decimal(5)


@pytest.mark.parametrize(
    ("first", "second", "operation", "told"),
    [
        ("123456789012345678", "123456789012345679", "average", None),
        ("1234567890123456e8", "0.01", "average", None),
        ("123456789012345678", "3", "ratio", None),
        ("123456789012345678", "123456789012345679", "sum", "246,913,578,024,691,357"),
        ("1234567890123456e8", "0.01", "difference", "123,456,789,012,345,599,999,999.99"),
        ("1234567890123", "1234567890124", "average", "1,234,567,890,123.50"),
    ],
)
def test_a_quotient_of_more_digits_than_floating_point_keeps_is_none_and_sums_are_exact(first, second, operation, told):
    grid = read_grid(Table((("", "2019", "2018"), ("Cost", first, second), ("Other", "1", "2"))))
    cells = tuple(grid.cell(grid.rows[0], column) for column in grid.columns)
    reckoned = reckon(TablePlan(Operation(operation), cells, 1.0), grid)
    assert (reckoned and figure(reckoned)) == told


@pytest.mark.parametrize("name", ["North", "South", "East"])
@pytest.mark.parametrize(
    "question",
    ["What is the sum of {name} in 2022 and 2023?", "What is the ratio of {name} 2022 to {name} 2023?",
     "What is the difference between {name} 2022 and 2023?", "What is the average of 2022?"],
)  # fmt: skip
def test_figures_of_more_digits_than_are_kept_give_no_answer_or_a_right_one(name, question):
    found = answer_from_tables(question.format(name=name), [stored(HUGE)])
    assert found is None or found.text.startswith(("The ratio is 0.50:", "The ratio is 0.5:"))
