"""The tool `calculate`: numbers, units, money, shares and dates, exactly and without a model."""

from collections.abc import Callable, Mapping
from datetime import date

from pydantic import Field

from agents.reckoning.spoken import calculate
from agents.tools.tool import EVERY_ROLE, ToolArguments, ToolCall, ToolResult


class CalculateArguments(ToolArguments):
    """What to work out."""

    expression: str = Field(
        min_length=1,
        max_length=400,
        description="an expression or a question: 18% of 2,340; 从2024-03-01到2025-01-15有多少天",
    )


class CalculateTool:
    """Works out an expression."""

    name = "calculate"
    descriptions: Mapping[str, str] = {
        "zh": "计算算式、百分比、单位换算、金额和日期。",
        "en": "Works out expressions, percentages, conversions of units, amounts of money and dates.",
    }
    arguments = CalculateArguments
    effects = False
    reads_documents = False
    roles = EVERY_ROLE
    timeout_s = 5.0

    def __init__(self, today: Callable[[], date] = date.today) -> None:
        self._today = today

    async def run(self, arguments: CalculateArguments, call: ToolCall) -> ToolResult:
        """See `Tool.run`. Bounded in time by the length of the expression and of its numbers."""
        found = calculate(arguments.expression, self._today())
        data = {
            "asked": found.asked, "shown": found.shown, "value": found.number, "unit": found.unit,
            "is_exact": found.is_exact,
        }  # fmt: skip
        return ToolResult(found.text, data)
