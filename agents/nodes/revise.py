"""revise: what was withheld is rewritten once from the evidence, and checked again.

Generate, then refine (Gao et al., RARR, 2023): the model sees its draft, which of its sentences
the evidence does not bear out and why, and writes those anew. The request goes on from the
draft's, so that a server which keeps prefixes reads only what is new.
"""

from contextlib import aclosing

from langgraph.runtime import Runtime

from agents.answering import AnswerWork
from agents.context import AskContext
from agents.events import StatusChanged
from agents.state import AskState


async def revise(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Adds to `outcome` what holds now."""
    work = AnswerWork(state, runtime)
    runtime.stream_writer(StatusChanged("revising"))
    await work.open_evidence()
    revising = runtime.context.prompts.revise
    prompt = revising(work.prompt(), work.draft_text, work.checked.lost, work.language)
    async with aclosing(work.drafted(prompt)) as sentences:
        async for sentence in sentences:
            await work.check(sentence, is_rewritten=True)
    return work.update("revise")
