"""Rows of a Markdown table as sentences, each cell with its header: `year: 2023; revenue
(million yuan): 12.5.` A row of bare figures says nothing to a search by meaning or by words.

Pure: what is searched follows from the text that is quoted, so nothing else need be kept.
"""

import re
from collections.abc import Sequence

from core.text import CJK, detect_language

_PIPE = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")
_CJK_CHAR = re.compile(f"[{CJK}]")
_MOST_GROWTH = 2.0
_MOST_TOKENS = 450
"""Embedders of 512 tokens cut the rest off without a word."""


def row_sentences(text: str) -> str:
    """The text with each row of its table as a sentence; other lines stay. Unchanged when
    a column of it but the first has no name, or when the header in each row would make it more
    than twice as long, or too long to embed: a wide table of short figures says more with its
    header once."""
    lines = text.split("\n")
    rule = next((at for at, line in enumerate(lines) if at and _RULE.fullmatch(line.strip())), 0)
    header = _cells(lines[rule - 1]) if rule else []
    if not any(header) or not all(header[1:]):
        return text
    marks = ("：", "；", "。") if detect_language(text) == "zh" else (": ", "; ", ".")
    end = next((at for at in range(rule + 1, len(lines)) if not _is_row(lines[at])), len(lines))
    sentences = [_sentence(header, _cells(line), marks) for line in lines[rule + 1 : end]]
    told = "\n".join([*lines[: rule - 1], *sentences, *lines[end:]])
    fits = len(told) <= _MOST_GROWTH * len(text) and _estimate_tokens(told) <= _MOST_TOKENS
    return told if sentences and fits else text


def _estimate_tokens(text: str) -> float:
    chinese = len(_CJK_CHAR.findall(text))
    return chinese + (len(text) - chinese) / 3


def _is_row(line: str) -> bool:
    return line.startswith("|") and line.endswith("|")


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _PIPE.split(line.strip())[1:-1]]


def _sentence(header: Sequence[str], cells: Sequence[str], marks: tuple[str, str, str]) -> str:
    names, between, end = marks
    labels = [*header, *[""] * (len(cells) - len(header))]
    told = [
        f"{label}{names}{cell}" if label else cell
        for label, cell in zip(labels, cells, strict=False)
        if cell
    ]
    return between.join(told) + end
