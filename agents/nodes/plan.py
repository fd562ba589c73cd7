"""plan: what is asked, whether it is answered, in which language, which way, and what to search for.

A follow-up is put together with the question that it goes on from by rule: that costs nothing
and is what the search legs need. What memory recalls goes to the model with the evidence. A
hypothetical passage is written when the settings ask for one. Knows nothing of evidence.
"""

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import asdict

from langgraph.runtime import Runtime

from agents.asking import Effort
from agents.context import AskContext
from agents.events import StatusChanged
from agents.guards.question_guard import clean_question, refusal_of
from agents.hyde import is_wanted, write_passage
from agents.keywords import segments
from agents.memory.statements import language_wish
from agents.routing import Choice, Route, classify
from agents.state import AskState
from agents.tools.commands import is_command
from core.errors import ChatModelError
from core.text import detect_language
from core.types import Usage

_REFERS_BACK_ZH = re.compile(
    "^(?:那|那么|还有|另外|然后|而|其中)|它|其(?!他|它|中|实|余)|这个|这种|该|上述|前者|后者|呢[？?]?$"
)
_REFERS_BACK_EN = re.compile(
    r"^(?:and|but|what about|how about|then|also)\b"
    r"|\b(?:it|its|they|them|their|that one|this one|those|he|she|there)\b",
    re.IGNORECASE,
)
MIN_SEGMENTS = 1
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
    recalled = "" if refusal else await _recall(question, state, runtime)
    wanted = not refusal and is_wanted(runtime.context.retrieval.hyde, Effort(state["effort"]))
    return {
        "question": question,
        "refusal": refusal.value if refusal else "",
        "route": choice.route.value,
        "why": choice.why,
        "language": language_wish(question)
        or state.get("wished_language")
        or background.answer_language
        or detect_language(question),
        "recalled": recalled,
        "queries": [query],
        "parts": [],
        "missing": [],
        "sections": [],
        "noted": {},
        "passage": "",
        "notes": [],
        "spent": asdict(Usage()),
        "timings_ms": {},
        **(await _imagine(query, runtime) if wanted else {}),
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


async def _imagine(query: str, runtime: Runtime[AskContext]) -> dict:
    """A passage to search with. Without one the search is what it always is, so a failure of
    the model is a note, and the answer's own call tells of it if it lasts."""
    context, begun = runtime.context, time.perf_counter()
    runtime.stream_writer(StatusChanged("planning", "hyde"))
    try:
        made = await write_passage(context.chat_model, context.prompts, query, detect_language(query))
    except ChatModelError as exc:
        _log.warning("searched without a hypothetical passage: %s", exc)
        return {"notes": [f"hyde: no passage, {exc.message}"]}
    timings = {"hyde": round((time.perf_counter() - begun) * 1000, 1)}
    return {"passage": made.passage, "spent": asdict(made.usage), "timings_ms": timings}


def standalone_query(question: str, earlier: Sequence[str]) -> str:
    """The question as it can be searched for. One that refers back is put behind the last one
    that stands by itself: of "TM-20's warranty?", "and its weight?", "and its price?" the third is
    about the first."""
    if not earlier or not refers_back(question):
        return question
    subject = next((asked for asked in reversed(earlier) if not refers_back(asked)), earlier[-1])
    return f"{subject} {question}"


def refers_back(question: str) -> bool:
    """Whether a question cannot be understood without the one before it."""
    if is_command(question):
        return False
    pattern = _REFERS_BACK_ZH if detect_language(question) == "zh" else _REFERS_BACK_EN
    return bool(pattern.search(question.strip())) or len(segments(question)) < MIN_SEGMENTS
