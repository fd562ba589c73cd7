"""table: when what was found is a table and rules are sure of its rows and columns, the answer is read and
reckoned from it. The chat model is not asked; what rules are not sure of goes on to be drafted.

Knows the reader of tables; knows nothing of SQL.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict

from langgraph.runtime import Runtime

from agents.answering import AnswerWork
from agents.binding import BoundSpan
from agents.context import AskContext
from agents.drafting import Released, make_citation
from agents.events import StatusChanged
from agents.guards.evidence_screen import UNSCREENED, ScreenedEvidence
from agents.guards.outgoing import plain_pictures, strip_links
from agents.records import may_use, read_scope
from agents.routing import Route
from agents.state import AskState
from agents.tables.citing import holds_table
from agents.tables.model_plan import plan_by_model
from agents.tables.reading import QuotedTableAnswer
from core.errors import ChatModelError
from core.types import Chunk, Label, Scope, Sentence, Verdict

_log = logging.getLogger(__name__)

QUERY_TABLE = "query_table"
NEAREST = 2
"""A table must be among the first so many chunks."""


def after_gather(state: AskState) -> str:
    """To the table, when one is among what was found first."""
    nearest = state["evidence"][:NEAREST]
    return "table" if any(holds_table(one["hit"]["chunk"]["text"]) for one in nearest) else "answer"


async def table(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `outcome` and `route`, or nothing but what was spent."""
    context = runtime.context
    # A follow-up is put together of two questions, and rules would read both.
    if context.tables is None or not may_use(state, QUERY_TABLE) or state["queries"][0] != state["question"]:
        return {}
    work = AnswerWork(state, runtime)
    chunks = [e.chunk for e in work.excerpts if e.chunk.document_id not in state["hostile"]]
    scope = read_scope(state)
    found = await asyncio.to_thread(context.tables.read, work.question, chunks, scope, work.language)
    is_open = state["signals"].get("sufficiency", 0.0) >= context.guards.sufficient_at
    if found is None and context.tables.asks_model and is_open:
        found = await _by_model(work, chunks, scope)
    # What was spent on a plan that led nowhere counts with the draft.
    nothing = {"spent": asdict(work.usage)}
    if found is None:
        return nothing
    screened = UNSCREENED
    if context.guards.screen:
        cited = list({span.chunk.id: span.chunk for span in found.spans}.values())
        screened = await asyncio.to_thread(context.screen.screen, work.question, cited, state["hostile"])
    if any(_is_barred(span, screened) for span in found.spans):
        return nothing
    runtime.stream_writer(StatusChanged("reckoning", found.answer.reckoned.sql))
    released = release(found, screened)
    work.checked.sentences.append(released.sentence)
    work.checked.citations.extend(released.citations)
    work.release(released)
    return {**work.update(Route.TABLE.value), "route": Route.TABLE.value}


async def _by_model(work: AnswerWork, chunks: Sequence[Chunk], scope: Scope) -> QuotedTableAnswer | None:
    """By a plan of the chat model for the table of the best chunk. A model that fails plans nothing; the
    draft's own call tells of it if it lasts."""
    context = work.context
    near = await asyncio.to_thread(context.tables.nearest, chunks, scope)
    if near is None:
        return None
    stored, grid = near
    try:
        made = await plan_by_model(context.chat_model, context.prompts, work.question, grid)
    except ChatModelError as exc:
        _log.warning("no plan for a table: %s", exc)
        return None
    work.spend(made.usage)
    if made.plan is None:
        return None
    return await asyncio.to_thread(context.tables.read_plan, made.plan, stored, chunks, scope, work.language)


def _is_barred(bound: BoundSpan, screened: ScreenedEvidence) -> bool:
    """Whether any of a line may not be quoted."""
    barred = screened.barred.get(bound.chunk.id, ())
    return any(span.start < bound.span.end and bound.span.start < span.end for span in barred)


def release(found: QuotedTableAnswer, screened: ScreenedEvidence = UNSCREENED) -> Released:
    """The sentence with its citations. It is supported because it is made of the cells that are quoted; the
    reason of the verdict is the SQL."""
    citations = tuple(make_citation(at, span, screened) for at, span in enumerate(found.spans, start=1))
    held = "\n".join(citation.quote for citation in citations)
    text = plain_pictures(strip_links(found.answer.text, held)[0])
    verdict = Verdict(Label.SUPPORTED, 1.0, Route.TABLE.value, found.answer.reckoned.sql)
    return Released(Sentence(text, tuple(c.marker for c in citations), verdict), citations)
