"""report: the notes of all sections become one report in Markdown, with one list of sources.

Every sentence was checked when its section was noted; here nothing is written but headings. Knows the form of
a report; knows nothing of searching.
"""

from langgraph.runtime import Runtime

from agents.context import AskContext
from agents.events import StatusChanged
from agents.report import compose
from agents.state import AskState


async def report(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `outcome`, and `missing`: sections that were asked for and that the library has nothing for."""
    runtime.stream_writer(StatusChanged("reporting", state["topic"]))
    noted = [state["noted"][key] for key in sorted(state["noted"], key=int)]
    empty = [one["title"] for one in noted if one["wanted"] and not one["outcome"]["sentences"]]
    return {"outcome": compose(state["topic"], state["language"], noted), "missing": empty}
