"""A plan by the chat model where rules have none: it chooses an operation and labels from lists, no more.

Its reply follows a JSON schema in which operations and labels are closed lists, and is checked against the
table like one by rules; the arithmetic stays with DuckDB. Knows the prompt and the model; knows no documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.prompt_library import PromptLibrary
from agents.tables.cues import Operation
from agents.tables.grid import Grid, Line
from agents.tables.planning import MOST_CELLS, TablePlan, is_sound
from agents.tables.reckoning import label_of
from core.seams import ChatModel, ChatOptions
from core.text import detect_language
from core.types import Usage

MAX_TOKENS = 160
MOST_LINES = 60
"""A longer axis is no list to choose from."""
MOST_CHOSEN = 6
_TWO_CELLS = (Operation.DIFFERENCE, Operation.PERCENT_CHANGE, Operation.RATIO, Operation.SHARE)
_OPERATIONS = (
    Operation.CELLS,
    Operation.SUM,
    Operation.AVERAGE,
    *_TWO_CELLS,
    Operation.HIGHEST,
    Operation.LOWEST,
)


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """What the model chose, None when that is no plan for the table, and what it cost."""

    plan: TablePlan | None
    usage: Usage


async def plan_by_model(
    chat_model: ChatModel, prompts: PromptLibrary, question: str, grid: Grid
) -> ModelPlan:
    """The model's plan for a question.

    Raises:
        ChatModelError: the model failed.
    """
    rows, columns = _by_label(grid.rows), _by_label(grid.columns)
    if max(len(rows), len(columns)) > MOST_LINES:
        return ModelPlan(None, Usage())
    messages = prompts.table_plan(question, list(rows), list(columns), detect_language(question))
    value, usage = await chat_model.structured(
        messages, _schema(list(rows), list(columns)), ChatOptions(max_tokens=MAX_TOKENS)
    )
    return ModelPlan(_read(value, grid, rows, columns), usage)


def _by_label(lines: Sequence[Line]) -> dict[str, Line]:
    """The lines by labels that differ: a second one of the same name has its number behind it."""
    named: dict[str, Line] = {}
    for line in lines:
        label = label_of(line.context, line.label) or str(line.at)
        named[label if label not in named else f"{label} ({line.at})"] = line
    return named


def _schema(rows: Sequence[str], columns: Sequence[str]) -> dict:
    def chosen(labels: Sequence[str]) -> dict:
        return {"type": "array", "items": {"enum": list(labels)}, "minItems": 1, "maxItems": MOST_CHOSEN}

    return {
        "type": "object",
        "properties": {
            "operation": {"enum": [operation.value for operation in _OPERATIONS]},
            "rows": chosen(rows),
            "columns": chosen(columns),
        },
        "required": ["operation", "rows", "columns"],
        "additionalProperties": False,
    }


def _read(value: dict, grid: Grid, rows: dict[str, Line], columns: dict[str, Line]) -> TablePlan | None:
    """A server may not hold to the schema: whatever is not on the lists makes no plan."""
    if value.get("operation") not in _OPERATIONS:
        return None
    named = [value.get("rows"), value.get("columns")]
    if not all(isinstance(labels, list) and labels for labels in named):
        return None
    if any(not isinstance(label, str) for labels in named for label in labels):
        return None
    if not (set(named[0]) <= rows.keys() and set(named[1]) <= columns.keys()):
        return None
    operation = Operation(value["operation"])
    cells = tuple(
        grid.cell(rows[row], columns[column])
        for row in dict.fromkeys(named[0])
        for column in dict.fromkeys(named[1])
    )
    if len(cells) > MOST_CELLS or (operation in _TWO_CELLS and len(cells) != 2):
        return None
    plan = TablePlan(operation, cells, 1.0)
    return plan if is_sound(plan) else None
