"""answer: a draft streams in, each sentence is checked while the next is being written,
and only what the evidence holds leaves, in order.

This is one node, or checking would begin only after the whole draft. The gate stands before
it: without enough evidence there is no draft.
"""

from contextlib import aclosing

from langgraph.runtime import Runtime

from agents.answering import AnswerWork
from agents.context import AskContext
from agents.events import StatusChanged
from agents.state import AskState


async def answer(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `outcome`: status, sentences, citations, withheld, draft, usage, guarded."""
    work = AnswerWork(state, runtime)
    if state["signals"].get("sufficiency", 0.0) < runtime.context.guards.sufficient_at:
        return work.update("answer")
    if not await work.open_evidence():
        return work.update("answer")
    runtime.stream_writer(StatusChanged("answering"))
    async with aclosing(work.drafted(work.prompt())) as sentences:
        async for sentence in sentences:
            await work.check(sentence)
    work.draft_text, work.is_drafted = "\n".join(work.written), True
    return work.update("answer")
