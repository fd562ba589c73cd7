"""TAT-QA and IM-TQA: a question finds its table, which is written as Markdown.

Knows both JSON forms; knows nothing of searching.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from evals.beir import CorpusDocument, JudgedQuery, RetrievalSet
from ingest.parsers.tables import markdown_table

IMTQA_LANGUAGES = {"zh": "chinese", "en": "english"}


def convert_tatqa(folder: Path) -> Iterator[RetrievalSet]:
    """Tables alone, then tables with the paragraphs around them. The subset says where the
    answer stands: in the table, in both, or in the text beside it, which the first of the
    two does not hold."""
    contexts = json.loads((folder / "tatqa_dataset_dev.json").read_text(encoding="utf-8"))
    tables = {context["table"]["uid"]: markdown_table(context["table"]["table"]) for context in contexts}
    beside = {context["table"]["uid"]: _paragraphs(context) for context in contexts}
    queries = [
        JudgedQuery(asked["uid"], asked["question"], {context["table"]["uid"]: 1.0}, asked["answer_from"])
        for context in contexts
        for asked in context["questions"]
    ]
    yield RetrievalSet("tatqa", [CorpusDocument(uid, text) for uid, text in tables.items()], queries)
    whole = [CorpusDocument(uid, f"{text}\n\n{beside[uid]}") for uid, text in tables.items()]
    yield RetrievalSet("tatqa-text", whole, queries)


def _paragraphs(context: dict) -> str:
    return "\n\n".join(row["text"] for row in sorted(context["paragraphs"], key=lambda row: row["order"]))


def convert_imtqa(folder: Path) -> Iterator[RetrievalSet]:
    """Tables of irregular form, in Chinese and as the makers' machine translation into English."""
    tables = json.loads((folder / "dev_tables.json").read_text(encoding="utf-8"))
    questions = json.loads((folder / "dev_questions.json").read_text(encoding="utf-8"))
    for code, language in IMTQA_LANGUAGES.items():
        documents = [
            CorpusDocument(
                table["table_id"],
                merged_table(table["cell_ID_matrix"], table[f"{language}_cell_value_list"]),
            )
            for table in tables
        ]
        queries = [
            JudgedQuery(q["question_id"], q[f"{language}_question"], {q["table_id"]: 1.0}) for q in questions
        ]
        yield RetrievalSet(f"imtqa-{code}", documents, queries)


def merged_table(matrix: Sequence[Sequence[int]], values: Sequence[str]) -> str:
    """Markdown of a matrix of cell numbers, in which a merged cell's number stands in each
    place that it covers. Its value is written once in each row: a row can be read alone,
    and a title over ten columns is not said ten times."""
    rows = []
    for numbers in matrix:
        first = {number: at for at, number in reversed(list(enumerate(numbers)))}
        rows.append([values[number] if first[number] == at else "" for at, number in enumerate(numbers)])
    return markdown_table(rows)
