"""plan: what is asked, in which language, and what to search for.

A follow-up is put together with the question before it by rule: that costs nothing and
is what the search legs need. Knows nothing of evidence.
"""

import re
from collections.abc import Sequence

from langgraph.runtime import Runtime

from agents.context import AskContext
from agents.events import StatusChanged
from agents.keywords import segments
from agents.state import AskState
from core.text import detect_language

_REFERS_BACK_ZH = re.compile(
    "^(?:那|那么|还有|另外|然后|而|其中)|它|其(?!他|它|中|实|余)|这个|这种|该|上述|前者|后者|呢[？?]?$"
)
_REFERS_BACK_EN = re.compile(
    r"^(?:and|but|what about|how about|then|also)\b"
    r"|\b(?:it|its|they|them|their|that one|this one|those|he|she|there)\b",
    re.IGNORECASE,
)
MIN_SEGMENTS = 1


async def plan(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `language` and `queries`."""
    runtime.stream_writer(StatusChanged("planning"))
    question = state["question"]
    earlier = [turn["question"] for turn in state.get("turns", [])]
    return {
        "language": detect_language(question),
        "queries": [standalone_query(question, earlier)],
        "timings_ms": {},
        "evidence": [],
        "signals": {},
        "outcome": {},
    }


def standalone_query(question: str, earlier: Sequence[str]) -> str:
    """The question as it can be searched for: with the one before it when it refers back."""
    if earlier and refers_back(question):
        return f"{earlier[-1]} {question}"
    return question


def refers_back(question: str) -> bool:
    """Whether a question cannot be understood without the one before it."""
    pattern = _REFERS_BACK_ZH if detect_language(question) == "zh" else _REFERS_BACK_EN
    return bool(pattern.search(question.strip())) or len(segments(question)) < MIN_SEGMENTS
