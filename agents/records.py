"""Nouns to plain dictionaries and back: what a checkpoint may hold.

Checkpoints are stored as msgpack of plain values; a class in them would have to be
imported by name when they are read, which is how tampered files run code.
"""

from dataclasses import asdict

from agents.asking import Guidance
from agents.decompose import Parts
from agents.drafting import CheckedDraft
from agents.state import AskState
from core.text import Span
from core.types import (
    Answer,
    Box,
    Chunk,
    Citation,
    ElementKind,
    Hit,
    Label,
    Scope,
    Sentence,
    Stage,
    Status,
    Usage,
    Verdict,
)
from retrieval.evidence import Excerpt


def hit_record(hit: Hit) -> dict:
    """A hit as plain values."""
    record = asdict(hit)
    record["stage"] = hit.stage.value
    record["chunk"]["kind"] = hit.chunk.kind.value
    return record


def read_hit(record: dict) -> Hit:
    """The hit of a record."""
    chunk = dict(record["chunk"])
    chunk["headings"] = tuple(chunk["headings"])
    chunk["boxes"] = tuple(Box(**box) for box in chunk["boxes"])
    chunk["kind"] = ElementKind(chunk["kind"])
    return Hit(Chunk(**chunk), record["score"], Stage(record["stage"]), dict(record["ranks"]))


def excerpt_record(excerpt: Excerpt) -> dict:
    """An excerpt as plain values."""
    spans = [[span.start, span.end] for span in excerpt.spans]
    return {"hit": hit_record(excerpt.hit), "spans": spans}


def read_excerpt(record: dict) -> Excerpt:
    """The excerpt of a record."""
    return Excerpt(read_hit(record["hit"]), tuple(Span(start, end) for start, end in record["spans"]))


def sentence_record(sentence: Sentence) -> dict:
    """A sentence as plain values."""
    record = asdict(sentence)
    record["verdict"]["label"] = sentence.verdict.label.value
    return record


def read_checked(outcome: dict) -> CheckedDraft:
    """What was checked so far of an outcome that is not finished."""
    return CheckedDraft(
        sentences=list(map(read_sentence, outcome["sentences"])),
        citations=list(map(read_citation, outcome["citations"])),
        withheld=list(map(read_sentence, outcome["withheld"])),
        mended=list(outcome["mended"]),
        abandoned=list(outcome["abandoned"]),
    )


def read_scope(state: dict) -> Scope:
    """The scope that the question was asked in."""
    return Scope(state["collection"], frozenset(state["readers"]))


def read_answer(record: dict) -> Answer:
    """The answer of a record that holds its fields as plain values."""
    return Answer(
        **{
            **record,
            "status": Status(record["status"]),
            "sentences": tuple(map(read_sentence, record["sentences"])),
            "withheld": tuple(map(read_sentence, record["withheld"])),
            "citations": tuple(map(read_citation, record["citations"])),
            "looked_for": tuple(record["looked_for"]),
            "usage": Usage(**record["usage"]),
        }
    )


def read_sentence(record: dict) -> Sentence:
    """The sentence of a record."""
    verdict = Verdict(**{**record["verdict"], "label": Label(record["verdict"]["label"])})
    return Sentence(record["text"], tuple(record["citations"]), verdict, tuple(record["conflicts"]))


def read_citation(record: dict) -> Citation:
    """The citation of a record."""
    return Citation(**{**record, "boxes": tuple(Box(**box) for box in record["boxes"])})


def parts_record(parts: Parts | None) -> dict:
    """The parts of a question as plain values; empty for none."""
    return {"questions": list(parts.questions), "then": parts.then} if parts else {}


def read_parts(record: dict) -> Parts | None:
    """The parts of a record."""
    return Parts(tuple(record["questions"]), record["then"]) if record else None


def guidance_record(guidance: Guidance) -> dict:
    """As the state carries it."""
    return {
        "assistant": guidance.assistant,
        "wishes": "\n".join(guidance.wishes),
        "wished_language": guidance.language,
        "allowed_tools": None if guidance.tools is None else sorted(guidance.tools),
    }


def may_use(state: AskState, tool: str) -> bool:
    """Whether the assistant of the session may use a tool; whether who asks may is another matter."""
    allowed = state.get("allowed_tools")
    return allowed is None or tool in allowed
