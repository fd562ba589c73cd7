"""The summary of a community of entities: drafted from sentences of its relations by the way of an answer.

Each sentence is checked by the guard and bound to quotes, or it is withheld, as in any answer; nothing is
searched for. Knows passages and the nodes of an answer; knows nothing of who may read them.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from langgraph.runtime import Runtime

from agents.asker import Asker
from agents.asking import Ask, Effort
from agents.context import AskContext
from agents.gathering import find_hostile
from agents.memory.background import Background
from agents.nodes.note import PLANNED, write_quietly
from agents.policy import policy_of
from agents.records import excerpt_record
from agents.state import AskState
from core.text import Span, detect_language
from core.types import Chunk, Hit, Scope, Stage, Usage
from retrieval.evidence import Excerpt
from retrieval.graph.communities import Community

VERSION = 1
NAMES_ASKED = 4
OWNER = "communities"
ASKED = {
    "zh": "关于{names}，文件里写了什么？",
    "en": "What do the documents say about {names}?",
}
AND = {"zh": ("、", "和"), "en": (", ", " and ")}


@dataclass(frozen=True, slots=True)
class CommunityEvidence:
    """A community with what its summary is made of: the question, and the passages in their order."""

    community: Community
    question: str
    language: str
    excerpts: tuple[Excerpt, ...]

    @property
    def chunks(self) -> list[Chunk]:
        """The whole chunks, which may be quoted too."""
        return [excerpt.chunk for excerpt in self.excerpts]


def gather_evidence(community: Community, chunks: Sequence[Chunk]) -> CommunityEvidence | None:
    """The sentences of a community as evidence; `chunks` are those of its places that are there. None where
    no sentence is left."""
    there = {chunk.id: chunk for chunk in chunks}
    spans: dict[str, set[Span]] = {}
    for place in community.places:
        chunk = there.get(place.chunk_id)
        if chunk is not None and place.end <= len(chunk.text):
            spans.setdefault(chunk.id, set()).add(Span(place.start, place.end))
    if not spans:
        return None
    stage = Stage.GRAPH
    excerpts = tuple(
        Excerpt(Hit(there[name], 1.0, stage, {stage.value: at}), tuple(_apart(spans[name])))
        for at, name in enumerate(spans, start=1)
    )
    language = detect_language("\n".join(excerpt.text for excerpt in excerpts))
    asked = ASKED[language].format(names=_listed(community.names[:NAMES_ASKED], language))
    return CommunityEvidence(community, asked, language, excerpts)


def digest_of(evidence: CommunityEvidence, scope: Scope, model: str, prompts: str) -> str:
    """Changes whenever the summary would be made of something else, or by another model."""
    shown = [[e.chunk.id, e.chunk.context, [[s.start, s.end] for s in e.spans]] for e in evidence.excerpts]
    readers, texts = sorted(scope.readers), digest_of_texts(evidence.chunks)
    made = [VERSION, model, prompts, readers, evidence.question, shown, texts]
    return hashlib.sha256(json.dumps(made, ensure_ascii=False).encode()).hexdigest()


def digest_of_texts(chunks: Sequence[Chunk]) -> str:
    """Of the texts of chunks, in their order."""
    return hashlib.sha256("\x00".join(chunk.text for chunk in chunks).encode()).hexdigest()


def prompts_of(asker: Asker) -> str:
    """The fingerprint of the prompts that a summary is asked for with."""
    return asker.context_of(Ask("", Scope(""), OWNER), Background(), Usage()).prompts.fingerprint


async def summarise(asker: Asker, evidence: CommunityEvidence, scope: Scope) -> dict:
    """The outcome: sentences, citations, what was withheld and what it took, as plain values.

    Raises:
        ChatModelError: the model failed.
    """
    ask = Ask(evidence.question, scope, OWNER, effort=Effort.STANDARD)
    context = asker.context_of(ask, Background(), Usage())
    state = await _state(context, evidence, scope)
    return await write_quietly(state, Runtime(context=context))


async def _state(context: AskContext, evidence: CommunityEvidence, scope: Scope) -> AskState:
    hits = [excerpt.hit for excerpt in evidence.excerpts]
    guards = context.guards
    return {
        "question": evidence.question,
        "queries": [evidence.question],
        "collection": scope.collection,
        "readers": sorted(scope.readers),
        "effort": Effort.STANDARD.value,
        "policy": policy_of(scope.collection, guards.policy, guards.policies).value,
        "started": time.time(),
        "language": evidence.language,
        "evidence": [excerpt_record(excerpt) for excerpt in evidence.excerpts],
        "hostile": await find_hostile(context, evidence.question, hits),
        "signals": {"sufficiency": PLANNED},
        "answering": {hit.chunk.id: PLANNED for hit in hits},
        "spent": asdict(Usage()),
        "timings_ms": {},
        "outcome": {},
    }


def _apart(spans: set[Span]) -> list[Span]:
    """In their order, without those that begin in another one."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def _listed(names: Sequence[str], language: str) -> str:
    comma, last = AND[language]
    return names[0] if len(names) == 1 else comma.join(names[:-1]) + last + names[-1]
