"""Forms, things with their properties, and tables side by side: each value by its own label."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tables.answering import answer_from_tables
from agents.tables.areas import read_areas
from agents.tables.citing import quote_cells
from agents.tables.forms import read_form
from agents.tables.reckoning import cell_relation
from core.types import Document, Table
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.parsers.tables import table_element
from ingest.table_check import placed_tables
from tests.agents.tables.test_rules import REPORT, SALES, stored

MINUTES = Table(
    (
        ("会议名称", "安全例会", "主持人", "林岚"),
        ("会议日期", "2023-04-06", "记录人", "周舟"),
        ("地点", "二楼会议室", "参 加 者", "全体值班员"),
        ("会议议题", "消防通道检查", "消防通道检查", "消防通道检查"),
        ("联系方式", "固定电话", "021-5550 1234", "021-5550 1234"),
        ("联系方式", "手机", "13900001111", "13900001111"),
    )
)
CARD = Table(
    (
        ("Employee card", "Employee card"),
        ("Name", "Dana Orlov"),
        ("Date of birth", "4 May 1988"),
        ("Department", "Night shift"),
        ("Phone number", "555-0142"),
    )
)
PUMPS = Table(
    (
        ("设备名称", "出厂日期", "单价（元）", "技术参数", "技术参数"),
        ("甲型水泵", "2011-02", "300", "型号", "PX-7"),
        ("甲型水泵", "2011-02", "300", "流量", "40 m³/h"),
        ("甲型水泵", "2011-02", "300", "制造厂商", "北河机械厂"),
        ("乙型水泵", "2014-08", "450", "型号", "PX-9"),
        ("乙型水泵", "2014-08", "450", "流量", "65 m³/h"),
        ("乙型水泵", "2014-08", "450", "制造厂商", "南山机械厂"),
    )
)
BALANCE = Table(
    (
        ("资产", "年初数", "期末数", "负债", "年初数", "期末数"),
        ("现金", "110", "130", "短期借款", "75", "60"),
        ("存货", "240", "255", "应付账款", "210", "190"),
        ("资产合计", "350", "385", "负债合计", "285", "250"),
    )
)


def test_a_long_value_is_no_label_whatever_its_last_word_is():
    told = "由值班长指定，须熟悉全部泵房的操作规程并持有有效证件，每季度复核一次，复核不合格的由安全部门另行指派" + "人员"
    rows = (("名称", "泵房"), ("值班员", told), ("联系人", told.replace("每季度", "每年度")), ("电话", "021-5550 1234"))
    assert read_form(Table(rows)) is not None


@pytest.mark.parametrize(
    ("table", "question", "text"),
    [
        (MINUTES, "安全例会的主持人是谁？", "主持人：林岚。"),
        (MINUTES, "会议名称是什么？", "会议名称：安全例会。"),
        (MINUTES, "会议日期和参加者分别是什么？", "会议日期：2023-04-06；参 加 者：全体值班员。"),
        (MINUTES, "安全例会的会议议题是什么？", "会议议题：消防通道检查。"),
        (CARD, "What is the phone number of Dana Orlov?", "Employee card, Phone number: 555-0142."),
        (PUMPS, "乙型水泵的制造厂商是哪家？", "乙型水泵 2014-08 450，制造厂商：南山机械厂。"),
        (PUMPS, "型号为PX-7的水泵，流量是多少？", "甲型水泵 2011-02 300，流量：40 m³/h。"),
        (BALANCE, "年初的短期借款是多少？", "短期借款，年初数：75。"),
        (BALANCE, "期末的存货是多少？", "存货，期末数：255。"),
        (BALANCE, "短期借款的年初数和期末数相差多少？",
         "差额为 15：75（短期借款，年初数） 减 60（短期借款，期末数）。"),
    ],
)  # fmt: skip
def test_a_value_is_found_by_the_label_beside_it(table, question, text):
    found = answer_from_tables(question, [stored(table)], sure_at=0.8)
    assert found is not None and found.text == text


@pytest.mark.parametrize(
    ("table", "question"),
    [
        (MINUTES, "安全例会的预算是多少？"),
        (MINUTES, "记录人比主持人多多少？"),
        (CARD, "What is the salary of Dana Orlov?"),
        (PUMPS, "丙型水泵的制造厂商是哪家？"),
        (BALANCE, "年初的长期借款是多少？"),
    ],
)
def test_a_field_that_is_not_there_is_not_answered(table, question):
    assert answer_from_tables(question, [stored(table)], sure_at=0.8) is None


@pytest.mark.parametrize(
    "table",
    [
        SALES,
        REPORT,
        BALANCE,
        Table((("姓名", "职务"), ("张三", "经理"), ("李四", "监事"))),
        Table((("项目", "金额"), ("货币资金", "5.00"), ("负责人备用金", "2.00"), ("投标日期保证金", "3.00"))),
        Table((("Name", "Age", "Position", "City"), ("Ann", "31", "Clerk", "Bath"), ("Bo", "42", "Cook", "York"))),
        Table((("a",), ("b",))),
    ],
)
def test_a_table_of_rows_and_columns_is_no_form(table):
    assert read_form(table) is None


def test_tables_side_by_side_keep_their_places():
    grids = read_areas(BALANCE)
    assert [[line.label for line in grid.rows] for grid in grids] == [
        ["现金", "存货", "资产合计"],
        ["短期借款", "应付账款", "负债合计"],
    ]
    relation = cell_relation(*grids).to_pylist()
    assert {(line["row"], line["col"]) for line in relation} == {(r, c) for r in (1, 2, 3) for c in range(1, 7)}
    assert [line["value"] for line in relation if line["row_label"] == "应付账款" and line["col"] == 6] == [190]


def test_a_field_of_the_first_row_is_quoted_from_the_header():
    document = Document("ab" * 32, "/m.docx", "T", "text/plain", 1, "default")
    element = table_element(MINUTES.rows, MINUTES)
    chunks = chunk_elements(document, [element], ChunkLimits(400, 0), len)
    table = placed_tables([element])[0].table
    found = answer_from_tables("会议名称是什么？", [stored(table)], sure_at=0.8)
    [span] = quote_cells(found.reckoned.plan.cells, table, chunks)
    assert span.quote == "| 会议名称 | 安全例会 | 主持人 | 林岚 |"


word = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
cells = st.one_of(word, st.sampled_from(["姓名", "日期", "Name", "Date", "12", "3.5%", "2019", "", "—"]))


@given(st.integers(1, 6).flatmap(lambda w: st.lists(st.lists(cells, min_size=w, max_size=w), min_size=1, max_size=7)),
       st.integers(0, 2))  # fmt: skip
def test_the_cells_of_any_area_are_those_of_the_table(rows, header):
    table = Table(tuple(map(tuple, rows)), min(header, len(rows)))
    seen = set()
    for grid in read_areas(table):
        for line in grid.rows:
            for column in grid.columns:
                cell = grid.cell(line, column)
                assert table.rows[cell.row + table.header_rows - 1][cell.column - 1] == cell.text
                assert grid.row_of(cell) == line and grid.column_of(cell) == column
                assert cell.place not in seen
                seen.add(cell.place)
