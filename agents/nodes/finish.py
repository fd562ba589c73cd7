"""finish: the outcome becomes an Answer.

Says what was looked for when nothing was found. Knows nothing of how the answer was made.
"""

import time
from collections.abc import Sequence

from langgraph.runtime import Runtime

from agents.closing_words import (
    LIMITS,
    NEAREST,
    NOT_ALL,
    NOT_HELD,
    NOTHING_YET,
    REFUSED,
    STOPPED_AT,
    UNANSWERED,
)
from agents.context import AskContext
from agents.draft_stream import Fault
from agents.events import Finished, StatusChanged
from agents.guards.outgoing import strip_links
from agents.guards.speech_to_models import Speech, speech_of
from agents.records import read_answer, read_excerpt
from agents.routing import Route
from agents.state import AskState
from agents.unanswered import still_missing, unanswered_parts
from core.text import detect_language
from core.types import Answer, Status

MAX_NEAREST = 3
CUT_SHORT = Fault.CUT_SHORT.value


async def finish(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Emits `Finished`. An answer that a limit ended says so."""
    ended_by = runtime.context.allowance.ended_by
    if ended_by:
        runtime.stream_writer(StatusChanged(CUT_SHORT, ended_by))
    runtime.stream_writer(Finished(made_answer(state, ended_by)))
    return {}


def made_answer(state: AskState, ended_by: str = "") -> Answer:
    """The answer of a run whose outcome is known; `ended_by` is the limit that ended it."""
    passing = ("draft", "drafted", "broken_off", "mended", "abandoned")
    outcome = {name: value for name, value in state["outcome"].items() if name not in passing}
    outcome = outcome or _refused(state)
    is_told = state["route"] == Route.TOOL
    if not state["refusal"] and outcome["status"] == Status.ABSTAINED.value and not is_told:
        outcome["text"] = abstention_text(state)
    if outcome["status"] != Status.ABSTAINED.value:
        missing = still_missing(outcome, state)
        outcome = without_parts(outcome, missing, NOT_ALL[state["language"]])
        silent = [part for part in _unanswered(outcome, state) if part not in missing]
        outcome = without_parts(outcome, silent, UNANSWERED[state["language"]])
    if ended_by:
        outcome = cut_short(outcome, ended_by, state)
    total = round((time.time() - state["started"]) * 1000, 1)
    # Of the run, not of this moment: taken up again after a kill, it gives the same answer.
    identifier = state["run"]
    return read_answer(
        {
            **outcome,
            "id": identifier,
            "looked_for": [] if state["refusal"] or is_told else state["queries"],
            "route": state["route"],
            "policy": state["policy"],
            "timings_ms": {**state["timings_ms"], "total": total},
            "trace_id": identifier,
            "session_id": state["session_id"],
        }
    )


def _unanswered(outcome: dict, state: AskState) -> list[str]:
    """The parts that no sentence speaks of. A chain has one answer."""
    parts = [] if state.get("apart", {}).get("then") else state.get("parts", [])
    return unanswered_parts(state["queries"][0], parts, state.get("found", []), outcome) if parts else []


def without_parts(outcome: dict, parts: Sequence[str], words: str) -> dict:
    """The outcome of a question of which some parts are not answered, which the text names; as it is where
    there are none such."""
    if not parts:
        return outcome
    mark = "、" if detect_language(words) == "zh" else ", "
    said = words.format(parts=mark.join(parts))
    return {**outcome, "status": Status.PARTIAL.value, "text": f"{outcome['text']}\n\n{said}"}


def cut_short(outcome: dict, ended_by: str, state: AskState) -> dict:
    """The outcome of a question that met a limit: what is verified stays, and the text says that there may be
    more. An end by a limit never reads as if the documents did not hold the answer."""
    language, is_empty = state["language"], outcome["status"] == Status.ABSTAINED.value
    words = (NOTHING_YET if is_empty else STOPPED_AT)[language].format(limit=LIMITS[ended_by][language])
    return {
        **outcome,
        "status": Status.ABSTAINED.value if is_empty else Status.PARTIAL.value,
        "text": words if is_empty else f"{outcome['text']}\n\n{words}",
        "guarded": {**outcome.get("guarded", {}), CUT_SHORT: 1},
    }


def _refused(state: AskState) -> dict:
    """The outcome of a question that is not answered."""
    return {
        "status": Status.ABSTAINED.value,
        "text": REFUSED[state["refusal"]][state["language"]],
        "sentences": [],
        "citations": [],
        "withheld": [],
        "usage": state["spent"],
        "guarded": {f"refused_{state['refusal']}": 1},
    }


def abstention_text(state: AskState) -> str:
    """What the user reads when the documents do not hold the answer."""
    language = state["language"]
    mark = "、" if language == "zh" else ", "
    found = dict.fromkeys(read_excerpt(record).chunk.title for record in state["evidence"])
    titles = [strip_links(title, "")[0] for title in found if title and speech_of(title) is not Speech.ORDER]
    asked = (query.rstrip("？?。.！! ") for query in state["queries"])
    text = NOT_HELD[language].format(queries=mark.join(asked))
    if titles:
        text += NEAREST[language].format(titles=mark.join(titles[:MAX_NEAREST]))
    return text
