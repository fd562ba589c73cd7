"""extract: when no sentence of the model held, the passage that speaks of the whole question,
word for word, or nothing. Nobody chose it with the question in mind: the gate must be surer of the
evidence than for a draft, the passage must bring the kind of value that is asked for, and it is weighed as
a draft's first sentence is.
"""

import asyncio

from langgraph.runtime import Runtime

from agents.answering import AnswerWork
from agents.context import AskContext
from agents.guards.demands import offers_kind
from agents.keywords import segment_cover
from agents.state import AskState
from core.text import detect_language

QUOTE_COVER = 0.6
QUOTE_SIMILARITY = 0.9
QUOTE_SIMILARITY_ACROSS = 0.86


async def extract(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Adds one quoted sentence to `outcome`, or leaves it as it is."""
    work = AnswerWork(state, runtime)
    if state["signals"].get("sufficiency", 0.0) < work.context.guards.quoted_at:
        return work.update("extract")
    await work.open_evidence()
    for bound in (await asyncio.to_thread(work.checker.rank_quotes))[:1]:
        covers = segment_cover(work.question, bound.quote)
        same = detect_language(work.question) == detect_language(bound.quote)
        full = same and covers and sum(covers) / len(covers) >= QUOTE_COVER
        needed = QUOTE_SIMILARITY if same else QUOTE_SIMILARITY_ACROSS
        answers = work.answering is None or bound.chunk.id in work.answering
        near = answers and (full or bound.similarity >= needed) and offers_kind(work.question, bound.spoken)
        if near and await asyncio.to_thread(work.checker.is_answer, bound):
            work.is_extracted = True
            work.release(work.checker.quote(bound))
    return work.update("extract")
