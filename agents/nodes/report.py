"""report: the notes of all sections become one report in Markdown, with one list of sources.

Every sentence was checked when its section was noted; here nothing is written but headings. What it rests
on is looked at once more as its reader may read it now, for notes may be of an hour ago. Knows the form of a
report; knows nothing of searching.
"""

import asyncio

from langgraph.runtime import Runtime

from agents.closing_words import WITHDRAWN
from agents.context import AskContext
from agents.events import StatusChanged
from agents.records import read_scope
from agents.report import cited_by, compose, withdraw
from agents.standing import find_each
from agents.state import AskState
from core.errors import NotFoundError
from core.seams import VectorStore
from core.types import Citation, Scope, Status

GONE = "withdrawn"


async def report(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `outcome`, and `missing`: sections that were asked for and that the library has nothing for. What
    does not stand any more is left out, and the text says so."""
    runtime.stream_writer(StatusChanged("reporting", state["topic"]))
    noted = [state["noted"][key] for key in sorted(state["noted"], key=int)]
    store, scope = runtime.context.retriever.store, read_scope(state)
    noted, lost = withdraw(noted, *await asyncio.to_thread(_stands, store, scope, noted))
    outcome = compose(state["topic"], state["language"], noted)
    if lost and outcome["status"] != Status.ABSTAINED.value:
        titles = ("、" if state["language"] == "zh" else ", ").join(lost)
        words = WITHDRAWN[state["language"]].format(count=lost.total(), titles=titles)
        text, status = f"{outcome['text']}\n\n{words}", Status.PARTIAL.value
        outcome = {**outcome, "text": text, "status": status}
    if lost:
        outcome = {**outcome, "guarded": {**outcome["guarded"], GONE: lost.total()}}
    empty = [one["title"] for one in noted if one["wanted"] and not one["outcome"]["sentences"]]
    return {"outcome": outcome, "missing": [title for title in empty if title not in lost]}


def _stands(store: VectorStore, scope: Scope, noted: list[dict]) -> tuple[list[Citation | None], set[str]]:
    """What the notes cite as it is now, and which of the chunks that they were shown are gone."""
    citations = cited_by(noted)
    shown = list(dict.fromkeys(chunk for one in noted for chunk in one.get("shown", ())))
    try:
        there = {chunk.id for chunk in store.get_chunks(scope, shown)} if shown else set()
        return find_each(store, scope, citations), set(shown) - there
    except NotFoundError:  # the collection is gone
        return [None] * len(citations), set(shown)
