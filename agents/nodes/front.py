"""front: a known question gets its curated answer at once, and what only tells something of the
user a word of thanks; without a search or a model.

Knows the curated answers and the rules of long-term memory; knows nothing of plans. A question
that refers back to the turn before it is not known by its words alone, so it goes on.
"""

import asyncio
import time
from dataclasses import asdict

from langgraph.runtime import Runtime

from agents.context import AskContext
from agents.drafting import join_sentences
from agents.events import SentenceReleased, StatusChanged
from agents.faq import ListedEntry
from agents.guards.question_guard import refusal_of
from agents.memory.acknowledging import acknowledge
from agents.nodes.plan import refers_back
from agents.policy import Policy
from agents.records import read_scope, sentence_record
from agents.state import AskState
from core.text import detect_language
from core.types import Status, Usage

FAQ, CHAT = "faq", "chat"


async def front(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `route`: faq or chat, with the whole outcome, or search and nothing else."""
    faq, question, background = runtime.context.faq, state["question"], runtime.context.background
    if (words := acknowledge(question, background)) and not refusal_of(question):
        return _acknowledged(question, words)
    if faq is None or (background.turns and refers_back(question)):
        return {"route": "search"}
    begun = time.perf_counter()
    found = await asyncio.to_thread(faq.answer, question, read_scope(state))
    if found is None or not _passes(found, Policy(state["policy"])):
        return {"route": "search"}
    runtime.stream_writer(StatusChanged("answering", FAQ))
    first_ms = round((time.time() - state["started"]) * 1000, 1)
    _release(found, runtime)
    looked_up = round((time.perf_counter() - begun) * 1000, 1)
    return _outcome(found, question, {FAQ: looked_up, "first_sentence": first_ms})


def route_of(state: AskState) -> str:
    """The node after this one."""
    return "plan" if state["route"] == "search" else "finish"


def _passes(found: ListedEntry, policy: Policy) -> bool:
    """What a curator has vouched for without evidence is unsure, and leaves as such or not."""
    return all(policy.lets_pass(sentence.verdict) for sentence in found.entry.sentences)


def _release(found: ListedEntry, runtime: Runtime[AskContext]) -> None:
    told: set[int] = set()
    for sentence in found.entry.sentences:
        new = [c for c in found.standing.citations if c.marker in sentence.citations and c.marker not in told]
        told |= {citation.marker for citation in new}
        runtime.stream_writer(SentenceReleased(sentence, tuple(new)))


def _acknowledged(question: str, words: str) -> dict:
    return {
        **_without_search(question, CHAT),
        "queries": [],
        "timings_ms": {},
        "outcome": {
            "status": Status.ANSWERED.value,
            "text": words,
            "sentences": [],
            "citations": [],
            "withheld": [],
            "usage": asdict(Usage()),
        },
    }


def _without_search(question: str, route: str) -> dict:
    return {
        "route": route,
        "refusal": "",
        "language": detect_language(question),
        "queries": [question],
        "evidence": [],
        "hostile": [],
        "signals": {},
        "notes": [],
        "recalled": "",
    }


def _outcome(found: ListedEntry, question: str, timings_ms: dict[str, float]) -> dict:
    sentences = found.entry.sentences
    return {
        **_without_search(question, FAQ),
        "timings_ms": timings_ms,
        "outcome": {
            "status": Status.ANSWERED.value,
            "text": join_sentences(sentences),
            "sentences": [sentence_record(sentence) for sentence in sentences],
            "citations": [asdict(citation) for citation in found.standing.citations],
            "withheld": [],
            "usage": asdict(Usage()),
        },
    }
