"""note: one section of a report: its evidence, a draft of it, each sentence checked as in any answer, and
what was withheld rewritten once.

Runs beside the notes of the other sections; what it has found is stored when it ends, so that a run that was
killed goes on with the sections that are missing. Knows nothing of the report.
"""

import asyncio
from dataclasses import asdict

from langgraph.runtime import Runtime

from agents.context import AskContext
from agents.events import StatusChanged
from agents.gathering import find, find_hostile
from agents.nodes.answer import answer
from agents.nodes.extract import extract
from agents.nodes.revise import after_answer, after_revise, revise
from agents.records import excerpt_record, read_scope
from agents.report import is_source_gone
from agents.state import AskState
from core.seams import VectorStore
from core.types import Scope, Usage
from retrieval.evidence import CutLimits

PASSING = ("draft", "mended", "abandoned")
NOTHING = {"sentences": [], "citations": [], "withheld": [], "usage": asdict(Usage())}
PLANNED = 1.0
"""The gate asks whether evidence answers a question; a section has been planned from it. What does not
speak of the topic is withheld all the same."""


async def note(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Adds the section's `outcome` to `noted`, under its number, with the chunks that it was `shown`. A run
    that goes on may come to a heading that its reader has lost: that is neither told nor asked about."""
    context, number, scope = runtime.context, state["number"], read_scope(state)
    section, question = state["sections"][number], state["queries"][0]
    if not await asyncio.to_thread(_may_be_named, section, context.retriever.store, scope):
        return {"noted": {str(number): {**section, "outcome": NOTHING, "shown": []}}}
    progress = f"{number + 1}/{len(state['sections'])} {section['title']}"
    runtime.stream_writer(StatusChanged("noting", progress))
    chunks = context.retrieval.evidence_chunks
    found = await find(context, [question], scope, chunks)
    limits = CutLimits(context.retrieval.evidence_tokens, chunks)
    excerpts = await asyncio.to_thread(context.cutter.cut, question, found.to_the_point, limits)
    hostile = await find_hostile(context, question, found.hits)
    work: AskState = {
        **state,
        "evidence": [excerpt_record(excerpt) for excerpt in excerpts],
        "hostile": sorted({*state["hostile"], *hostile}),
        "signals": {**found.signals, "sufficiency": PLANNED},
        "answering": {hit.chunk.id: PLANNED for hit in found.hits},
    }
    outcome = await write_quietly(work, runtime)
    runtime.stream_writer(StatusChanged("noted", progress))
    shown = [hit.chunk.id for hit in found.hits]
    return {"noted": {str(number): {**section, "outcome": outcome, "shown": shown}}}


async def write_quietly(work: AskState, runtime: Runtime[AskContext]) -> dict:
    """The outcome of the nodes answer, revise and extract over the evidence of a state. What is said is not
    told meanwhile: its markers are not yet those of the reader."""
    quiet = runtime.override(stream_writer=_say_nothing)
    work = {**work, **await answer(work, quiet)}
    following = after_answer(work)
    if following == "revise":
        work |= await revise(work, quiet)
        following = after_revise(work)
    if following == "extract":
        work |= await extract(work, quiet)
    return {name: value for name, value in work["outcome"].items() if name not in PASSING}


def _may_be_named(section: dict, store: VectorStore, scope: Scope) -> bool:
    source = section.get("source", [])
    there = {chunk.id for chunk in store.get_chunks(scope, source)} if source else set()
    return not is_source_gone(section, set(source) - there)


def _say_nothing(event: object) -> None:
    """The writer of a node within a node."""
