"""Questions that go on from the one before them: told by rule, and put together with it.

Pure. Knows words, Chinese and English; knows nothing of searching.
"""

import re
from collections.abc import Sequence

from agents.keywords import segments
from agents.tools.commands import is_command
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


def standalone_query(question: str, earlier: Sequence[str]) -> str:
    """The question as it can be searched for. One that refers back is put behind the last one
    that stands by itself: of "TM-20's warranty?", "and its weight?", "and its price?" the third is
    about the first."""
    if not earlier or not refers_back(question):
        return question
    subject = next((asked for asked in reversed(earlier) if not refers_back(asked)), earlier[-1])
    return f"{subject} {question}"


def refers_back(question: str) -> bool:
    """Whether a question cannot be understood without the one before it."""
    if is_command(question):
        return False
    pattern = _REFERS_BACK_ZH if detect_language(question) == "zh" else _REFERS_BACK_EN
    return bool(pattern.search(question.strip())) or len(segments(question)) < MIN_SEGMENTS
