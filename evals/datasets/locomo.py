"""LoCoMo: a question about a long conversation finds the turns that answer it.

Knows the JSON, and gives it as conversations, or as sets for searching in which each turn is a
document whose title is the date of its session. Knows nothing of searching or of memory.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.types import Remark
from evals.beir import CorpusDocument, JudgedQuery, RetrievalSet

CATEGORIES = {1: "several-hops", 2: "time", 3: "inference", 4: "single-hop"}
"""Those of category 5 the conversation does not answer."""
_SESSION = re.compile(r"session_(\d+)")
_TURN = re.compile(r"D\d+:\d+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a conversation and the ids of the turns that answer it."""

    id: str
    text: str
    category: int
    evidence: frozenset[str]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What two people said over many sessions, oldest first, and what is asked of it. A picture
    that was sent stands behind the words of its turn, as its caption."""

    name: str
    remarks: tuple[Remark, ...]
    questions: tuple[Asked, ...]


def read_conversations(path: Path) -> list[Conversation]:
    """The conversations of a file. Evidence that names no turn is passed over, and so are a
    question that then has none and those that the conversation does not answer.

    Raises:
        InputError: the file cannot be read or has another form.
    """
    try:
        samples = json.loads(path.read_text(encoding="utf-8"))
        return [_conversation(sample, f"{at}") for at, sample in enumerate(samples, start=1)]
    except OSError as exc:
        raise InputError(
            f"{path} cannot be read: {exc.strerror}", remedy="name a file of conversations"
        ) from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        what = f"it lacks {exc}" if isinstance(exc, KeyError) else str(exc)
        raise InputError(f"{path} is no file of conversations: {what}", remedy="see docs/memory.md") from exc


def convert_locomo(folder: Path) -> Iterator[RetrievalSet]:
    """One set a conversation."""
    for conversation in read_conversations(folder / "locomo_dev2.json"):
        documents = [
            CorpusDocument(remark.id, f"{remark.speaker}: {remark.text}", remark.said)
            for remark in conversation.remarks
        ]
        queries = [
            JudgedQuery(asked.id, asked.text, dict.fromkeys(asked.evidence, 1.0), CATEGORIES[asked.category])
            for asked in conversation.questions
        ]
        yield RetrievalSet(f"locomo-{conversation.name}", documents, queries)


def _conversation(sample: Mapping, number: str) -> Conversation:
    remarks = tuple(_remarks(sample["conversation"]))
    known = {remark.id for remark in remarks}
    questions = []
    for at, asked in enumerate(sample["qa"]):
        # Two turns can stand in one string: "D8:6; D9:17".
        evidence = known.intersection(_TURN.findall(" ".join(asked.get("evidence", []))))
        if evidence and asked["category"] in CATEGORIES:
            questions.append(Asked(f"q{at}", str(asked["question"]), asked["category"], frozenset(evidence)))
    return Conversation(str(sample.get("sample_id", number)), remarks, tuple(questions))


def _remarks(conversation: Mapping) -> Iterator[Remark]:
    """In the order in which they were said."""
    numbers = sorted(int(match.group(1)) for key in conversation if (match := _SESSION.fullmatch(key)))
    for number in numbers:
        said = str(conversation.get(f"session_{number}_date_time", ""))
        for turn in conversation[f"session_{number}"]:
            picture = f" [picture: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
            yield Remark(turn["dia_id"], turn["speaker"], f"{turn['text']}{picture}", said)
