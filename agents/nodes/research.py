"""research: the plan of a report: what it is about, and its sections, each of which is noted by itself.

The sections are those that were asked for, or the headings under which the library speaks of the topic: a
plan that the documents bear out, where a model would make one up. Knows nothing of how a section is written.
"""

from dataclasses import asdict

from langgraph.runtime import Runtime
from langgraph.types import Send

from agents.asking import BUDGETS, Effort
from agents.context import AskContext
from agents.events import Retrieved, StatusChanged
from agents.gathering import find, find_hostile
from agents.records import read_scope
from agents.report import outline, topic_of
from agents.routing import Route
from agents.state import AskState
from core.text import detect_language
from core.types import Usage

LEAST_SECTIONS = 2
CHUNKS_PER_SECTION = 2
CARRIED = (
    "session_id", "question", "collection", "readers", "effort", "policy", "started", "language",
    "hostile", "wishes", "sections",
)  # fmt: skip
"""What a note needs of the state; the rest would be stored once for each."""


async def research(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `topic`, `sections` (as of `Section`), `hostile` and `route`; nothing where there are no
    two sections to write."""
    budget = BUDGETS[Effort(state["effort"])]
    request = state["queries"][0]
    topic, aspects = topic_of(request)
    runtime.stream_writer(StatusChanged("researching", topic))
    chunks = budget.hops * CHUNKS_PER_SECTION
    found = await find(runtime.context, [topic], read_scope(state), chunks)
    sections = outline(topic, aspects, found.to_the_point, budget.hops, detect_language(request))
    if len(sections) < LEAST_SECTIONS:
        return {}
    notes = tuple(dict.fromkeys([*state["notes"], *found.notes]))
    runtime.stream_writer(Retrieved(tuple(found.hits), tuple(s.question for s in sections), notes))
    return {
        "route": Route.RESEARCH.value,
        "topic": topic,
        "queries": [request, *(section.question for section in sections)],
        "sections": [{**asdict(section), "source": list(section.source)} for section in sections],
        "hostile": await find_hostile(runtime.context, topic, found.hits),
    }


def send_sections(state: AskState) -> list[Send] | str:
    """Each section to a note of its own, all at once; to the search where nothing was planned."""
    if not state["sections"]:
        return "gather"
    carried = {name: state[name] for name in CARRIED if name in state}
    begun = {"spent": asdict(Usage()), "timings_ms": {}, "outcome": {}, "recalled": ""}
    return [
        Send("note", {**carried, **begun, "number": number, "queries": [section["question"]]})
        for number, section in enumerate(state["sections"])
    ]
