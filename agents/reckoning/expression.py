"""Works out an expression: read into Python's syntax tree, of which a few kinds of nodes are allowed.

The tree is made of signs and operands that `reading` wrote itself; nothing of it is ever run. Every
other node, name or call is refused, and so is a tree that is deep or long. Pure.
"""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from agents.reckoning.amounts import (
    Amount,
    Value,
    add,
    bounded,
    divide,
    multiply,
    plain_numbers,
    power,
    remainder,
)
from agents.reckoning.reading import read_expression
from core.errors import InputError

MAX_DEPTH = 40
MAX_PLACES = 12


@dataclass(frozen=True, slots=True)
class Worked:
    """A value, and how many operations it took."""

    value: Value
    steps: int


def work_out(text: str, today: date) -> Worked:
    """The value of an expression. Raises InputError for what is none, or has no value."""
    reading = read_expression(text, today)
    # Deep nesting is refused before it is parsed: the parser is recursive.
    depth = deepest = 0
    for sign in reading.code:
        depth += (sign == "(") - (sign == ")")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise InputError("the expression is nested too deeply", remedy="cut it into several")
    try:
        tree = ast.parse(reading.code, mode="eval")
    except SyntaxError as exc:
        raise InputError(
            "this is no whole expression", remedy="look at its operators and parentheses"
        ) from exc
    value = _Evaluator(reading.operands).value_of(tree.body)
    if not isinstance(value, Amount | date):
        raise InputError("this is no expression with one value", remedy="write one expression")
    return Worked(value, reading.steps)


class _Evaluator:
    def __init__(self, operands: Sequence[Value]) -> None:
        self._operands = operands

    def value_of(self, node: ast.expr, depth: int = 0) -> Value:
        """Raises InputError for every node that is not listed here."""
        if depth > MAX_DEPTH * 2:
            raise InputError("the expression is nested too deeply", remedy="cut it into several")
        match node:
            case ast.Name(id=name) if name[1:].isdecimal():
                return self._operands[int(name[1:])]
            case ast.Constant(value=int() as number) if not isinstance(number, bool):
                return Amount(Fraction(number))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _negative(self.value_of(operand, depth + 1))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value_of(operand, depth + 1)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATIONS:
                return _OPERATIONS[type(operator)](
                    self.value_of(left, depth + 1), self.value_of(right, depth + 1)
                )
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
                return _FUNCTIONS[name]([self.value_of(arg, depth + 1) for arg in args])
        raise InputError(
            "this is no expression that can be worked out", remedy="write numbers, operators and parentheses"
        )


def _negative(value: Value) -> Value:
    if isinstance(value, date):
        raise InputError("a day has no negative", remedy="write a day plus or minus a span of time")
    return replace(value, value=-value.value)


_OPERATIONS: dict[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: add,
    ast.Sub: lambda one, other: add(one, other, -1),
    ast.Mult: multiply,
    ast.Div: divide,
    ast.Mod: remainder,
    ast.Pow: power,
}


def total(values: Sequence[Value]) -> Value:
    """The sum of some."""
    found = values[0]
    for value in values[1:]:
        found = add(found, value)
    return found


def mean(values: Sequence[Value]) -> Value:
    """Their arithmetic mean."""
    return divide(total(values), Amount(Fraction(len(values))))


def _extreme(values: Sequence[Value], sign: int) -> Value:
    best = values[0]
    for value in values[1:]:
        difference = add(value, best, -1)
        if isinstance(difference, Amount) and difference.value * sign > 0:
            best = value
    return best


def _only(values: Sequence[Value]) -> Amount:
    if len(values) != 1:
        raise InputError("this takes one number", remedy="write one in the parentheses")
    return plain_numbers(values[0], Amount(Fraction(1)))[0]


def square_root(values: Sequence[Value]) -> Value:
    """Of one number."""
    return power(_only(values), Amount(Fraction(1, 2)))


def _rounded(values: Sequence[Value]) -> Value:
    one = values[0]
    places = plain_numbers(values[1], Amount(Fraction(1)))[0].value if len(values) == 2 else Fraction(0)
    if len(values) > 2 or places.denominator != 1 or not 0 <= places <= MAX_PLACES or isinstance(one, date):
        raise InputError("round takes a number and 0 to 12 places", remedy="write round(2.345, 2)")
    step = Fraction(1, 10**places.numerator)
    # Half away from zero, as people round.
    sign = -1 if one.value < 0 else 1
    return bounded(sign * ((abs(one.value) + step / 2) // step) * step, one.unit, one.is_exact)


def _absolute(values: Sequence[Value]) -> Value:
    one = values[0]
    if len(values) != 1 or isinstance(one, date):
        raise InputError("abs takes one number", remedy="write one in the parentheses")
    return replace(one, value=abs(one.value))


_FUNCTIONS: dict[str, Callable[[Sequence[Value]], Value]] = {
    "sqrt": square_root, "round": _rounded, "abs": _absolute, "sum": total, "average": mean, "avg": mean,
    "min": lambda values: _extreme(values, -1), "max": lambda values: _extreme(values, 1),
}  # fmt: skip
