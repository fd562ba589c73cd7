"""revise: what was withheld is rewritten once from the evidence, and checked again.

Generate, then refine (Gao et al., RARR, 2023): the model sees its draft, which of its sentences
the evidence does not bear out and why, and writes those anew. The request goes on from the
draft's, so that a server which keeps prefixes reads only what is new.
"""

from contextlib import aclosing

from langgraph.runtime import Runtime

from agents.answering import AnswerWork
from agents.asking import BUDGETS, Effort
from agents.context import AskContext
from agents.draft_stream import Fault
from agents.events import StatusChanged
from agents.records import read_checked
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


def after_answer(state: AskState) -> str:
    """What was withheld is rewritten where the effort allows it; a refusal stands, and a model
    that could not write the draft is not asked again."""
    is_broken = any(fault in state["outcome"]["guarded"] for fault in Fault)
    may_revise = BUDGETS[Effort(state["effort"])].revises and not is_broken
    return "revise" if may_revise and read_checked(state["outcome"]).lost else after_revise(state)


def after_revise(state: AskState) -> str:
    """A quote, when a draft was made and no sentence of it holds, unless it was a refusal."""
    outcome, checked = state["outcome"], read_checked(state["outcome"])
    return "extract" if outcome["drafted"] and not checked.sentences and not checked.refused else "finish"
