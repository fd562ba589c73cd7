"""The SQuAD layout (SQuAD, CMRC 2018, DRCD, XQuAD): a question finds its paragraph.

Titles of articles are left out, since a title names the subject and makes the task easy.
Knows the JSON; knows nothing of searching.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.beir import CorpusDocument, JudgedQuery, RetrievalSet

XQUAD_PAIRS = (("zh", "zh"), ("en", "en"), ("zh", "en"), ("en", "zh"))


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """One file: paragraphs by id, each text once, and the answerable questions with the id
    of their paragraph."""

    documents: Sequence[CorpusDocument]
    questions: Sequence[tuple[str, str]]
    paragraph_of: dict[str, str]


def read_squad(path: Path) -> Paragraphs:
    """Paragraph ids are `article-paragraph`, counted from 0 where a text first stands."""
    ids: dict[str, str] = {}
    questions: list[tuple[str, str]] = []
    paragraph_of: dict[str, str] = {}
    for place, paragraph in _paragraphs(path):
        identity = ids.setdefault(paragraph["context"], place)
        for question in paragraph["qas"]:
            if not question.get("is_impossible"):
                questions.append((str(question["id"]), question["question"]))
                paragraph_of[str(question["id"])] = identity
    documents = [CorpusDocument(identity, text) for text, identity in ids.items()]
    return Paragraphs(documents, questions, paragraph_of)


def convert_squad(path: Path, name: str) -> RetrievalSet:
    """Questions over the paragraphs of the same file."""
    return across(read_squad(path), read_squad(path), name)


def across(asked: Paragraphs, held: Paragraphs, name: str) -> RetrievalSet:
    """Questions of one file over the paragraphs of another with the same question ids."""
    queries = [
        JudgedQuery(identity, text, {held.paragraph_of[identity]: 1.0}) for identity, text in asked.questions
    ]
    return RetrievalSet(name, held.documents, queries)


def convert_cmrc(folder: Path) -> Iterator[RetrievalSet]:
    """CMRC 2018, trial part (simplified Chinese)."""
    yield convert_squad(folder / "cmrc2018_trial.json", "cmrc2018")


def convert_drcd(folder: Path) -> Iterator[RetrievalSet]:
    """DRCD, development part (traditional Chinese)."""
    yield convert_squad(folder / "DRCD_dev.json", "drcd")


def convert_xquad(folder: Path) -> Iterator[RetrievalSet]:
    """XQuAD within and across Chinese and English: the language of the question first."""
    halves = read_xquad(folder)
    for asked, held in XQUAD_PAIRS:
        yield across(halves[asked], halves[held], f"xquad-{asked}-{held}")


def convert_mixed(folder: Path) -> Iterator[RetrievalSet]:
    """XQuAD with every second paragraph Chinese and the others English, asked in both.

    Ids and subsets of queries begin with `same` or `other`: whether the answer stands in the
    language of the question.
    """
    halves = read_xquad(folder)
    held = {document.id: "zh" if at % 2 == 0 else "en" for at, document in enumerate(halves["zh"].documents)}
    texts = {language: {d.id: d.text for d in half.documents} for language, half in halves.items()}
    documents = [CorpusDocument(identity, texts[language][identity]) for identity, language in held.items()]
    queries = []
    for language, half in halves.items():
        for identity, text in half.questions:
            paragraph = half.paragraph_of[identity]
            subset = "same" if held[paragraph] == language else "other"
            queries.append(JudgedQuery(f"{subset}-{language}-{identity}", text, {paragraph: 1.0}, subset))
    yield RetrievalSet("xquad-mixed", documents, queries)


def read_xquad(folder: Path) -> dict[str, Paragraphs]:
    """The development half in both languages, by language."""
    return {language: read_squad(folder / f"xquad.{language}.half.json") for language in ("zh", "en")}


def _paragraphs(path: Path) -> Iterator[tuple[str, dict]]:
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    for number, article in enumerate(articles):
        for at, paragraph in enumerate(article["paragraphs"]):
            yield f"{number}-{at}", paragraph
