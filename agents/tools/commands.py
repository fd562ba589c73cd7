"""How a user calls a tool by name: its name behind a slash, at the beginning of a line. Pure."""

import re

COMMAND = re.compile(r"^/([a-z][a-z0-9_]{0,63})(?:[ \t]+|$)", re.MULTILINE)


def is_command(question: str) -> bool:
    """Whether a question has the form of a call by name."""
    return COMMAND.match(question.strip()) is not None
