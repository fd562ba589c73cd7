"""What was found in a table as one sentence, in the language of the question. Templates, no model."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from agents.tables.cues import Operation
from agents.tables.grid import Cell, Grid, Line, scale_of
from agents.tables.reckoning import Reckoned, label_of

_WORDS = {
    "zh": {
        Operation.CELLS: "{cells}",
        Operation.SUM: "合计为 {value}：{cells}",
        Operation.AVERAGE: "平均值为 {value}：{cells}",
        Operation.DIFFERENCE: "差额为 {value}：{first} 减 {second}",
        Operation.PERCENT_CHANGE: "变动比例为 {value}%：从 {second} 到 {first}",
        Operation.RATIO: "比值为 {value}：{first} 比 {second}",
        Operation.SHARE: "所占比例为 {value}%：{first} 占 {second}",
        Operation.COUNT: "共 {value} 个{limit}：{cells}",
        Operation.FILTER: "{limit}的是：{cells}",
        Operation.NAMES: "{names}",
        Operation.HIGHEST: "最高的是 {cells}（共比较 {count} 个数值）",
        Operation.LOWEST: "最低的是 {cells}（共比较 {count} 个数值）",
        "counted": "共 {value} 项：{names}",
        "above": "大于 {number}",
        "below": "小于 {number}",
        "scale": "（单位：{scale}）",
        "cell": "{text}（{labels}）",
        "told": "{labels}：{text}",
        "between": "，",
        "list": "；",
        "end": "。",
    },
    "en": {
        Operation.CELLS: "{cells}",
        Operation.SUM: "The total is {value}: {cells}",
        Operation.AVERAGE: "The average is {value}: {cells}",
        Operation.DIFFERENCE: "The difference is {value}: {first} less {second}",
        Operation.PERCENT_CHANGE: "The change is {value}%: from {second} to {first}",
        Operation.RATIO: "The ratio is {value}: {first} to {second}",
        Operation.SHARE: "The share is {value}%: {first} of {second}",
        Operation.COUNT: "{value} are {limit}: {cells}",
        Operation.FILTER: "{limit}: {cells}",
        Operation.NAMES: "{names}",
        Operation.HIGHEST: "The highest {verb} {cells}, of {count} values",
        Operation.LOWEST: "The lowest {verb} {cells}, of {count} values",
        "counted": "There are {value}: {names}",
        "above": "above {number}",
        "below": "below {number}",
        "scale": " (in {scale})",
        "cell": "{text} ({labels})",
        "told": "{labels}: {text}",
        "between": ", ",
        "list": "; ",
        "end": ".",
    },
}
_CARRYING_UNITS = (Operation.SUM, Operation.AVERAGE, Operation.DIFFERENCE)
_TOLD = (Operation.CELLS, Operation.HIGHEST, Operation.LOWEST)
_PLURAL = {"thousand": "thousands", "million": "millions", "billion": "billions"}


def sentence_of(reckoned: Reckoned, grid: Grid, language: str) -> str:
    """The sentence, with each figure by the labels of its row and column."""
    words, plan = _WORDS[language], reckoned.plan
    shown = reckoned.found or plan.cells
    if plan.operation is Operation.COUNT:
        shown = plan.cells
    template = "told" if plan.operation in _TOLD else "cell"
    told = [_cell(cell, grid, words, template) for cell in shown]
    limit = ""
    if plan.threshold:
        limit = words["below" if plan.threshold.is_below else "above"].format(number=plan.threshold.number)
    counts_names = plan.operation is Operation.COUNT and not plan.threshold
    named = [line.label for line in lines_told(reckoned, grid)]
    text = words["counted" if counts_names else plan.operation].format(
        value=figure(reckoned),
        names=words["list"].join(named),
        cells=words["list"].join(told),
        first=told[0],
        second=told[1] if len(told) > 1 else "",
        limit=limit,
        count=len(plan.cells),
        verb="is" if len(told) == 1 else "are",
    )
    tells_names = counts_names or plan.operation is Operation.NAMES
    scale = "" if tells_names else _scale(shown, grid)
    text += (
        words["scale"].format(scale=_PLURAL.get(scale, scale) if language == "en" else scale) if scale else ""
    )
    return text[:1].upper() + text[1:] + words["end"]


def lines_told(reckoned: Reckoned, grid: Grid) -> list[Line]:
    """The lines by which the cells of a plan differ: the columns where all are of one row, else the rows."""
    cells = reckoned.found or reckoned.plan.cells
    one_row = len({cell.row for cell in reckoned.plan.cells}) == 1
    return [grid.column_of(cell) if one_row else grid.row_of(cell) for cell in cells]


def figure(reckoned: Reckoned) -> str:
    """The number of a plan as it is told; empty when it gave cells."""
    value, plan = reckoned.value, reckoned.plan
    if value is None:
        return ""
    places = max(-int(cell.value.as_tuple().exponent) for cell in plan.cells if cell.value is not None)
    places = max(places, 0)
    if plan.operation is Operation.COUNT:
        places = 0
    elif plan.operation not in (Operation.SUM, Operation.DIFFERENCE):
        places = max(places, 2)
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    before, behind = _sign(plan.cells) if plan.operation in _CARRYING_UNITS else ("", "")
    return f"{'-' if rounded < 0 else ''}{before}{abs(rounded):,f}{behind}"


def _sign(cells: Sequence[Cell]) -> tuple[str, str]:
    """What stands before and behind every figure: only what all that have a unit agree on."""
    units = {cell.quantity.unit for cell in cells if cell.quantity and cell.quantity.unit}
    if len(units) != 1:
        return "", ""
    unit = units.pop()
    return (unit, "") if unit[-1] in "$€£¥￥" else ("", unit)


def _cell(cell: Cell, grid: Grid, words: dict, template: str) -> str:
    row, column = grid.row_of(cell), grid.column_of(cell)
    labels = [label for label in (label_of(row.context, row.label), column.label) if label]
    return words[template].format(text=cell.text, labels=words["between"].join(labels))


def _scale(cells: Sequence[Cell], grid: Grid) -> str:
    if not any(cell.value is not None and cell.quantity.unit != "%" for cell in cells):
        return ""
    columns = [grid.column_of(cell) for cell in cells]
    labels = [label for column in columns for label in (column.label, column.context)]
    scale = scale_of([*labels, grid.caption])
    return "" if scale == "%" else scale
