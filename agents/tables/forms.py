"""Forms: tables of fields with their values side by side, which no header row names.

A form is told by its labels (name, date, address …), that differ, with values of several kinds beside them.
What a merged cell repeats is one cell. Pure; word lists for Chinese and English.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.tables.grid import Cell, Grid, Line
from core.cells import is_data, read_quantity
from core.types import Table

_FIELD_ZH = (
    "名称?|全称|简称|姓名|代码|编号|号码|区号|电话|手机|传真|邮箱|邮编|网址|网站|地址|住所|驻地|地点|地区|位置|所在地"
    "|注册地|出生地|日期|日|时间|期限|年限|类型|类别|种类|性质|方式|状态|状况|情况|范围|资本|级别|等级|职务|职位|职业|职称"
    "|学历|学位|性别|民族|国籍|籍贯|年龄|身高|体重|血型|星座|学校|院校|专业|单位|部门|机构|公司|券商|事务所|负责人|代表人"
    "|主持人|记录人|审核人|联系人|参加者|秘书|市长|面积|长度|高度|重量|速度|功率|产量|人口|人口数量|语言|气候|气候条件|型号"
    "|规格|用途|对象|业务|产品|项目|主题|议题|内容|结果|结论|决策|原因|作者|作品|主演|导演|出版社|价格|金额|景点|机场|成就"
    "|比例|比|是否.*|人|员|方"
)
_FIELD_EN = (
    "name|date|address|type|code|number|no|phone|telephone|fax|e-?mail|website|url|location|place|nature|scope"
    "|capital|status|gender|sex|nationality|ethnicity|age|height|weight|area|occupation|position|title|department"
    "|institution|institute|company|agency|model|engine|speed|capacity|length|width|purpose|use|method|time|period"
    "|reason|result|conclusion|born|birthplace|birthday|population|climate|currency|language|founder|founded"
    "|established|headquarters|director|author|publisher|genre|parent|owner|industry|products?|services?|ratio"
    "|host|recorder|participants|attendees|subject|topic|content|contact|person|school|university|major|degree"
    "|city|country|region|state|family|order|class|species|spouse|education|works|achievements|exchange|listing"
)
_UNIT_BEHIND = r"\s*(?:[（(][^（）()]*[)）])?\s*[:：%％?？]?\s*"
_FIELD = re.compile(
    rf"(?:.*(?:{_FIELD_ZH})|(?:.*\b)?(?:{_FIELD_EN})s?(?: of .*)?){_UNIT_BEHIND}", re.IGNORECASE
)
_HEADER_VALUE = re.compile(
    r"内容|说明|数值|金额|数量|描述|备注|详情|信息|情况|结果|.*(?:余额|发生额|金额|数)|(?:19|20)\d\d年?度?"
    "|values?|descriptions?|details?|amounts?|contents?|particulars?|information|notes?",
    re.IGNORECASE,
)
_MOST_LABEL = 40
_LEAST_FIELDS, _LEAST_SHARE, _MOST_IN_VALUES = 2, 0.3, 0.2
_MOST_ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class _Run:
    """A cell with those beside it that repeat it."""

    start: int
    width: int
    text: str


@dataclass(frozen=True, slots=True)
class _Field:
    """A label with its value; `row` counts from 0, `column` is that of the value."""

    row: int
    column: int
    label: str
    value: str
    context: str


def read_form(table: Table) -> Grid | None:
    """The grid of a form, a row a field; None for any other table."""
    cells = [[" ".join(cell.split()) for cell in row] for row in table.rows]
    if len(cells) < 2:
        return None
    if fields := _properties(cells, table.header_rows):
        return _grid(table, fields, table.caption)
    rows = list(map(_runs, cells))
    fields = _fields(rows, len(cells[0]))
    if fields is None or not _is_form(fields):
        return None
    if fields[0].row == 0 and _HEADER_VALUE.fullmatch(fields[0].value):
        return None
    titles = [runs[0].text for runs in rows if len(runs) == 1]
    return _grid(table, fields, " ".join([table.caption, *titles]))


def _grid(table: Table, fields: Sequence[_Field], caption: str) -> Grid:
    lines, cells, places = [], {}, {}
    for at, found in enumerate(fields, start=1):
        place = (found.row - table.header_rows + 1, found.column + 1)
        lines.append(Line(at, found.label.rstrip(":：?？ "), found.context))
        cells[at, 1] = Cell(*place, found.value, read_quantity(found.value))
        places[place] = (at, 1)
    return Grid(tuple(lines), (Line(1, ""),), (), cells, caption, places)


def _properties(rows: Sequence[Sequence[str]], header_rows: int) -> list[_Field] | None:
    """The fields of a table of things whose last two columns name properties and tell them, a row each, while
    the columns before are merged over all rows of a thing; None for any other table."""
    if not 0 < header_rows < len(rows) - 1 or len(rows[0]) < 3:
        return None
    header, body = rows[header_rows - 1], rows[header_rows:]
    if not header[-1] or header[-1] != header[-2] or any(not row[-2] or is_data(row[-2]) for row in body):
        return None
    things: dict[tuple[str, ...], dict[str, int]] = {}
    for at, row in enumerate(body, start=header_rows):
        own = things.setdefault(tuple(row[:-2]), {})
        if row[-2] in own:
            return None
        own[row[-2]] = at
    if len(things) == len(body):
        return None
    last = len(header) - 1
    fields = []
    for thing, own in things.items():
        first, context = min(own.values()), " ".join(dict.fromkeys(part for part in thing if part))
        fields += [_Field(first, at, header[at], rows[first][at], context) for at in range(last - 1)]
        fields += [_Field(at, last, label, rows[at][last], context) for label, at in own.items()]
    return fields


def _runs(row: Sequence[str]) -> list[_Run]:
    runs: list[_Run] = []
    for at, text in enumerate(row):
        if runs and text and runs[-1].text == text:
            runs[-1] = _Run(runs[-1].start, runs[-1].width + 1, text)
        else:
            runs.append(_Run(at, 1, text))
    return runs


def _fields(rows: Sequence[Sequence[_Run]], width: int) -> list[_Field] | None:
    """All fields from the top; None when a row holds none."""
    fields: list[_Field] = []
    groups: dict[int, str] = {}
    for at, runs in enumerate(rows):
        texts = [run.text for run in runs]
        if len(runs) == 1:
            groups = {0: texts[0]}
            continue
        if at and texts == [run.text for run in rows[at - 1]]:
            continue
        if width > 2 and len(runs) * 2 == width and all(run.width == 2 for run in runs):
            groups = {run.start: run.text for run in runs}
            continue
        outer = ""
        if len(runs) % 2:
            if not any(_stands_over(rows, at, runs[0], step) for step in (-1, 1)):
                return None
            outer, runs = runs[0].text, runs[1:]
        for label, value in zip(runs[::2], runs[1::2], strict=True):
            if not label.text and not value.text:
                continue
            if not label.text or is_data(label.text) or len(label.text) > _MOST_LABEL:
                return None
            group = groups.get(max((start for start in groups if start <= label.start), default=-1), "")
            context = " ".join(part for part in (group, outer) if part)
            fields.append(_Field(at, value.start, label.text, value.text, context))
    return fields or None


def _stands_over(rows: Sequence[Sequence[_Run]], at: int, first: _Run, step: int) -> bool:
    """Whether the cell is merged with the one above or below it."""
    other = at + step
    return 0 <= other < len(rows) and rows[other][0] == first and len(rows[other]) > 1


def _is_form(fields: Sequence[_Field]) -> bool:
    labels = [field.label for field in fields]
    values = [field.value for field in fields if field.value]
    if len(set(labels)) < len({(field.context, field.label) for field in fields}) or not values:
        return False
    if len({(field.context, field.label) for field in fields}) < len(fields):
        return False
    named = sum(bool(_FIELD.fullmatch(label)) for label in labels)
    alike = sum(map(is_data, values)) / len(values)
    # Longer ones are no labels, and matching them takes the square of their length.
    short = [value for value in values if len(value) <= _MOST_LABEL]
    in_values = sum(bool(_FIELD.fullmatch(value)) for value in short) / len(values)
    return (
        named >= _LEAST_FIELDS
        and named >= _LEAST_SHARE * len(labels)
        and in_values <= _MOST_IN_VALUES
        and alike <= _MOST_ALIKE
    )
