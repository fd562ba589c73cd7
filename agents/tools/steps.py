"""Calls of tools that a user writes themselves: `/calculate 18% of 2,340`, `/remember {"text": "…"}`.

One call begins with each line that has a tool's name behind a slash; what follows it, on later lines
too, are its arguments: a JSON object, or the bare text of its first argument. Nothing else in a
conversation calls a tool by name: no document, and no small model. Pure.
"""

import json
from collections.abc import Collection
from typing import Any

from agents.tools.commands import COMMAND
from agents.tools.tool import Tool
from core.errors import InputError

MAX_STEPS = 40


def split_steps(question: str, names: Collection[str]) -> list[tuple[str, str]]:
    """Each named tool with what stands behind it; nothing when the question does not begin with
    the name of a tool that there is."""
    text = question.strip()
    found = [match for match in COMMAND.finditer(text) if match[1] in names]
    if not found or found[0].start() != 0:
        return []
    if len(found) > MAX_STEPS:
        raise InputError(
            f"a question calls at most {MAX_STEPS} tools", remedy="send them in several questions"
        )
    ends = [*(match.start() for match in found[1:]), len(text)]
    return [(match[1], text[match.end() : end].strip()) for match, end in zip(found, ends, strict=True)]


def read_arguments(tool: Tool, written: str) -> dict[str, Any]:
    """The arguments as a user wrote them, not checked yet. Raises InputError for broken JSON."""
    if not written:
        return {}
    if not written.startswith("{") and not tool.arguments.model_fields:
        raise InputError(f"/{tool.name} takes a JSON object", remedy='write {"name": "value"} behind it')
    if not written.startswith("{"):
        return {next(iter(tool.arguments.model_fields)): written}
    try:
        values = json.loads(written)
    except (ValueError, RecursionError) as exc:
        raise InputError(
            f"the arguments of /{tool.name} are no JSON object",
            remedy='write them as {"name": "value"}, or as bare text',
        ) from exc
    return values if isinstance(values, dict) else {}
