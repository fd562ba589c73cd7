"""plan: what is asked, whether it is answered, in which language, which way, and what to search for.

A follow-up is put together with the question that it goes on from by rule: that costs nothing
and is what the search legs need. What memory recalls goes to the model with the evidence. Where no
rule decides, the model plans, and a hypothetical passage is written, when the settings ask for it.
Knows nothing of evidence.
"""

import asyncio
import logging
import time
from dataclasses import asdict

from langgraph.runtime import Runtime

from agents.asking import Effort
from agents.context import AskContext
from agents.events import StatusChanged
from agents.follow_ups import refers_back, standalone_query
from agents.guards.question_guard import clean_question, refusal_of
from agents.hyde import is_wanted, write_passage
from agents.memory.statements import language_wish
from agents.planner import LEFT_FOR_THE_DRAFT, Planned, is_undecided, plan_by_model
from agents.records import parts_record
from agents.routing import Choice, Route, classify
from agents.state import AskState
from core.errors import ChatModelError
from core.text import detect_language

REFUSED = Choice(Route.SEARCH, "refused")
_log = logging.getLogger(__name__)


async def plan(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `language`, `queries`, `refusal`, `route` and `why` and, where it is wanted, `passage` and what
    that took. Empties what the last turn left."""
    runtime.stream_writer(StatusChanged("planning"))
    question = clean_question(state["question"])
    refusal = refusal_of(question) if runtime.context.guards.refuse else None
    if refusal:
        runtime.stream_writer(StatusChanged("refused", refusal.value))
    background = runtime.context.background
    query = standalone_query(question, background.questions)
    choice = REFUSED if refusal else _way(question, query)
    # A follow-up is put together of two questions, and would be taken apart into them.
    planned = await _planned(choice, query, state, runtime) if query == question else Planned(choice)
    recalled = "" if refusal else await _recall(question, state, runtime)
    wanted = not refusal and is_wanted(runtime.context.retrieval.hyde, Effort(state["effort"]))
    return {
        "question": question,
        "refusal": refusal.value if refusal else "",
        "route": planned.choice.route.value,
        "why": planned.choice.why,
        "language": language_wish(question)
        or state.get("wished_language")
        or background.answer_language
        or detect_language(question),
        "recalled": recalled,
        "queries": [query],
        "apart": parts_record(planned.parts),
        "parts": [],
        "missing": [],
        "sections": [],
        "noted": {},
        **(await _imagine(query, planned, runtime) if wanted else _begun(planned)),
        "evidence": [],
        "signals": {},
        "answering": {},
        "outcome": {},
    }


def _way(question: str, query: str) -> Choice:
    """Of the question with what it goes on from; what a tool answers stands by itself, and a question
    is not of several parts because it stands behind another one."""
    alone = classify(question)
    if alone.route is Route.TOOL:
        return alone
    joined = classify(query)
    is_of_parts = joined.route is not Route.HOPS or alone.route is Route.HOPS or query == question
    return joined if is_of_parts else Choice(Route.SEARCH, "goes on from another question")


async def _recall(question: str, state: AskState, runtime: Runtime[AskContext]) -> str:
    """What of the conversation and of the user's facts the model is told with the evidence."""
    context = runtime.context
    strategy, follows = state.get("memory", ""), refers_back(question)
    recall = asyncio.to_thread(context.recaller.recall, context.background, question, strategy, follows)
    try:
        return await asyncio.wait_for(recall, context.allowance.seconds_left)
    except TimeoutError:
        # A summary that the model writes is kept for the next question, however late.
        _log.warning("the memory was not asked to its end: it took the whole time of the question")
        return ""


async def _planned(choice: Choice, query: str, state: AskState, runtime: Runtime[AskContext]) -> Planned:
    """The way by the rules, or by the chat model where they do not decide and the settings ask for it."""
    effort = Effort(state["effort"])
    if runtime.context.chat.planner == "off" or not is_undecided(choice, query, effort):
        return Planned(choice)
    return await plan_by_model(choice, query, effort, runtime.context, runtime.stream_writer)


def _begun(planned: Planned) -> dict:
    """What the plan took and says of itself; no passage."""
    notes = [planned.note] if planned.note else []
    return {"passage": "", "notes": notes, "spent": asdict(planned.usage), "timings_ms": planned.timings_ms}


async def _imagine(query: str, planned: Planned, runtime: Runtime[AskContext]) -> dict:
    """A passage to search with. Without one the search is what it always is, so a failure of
    the model is a note, and the answer's own call tells of it if it lasts."""
    context, begun, told = runtime.context, time.perf_counter(), _begun(planned)
    if context.allowance.calls_left <= LEFT_FOR_THE_DRAFT:
        note = "hyde: no passage, the last call of the model is the draft's"
        return {**told, "notes": [*told["notes"], note]}
    runtime.stream_writer(StatusChanged("planning", "hyde"))
    try:
        made = await write_passage(context.chat_model, context.prompts, query, detect_language(query))
    except ChatModelError as exc:
        _log.warning("searched without a hypothetical passage: %s", exc)
        return {**told, "notes": [*told["notes"], f"hyde: no passage, {exc.message}"]}
    timings = {**told["timings_ms"], "hyde": round((time.perf_counter() - begun) * 1000, 1)}
    spent = asdict(planned.usage.plus(made.usage))
    return {**told, "passage": made.passage, "spent": spent, "timings_ms": timings}
