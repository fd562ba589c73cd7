"""Questions that are answered by reckoning alone, in Chinese and English.

"What is 18% of 2,340?", 从2024-03-01到2025-01-15有多少天, 三万五千的12%是多少, convert 5 km to miles. A
question is one only when every word of it is understood: what asks of anything that stands in
documents is none. Pure.
"""

import re
from datetime import date

from agents.reckoning.calculation import Calculation, calculation
from agents.reckoning.expression import work_out
from agents.reckoning.forms import FORMS, NotSo
from agents.reckoning.reading import MAX_CHARS, plain_text
from core.errors import InputError
from core.text import detect_language

_COURTESY = re.compile(
    r"^(?:请问|请|帮我|麻烦|给我)*(?:计算|算一下|算算|算|换算|求)?(?:一下)?[:,\s]*"
    r"|^(?:please |can you |could you |hi[ ,]+|hello[ ,]+)*(?:(?:tell me|calculate|compute|work out"
    r"|evaluate|find) )?"
    r"(?:what(?:'s| is| are)|how much (?:is|are)|what does)?\s+",
)
_ASKS = re.compile(
    r"\s*(?:(?:等于|是|为|=|一共是|共|合)\s*(?:多少|几)?|多少|(?:equals?|is|make)\s*(?:what|how much)?"
    r"|=)?\s*[?.!。]*$"
)
_ASKED = re.compile(
    r"\b(?:what|how (?:much|many|long)|calculate|compute|work out|evaluate|convert)\b|=|多少"
    r"|几[天周年个]|等于|计算|算|换算|星期几|周几|求"
)
_NUMBERED = re.compile(
    r"[\d零〇一二两三四五六七八九十百千万亿半]|[今明昨]天|\b(?:one|two|three|four|five|six|seven|eight"
    r"|nine|ten|twelve|half|third|hundred|today)"
)
"""What holds none of these is asked of documents."""
_OPERATED = re.compile(
    r"[+*×÷^%]|\S\s+[-/]\s+\S|乘|除以|加|减|\b(?:plus|minus|times|divided by|mod)\b|的|\b(?:sqrt|min"
    r"|max|sum|average|abs|round)\(|\dx\d|\d\s+of\s+[\d$€£¥]"
)
_LEFT_ALONE = re.compile(r"^[\d\-/.:]+$")
"""24/7, 9-11 and the like are no question."""


def read_calculation(question: str, today: date) -> Calculation | None:
    """The answer to a question that asks for nothing but reckoning; None for every other one."""
    folded = _folded(question)
    if len(folded) > MAX_CHARS or not _NUMBERED.search(folded):
        return None
    try:
        found = _by_form(folded, today, detect_language(question))
        if found is None and (
            _ASKED.search(folded) or (_OPERATED.search(folded) and not _LEFT_ALONE.match(folded))
        ):
            found = _plainly(folded, today, detect_language(question))
    except InputError:
        return None
    return found if found is not None and found.steps else None


def calculate(text: str, today: date) -> Calculation:
    """The value of an expression or of a question that can be reckoned. Raises InputError."""
    folded, language = _folded(text), detect_language(text)
    if len(folded) > MAX_CHARS:
        raise InputError(f"an expression has at most {MAX_CHARS} characters", remedy="cut it into several")
    return _by_form(folded, today, language) or _plainly(folded, today, language)


def _folded(text: str) -> str:
    return " ".join(plain_text(text).split()).rstrip("?.!。 ")


def _by_form(folded: str, today: date, language: str) -> Calculation | None:
    """By the first form whose words are there and whose parts are what they should be. Where they are
    not for any, the first one's reason is told, unless none fits."""
    fault: InputError | None = None
    for pattern, answer in FORMS:
        if match := pattern.fullmatch(folded):
            try:
                return answer(match, today, language)
            except NotSo:
                continue
            except InputError as exc:
                fault = fault or exc
    if fault is not None and not _is_expression(folded, today):
        raise fault
    return None


def _is_expression(folded: str, today: date) -> bool:
    try:
        _plainly(folded, today, "en")
    except InputError:
        return False
    return True


def _plainly(folded: str, today: date, language: str) -> Calculation:
    bare = _ASKS.sub("", _COURTESY.sub("", folded)).strip()
    worked = work_out(bare, today)
    return calculation(bare, worked.value, worked.steps, language)
