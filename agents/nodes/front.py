"""front: a known question gets its curated answer at once, what only tells something of the user a
word of thanks, a question about what they told of themselves that, and small talk its reply; without a
search or a model.

Knows the curated answers, the rules of long-term memory and small talk; knows nothing of plans. A question
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
from agents.follow_ups import refers_back
from agents.guards.question_guard import refusal_of
from agents.memory.acknowledging import acknowledge
from agents.memory.own_questions import answer_about_oneself
from agents.policy import Policy
from agents.records import read_scope, sentence_record
from agents.routing import Route
from agents.small_talk import REPLIES, small_talk_of
from agents.state import AskState
from core.text import detect_language
from core.types import Status, Usage


async def front(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `route`: faq or chat, with the whole outcome, or search and nothing else."""
    question, background = state["question"], runtime.context.background
    wished = state.get("wished_language") or ""
    words = acknowledge(question, background, wished) or answer_about_oneself(question, background, wished)
    if words and not refusal_of(question):
        return _said(question, words)
    begun = time.perf_counter()
    found = await _known(state, runtime)
    if found is None:
        return _small_talk(question, wished or background.answer_language)
    runtime.stream_writer(StatusChanged("answering", Route.FAQ.value))
    first_ms = round((time.time() - state["started"]) * 1000, 1)
    _release(found, runtime)
    looked_up = round((time.perf_counter() - begun) * 1000, 1)
    return _outcome(found, question, {Route.FAQ.value: looked_up, "first_sentence": first_ms})


async def _known(state: AskState, runtime: Runtime[AskContext]) -> ListedEntry | None:
    """The curated answer that may be given."""
    faq, question, background = runtime.context.faq, state["question"], runtime.context.background
    if faq is None or (background.turns and refers_back(question)):
        return None
    found = await asyncio.to_thread(faq.answer, question, read_scope(state))
    return found if found is not None and _passes(found, Policy(state["policy"])) else None


def _small_talk(question: str, wished: str) -> dict:
    """The reply in the language that the user wished for, or wrote in; nothing for a question."""
    said = small_talk_of(question)
    if said is None:
        return {"route": Route.SEARCH.value}
    return _said(question, REPLIES[wished or detect_language(question)][said])


def route_of(state: AskState) -> str:
    """The node after this one."""
    return "plan" if state["route"] == Route.SEARCH else "finish"


def _passes(found: ListedEntry, policy: Policy) -> bool:
    """What a curator has vouched for without evidence is unsure, and leaves as such or not."""
    return all(policy.lets_pass(sentence.verdict) for sentence in found.entry.sentences)


def _release(found: ListedEntry, runtime: Runtime[AskContext]) -> None:
    told: set[int] = set()
    for sentence in found.entry.sentences:
        new = [c for c in found.standing.citations if c.marker in sentence.citations and c.marker not in told]
        told |= {citation.marker for citation in new}
        runtime.stream_writer(SentenceReleased(sentence, tuple(new)))


def _said(question: str, words: str) -> dict:
    """The outcome of what needs no documents."""
    return {
        **_without_search(question, Route.CHAT),
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


def _without_search(question: str, route: Route) -> dict:
    """What `plan` would have set: of the turn before nothing stays."""
    return {
        "route": route.value,
        "why": "",
        "refusal": "",
        "language": detect_language(question),
        "queries": [question],
        "apart": {},
        "parts": [],
        "missing": [],
        "evidence": [],
        "hostile": [],
        "signals": {},
        "notes": [],
        "recalled": "",
    }


def _outcome(found: ListedEntry, question: str, timings_ms: dict[str, float]) -> dict:
    sentences = found.entry.sentences
    return {
        **_without_search(question, Route.FAQ),
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
