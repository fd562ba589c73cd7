"""Questions to one table each: own files, IM-TQA, TAT-QA and FeTaQA in one form.

Knows the JSON forms; knows nothing of how a question is answered.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.types import Table
from evals.datasets.tables import IMTQA_LANGUAGES
from ingest.parsers.grid import Area, header_rows

SETS = ("imtqa-zh", "imtqa-en", "tatqa", "fetaqa")


@dataclass(frozen=True, slots=True)
class TableQuestionRow:
    """`answers` are the cells or the number that is right; `reference` a whole sentence where only that is
    known. `kind` parts a set; `derivation` is how people reckoned the number."""

    id: str
    question: str
    table: Table
    answers: tuple[str, ...]
    kind: str = ""
    derivation: str = ""
    reference: str = ""


def read_set(name: str, folder: Path) -> list[TableQuestionRow]:
    """The development part of a public set below the folder of all sets.

    Raises:
        InputError: there is no such set, or it is not in the folder.
    """
    readers = {
        "imtqa-zh": lambda: read_imtqa(folder / "imtqa_zh", "zh"),
        "imtqa-en": lambda: read_imtqa(folder / "imtqa_zh", "en"),
        "tatqa": lambda: read_tatqa(folder / "tatqa"),
        "fetaqa": lambda: read_fetaqa(folder / "fetaqa"),
    }
    if name not in readers:
        raise InputError(f"there is no set {name!r}", remedy=f"choose: {', '.join(readers)}")
    try:
        return list(readers[name]())
    except FileNotFoundError as exc:
        raise InputError(
            f"{exc.filename} is not there", remedy="name the folder of the sets: --data"
        ) from exc


def read_file(path: Path) -> list[TableQuestionRow]:
    """Lines of `{"id", "table": {"header", "rows"}, "question", "answer"}`. A header is a list of labels, or
    a list of such lists, one a level.

    Raises:
        InputError: a line is broken; names it.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}", remedy="name a file of JSON lines")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows.append(_read_line(json.loads(line)))
        except (ValueError, KeyError, TypeError) as exc:
            reason = f"lacks {exc}" if isinstance(exc, KeyError) else f"cannot be used: {exc}"
            raise InputError(f"line {number} of {path} {reason}", remedy="see docs/tables.md") from exc
    if not rows:
        raise InputError(f"there is no question in {path}", remedy="see docs/tables.md for the form")
    return rows


def _read_line(given: dict) -> TableQuestionRow:
    header, body = given["table"]["header"], given["table"]["rows"]
    levels = header if header and isinstance(header[0], list) else [header] if header else []
    answer = given["answer"]
    answers = answer if isinstance(answer, list) else [answer]
    table = _table([*levels, *body], len(levels))
    return TableQuestionRow(str(given["id"]), str(given["question"]), table, tuple(map(str, answers)))


def read_imtqa(folder: Path, language: str) -> Iterator[TableQuestionRow]:
    """Irregular tables, in Chinese and as the makers' machine translation; the answer is a list of cells."""
    name = IMTQA_LANGUAGES[language]
    tables = {table["table_id"]: table for table in _load(folder / "dev_tables.json")}
    for asked in _load(folder / "dev_questions.json"):
        table = tables[asked["table_id"]]
        values = table[f"{name}_cell_value_list"]
        matrix = table["cell_ID_matrix"]
        cells = [[values[number] for number in row] for row in matrix]
        yield TableQuestionRow(
            asked["question_id"],
            asked[f"{name}_question"],
            _table(cells, header_rows(cells, _merges(matrix))),
            tuple(values[number] for number in asked["answer_cell_list"]),
            table["table_type"],
        )


def read_tatqa(folder: Path) -> Iterator[TableQuestionRow]:
    """Of financial reports; questions that the text beside the table answers by itself are left out."""
    for context in _load(folder / "tatqa_dataset_dev.json"):
        cells = context["table"]["table"]
        table = _table(cells, header_rows(cells, []))
        for asked in context["questions"]:
            if asked["answer_from"] == "text":
                continue
            answer = asked["answer"]
            answers = answer if isinstance(answer, list) else [answer]
            kind = f"{asked['answer_type']}, {asked['answer_from']}"
            derivation = asked["derivation"] if asked["answer_type"] == "arithmetic" else ""
            yield TableQuestionRow(
                asked["uid"], asked["question"], table, tuple(map(str, answers)), kind, derivation
            )


def read_fetaqa(folder: Path) -> Iterator[TableQuestionRow]:
    """Of Wikipedia; the answer is a sentence."""
    for line in (folder / "fetaQA-v1_dev.jsonl").read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        table = _table(asked["table_array"], header_rows(asked["table_array"], []))
        yield TableQuestionRow(str(asked["feta_id"]), asked["question"], table, (), reference=asked["answer"])


def _load(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))


def _table(cells: list, header: int) -> Table:
    width = max((len(row) for row in cells), default=0)
    rows = tuple(tuple(str(cell).strip() for cell in [*row, *[""] * (width - len(row))]) for row in cells)
    return Table(rows, header)


def _merges(matrix: list[list[int]]) -> list[Area]:
    areas: dict[int, list[int]] = {}
    for r, row in enumerate(matrix):
        for c, number in enumerate(row):
            area = areas.setdefault(number, [r, c, r, c])
            area[2], area[3] = max(area[2], r), max(area[3], c)
    return [Area(*area) for area in areas.values() if area[0] != area[2] or area[1] != area[3]]
