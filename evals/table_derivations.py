"""How people reckoned an answer, as TAT-QA writes it down: `(4,314-4,730)/4,730`.

An own small evaluator in exact decimals, so that a result can be checked against something that is not the
product's. Pure.
"""

import ast
import re
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation

from agents.tables.cues import Operation

_LEFT_OUT = re.compile(r"[$€£¥,%\s]")
_UNARY = {ast.USub: lambda a: -a, ast.UAdd: lambda a: a}
_BINARY = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}
_PLAIN = {ast.Sub: Operation.DIFFERENCE, ast.Add: Operation.SUM, ast.Div: Operation.RATIO}


@dataclass(frozen=True, slots=True)
class Derivation:
    """Which operation over which numbers, and what it gives. Of a percent change the numbers are the new and
    the old one; shares and ratios are both `RATIO`."""

    operation: Operation
    operands: tuple[Decimal, ...]
    value: Decimal


def read_derivation(text: str) -> Derivation | None:
    """None for what is no expression, or none of the forms that rules know."""
    try:
        tree = ast.parse(_LEFT_OUT.sub("", text.replace("−", "-")), mode="eval").body
        shape = _shape(tree)
        return Derivation(*shape, _value(tree)) if shape else None
    except (SyntaxError, ValueError, InvalidOperation, DivisionByZero, RecursionError):
        return None


def _shape(tree: ast.expr) -> tuple[Operation, tuple[Decimal, ...]] | None:
    if not isinstance(tree, ast.BinOp):
        return None
    summed = _summands(tree)
    if summed and len(summed) > 1:
        return Operation.SUM, summed
    left, right = tree.left, tree.right
    if isinstance(tree.op, ast.Div) and (parts := _summands(left)) and len(parts) > 1:
        return (Operation.AVERAGE, parts) if _number(right) == len(parts) else None
    if isinstance(tree.op, ast.Div) and isinstance(left, ast.BinOp) and isinstance(left.op, ast.Sub):
        new, old = _number(left.left), _number(left.right)
        is_change = new is not None and old is not None and _number(right) == old
        return (Operation.PERCENT_CHANGE, (new, old)) if is_change else None
    first, second = _number(left), _number(right)
    operation = _PLAIN.get(type(tree.op))
    return (operation, (first, second)) if operation and first is not None and second is not None else None


def _summands(tree: ast.expr) -> tuple[Decimal, ...] | None:
    """The numbers of a sum; one number is a sum of one."""
    if (number := _number(tree)) is not None:
        return (number,)
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add):
        left, right = _summands(tree.left), _summands(tree.right)
        return left + right if left and right else None
    return None


def _number(tree: ast.expr) -> Decimal | None:
    if isinstance(tree, ast.UnaryOp) and type(tree.op) in _UNARY:
        inner = _number(tree.operand)
        return None if inner is None else _UNARY[type(tree.op)](inner)
    is_number = isinstance(tree, ast.Constant) and isinstance(tree.value, int | float)
    return Decimal(str(tree.value)) if is_number else None


def _value(tree: ast.expr) -> Decimal:
    if (number := _number(tree)) is not None:
        return number
    if isinstance(tree, ast.BinOp) and type(tree.op) in _BINARY:
        return _BINARY[type(tree.op)](_value(tree.left), _value(tree.right))
    raise ValueError("no arithmetic")
