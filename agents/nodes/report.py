"""report: the notes of all sections become one report in Markdown, with one list of sources.

Every sentence was checked when its section was noted; here nothing is written but headings. What it rests
on is looked at once more as its reader may read it now, for notes may be of an hour ago; and so are the
documents whose headings are titles of sections. Knows the form of a report; knows nothing of searching.
"""

import asyncio
from dataclasses import asdict

from langgraph.runtime import Runtime

from agents.closing_words import UNNAMED, WITHDRAWN
from agents.context import AskContext
from agents.events import StatusChanged
from agents.records import read_scope
from agents.report import cited_by, compose, usage_of, withdraw
from agents.standing import find_each
from agents.state import AskState
from core.errors import NotFoundError
from core.seams import VectorStore
from core.types import Citation, Scope, Status, Usage

GONE = "withdrawn"


async def report(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `outcome`, `missing`: sections that were asked for and that the library has nothing for, and
    `queries`: those of the sections that stand. What does not stand any more is left out, and the text says
    so."""
    runtime.stream_writer(StatusChanged("reporting", state["topic"]))
    noted = [state["noted"][key] for key in sorted(state["noted"], key=int)]
    store, scope = runtime.context.retriever.store, read_scope(state)
    usage = Usage(**state["spent"]).plus(usage_of(noted))
    noted, lost = withdraw(noted, *await asyncio.to_thread(_stands, store, scope, noted))
    language = state["language"]
    outcome = {**compose(state["topic"], language, noted), "usage": asdict(usage)}
    if lost and outcome["status"] != Status.ABSTAINED.value:
        titles = ("、" if language == "zh" else ", ").join(title or UNNAMED[language] for title in lost)
        words = WITHDRAWN[language].format(count=lost.total(), titles=titles)
        text, status = f"{outcome['text']}\n\n{words}", Status.PARTIAL.value
        outcome = {**outcome, "text": text, "status": status}
    if lost:
        outcome = {**outcome, "guarded": {**outcome["guarded"], GONE: lost.total()}}
    empty = [one["title"] for one in noted if one["wanted"] and not one["outcome"]["sentences"]]
    missing = [title for title in empty if title not in lost]
    queries = [state["queries"][0], *(one["question"] for one in noted)]
    return {"outcome": outcome, "missing": missing, "queries": queries}


def _stands(store: VectorStore, scope: Scope, noted: list[dict]) -> tuple[list[Citation | None], set[str]]:
    """What the notes cite as it is now, and which of the chunks that they were shown, or have their titles
    from, are gone."""
    citations = cited_by(noted)
    of_each = ((*one.get("shown", ()), *one.get("source", ())) for one in noted)
    shown = list(dict.fromkeys(chunk for chunks in of_each for chunk in chunks))
    try:
        there = {chunk.id for chunk in store.get_chunks(scope, shown)} if shown else set()
        return find_each(store, scope, citations), set(shown) - there
    except NotFoundError:  # the collection is gone
        return [None] * len(citations), set(shown)
