"""Prompts are files: read once, filled in, and known by their hash in the trace.

Knows the frame (role, task, format, then the evidence between delimiters, the question
last, so that the stable part comes first); knows nothing of models.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from agents.guards.speech_to_models import Speech, speech_of
from core.prompt_files import PromptFiles
from core.seams import Message
from core.types import Sentence
from retrieval.evidence import Excerpt

NONCE_DIGITS = 16
"""64 bits. In hexadecimal, because small models copy it for a marker at times, and it must be told
from a word then (agents/binding.py)."""
FOLDER = Path(__file__).with_name("prompts")
LANGUAGES = ("zh", "en")


class PromptLibrary:
    """The prompts of the agent."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = PromptFiles(folder)
        self.fingerprint = self._files.fingerprint

    def answer(
        self, question: str, excerpts: Sequence[Excerpt], language: str, recalled: str = "", wishes: str = ""
    ) -> list[Message]:
        """The messages that ask for a draft from the evidence, numbered from 1; `recalled` of the
        conversation stands behind it, `wishes` for the answer's style before it, each in a fence of its
        own. Wishes are the same for many questions, so a server that keeps prefixes reads them once."""
        values = {
            "evidence": fence(excerpts),
            "question": _flatten(question),
            "recalled": self._told("recalled", language, recalled),
            "wishes": self._told("wishes", language, wishes),
        }
        return self._files.messages(f"answer.{language}", **values)

    def _told(self, name: str, language: str, text: str) -> str:
        """A text between delimiters that it cannot hold itself, with what it is; empty for none."""
        if not text:
            return ""
        tag = f"{name}-{_nonce(text)}"
        fenced = f"<{tag}>\n{text}\n</{tag}>"
        return self._files.messages(f"{name}.{language}", **{name: fenced})[1].content + "\n\n"

    def revise(
        self, asked: Sequence[Message], draft: str, withheld: Sequence[Sentence], language: str
    ) -> list[Message]:
        """The messages that ask for withheld sentences in the words of the evidence; `asked` are
        those that the draft was an answer to."""
        listed = "\n".join(f"- {s.text} ({s.verdict.reason})" for s in withheld)
        told = self._files.messages(f"revise.{language}", withheld=listed)[1]
        return [*asked, Message("assistant", draft), told]

    def judge(self, sentence: str, evidence: str, language: str) -> list[Message]:
        """The messages that ask whether the evidence supports a sentence."""
        nonce = _nonce(evidence)
        fenced = f"<evidence-{nonce}>\n{evidence}\n</evidence-{nonce}>"
        return self._files.messages(f"judge.{language}", evidence=fenced, sentence=_flatten(sentence))

    def hyde(self, question: str, language: str) -> list[Message]:
        """The messages that ask for a passage in `language` that might answer the question."""
        return self._files.messages(f"hyde.{language}", question=_flatten(question))

    def question_plan(self, question: str, ways: Sequence[str], most: int, language: str) -> list[Message]:
        """The messages that ask for the way to an answer and the questions to search for, at most so many."""
        listed = ", ".join(ways)
        values = {"question": _flatten(question), "ways": listed, "most": str(most)}
        return self._files.messages(f"question_plan.{language}", **values)

    def table_plan(
        self, question: str, rows: Sequence[str], columns: Sequence[str], language: str
    ) -> list[Message]:
        """The messages that ask which operation over which rows and columns of a table answers."""
        listed = "\n".join(
            [*(f"row: {_flatten(row)}" for row in rows), *(f"column: {_flatten(label)}" for label in columns)]
        )
        tag = f"labels-{_nonce(listed)}"
        fenced = f"<{tag}>\n{listed}\n</{tag}>"
        return self._files.messages(f"table_plan.{language}", labels=fenced, question=_flatten(question))

    def summary(self, summary: str, talk: str, language: str) -> list[Message]:
        """The messages that ask for a summary of what the summary so far says and what was said since."""
        name = f"conversation-{_nonce(summary, talk)}"
        fenced = f"<{name}>\n{talk}\n</{name}>"
        return self._files.messages(f"summary.{language}", summary=_flatten(summary) or "-", talk=fenced)


def fence(excerpts: Sequence[Excerpt]) -> str:
    """The evidence between delimiters that no document can know beforehand, so that text
    in a document cannot end the fence and speak as the user. The name of the fence is a
    digest of all of the evidence: a document cannot hold a digest of itself, long enough not
    to be found by trying. The question is not part of it, so that two questions over the same
    evidence have all but their ends in common, which a server reads once."""
    nonce = _nonce(*(f"{e.chunk.context}\n{e.text}" for e in excerpts))
    blocks = []
    former = ""
    for marker, excerpt in enumerate(excerpts, start=1):
        chunk = excerpt.chunk
        # A title or heading that gives orders names nothing.
        shown = "" if speech_of(chunk.context) is Speech.ORDER else _flatten(chunk.context)
        # A title is said once for the excerpts of one document that follow each other.
        if chunk.document_id == former:
            shown = shown.removeprefix(_flatten(chunk.title)).lstrip()
        former = chunk.document_id
        context = f"({shown})\n" if shown else ""
        blocks.append(f"[{marker}] {context}{excerpt.text.strip()}")
    return f"<evidence-{nonce}>\n" + "\n\n".join(blocks) + f"\n</evidence-{nonce}>"


def _nonce(*texts: str) -> str:
    return hashlib.sha256("\x00".join(texts).encode()).hexdigest()[:NONCE_DIGITS]


def _flatten(text: str) -> str:
    return " ".join(text.split())
