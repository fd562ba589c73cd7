"""Numbers with their units of measure, as texts in Chinese and English write them.

Pure functions; knows nothing of evidence or of claims.
"""

import re
import unicodedata

from core.text import detect_language
from core.wording import fold, numbers

_UNITS = {
    "day": "天|日(?!元)|days?|working days?|工作日|个工作日",
    "week": "周|星期|weeks?",
    "month": "个月|months?",
    "year": "年|years?",
    "hour": "小时|个小时|hours?|hrs?|h(?![a-z])",
    "minute": "分钟|minutes?|min(?![a-z])",
    "second": "秒|seconds?|s(?![a-z])",
    "percent": "%|％|percent",
    "kg": "公斤|千克|kg",
    "degree": "°c|℃|度|degrees?",
    "metre": "米|metres?|meters?|m(?![a-z²³/])",
    "millimetre": "毫米|mm",
}
_QUANTITY = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)[\s-]*(?:"
    + "|".join(f"(?P<{name}>{pattern})" for name, pattern in _UNITS.items())
    + ")"
)


def quantities(text: str) -> set[tuple[float, str]]:
    """(value, unit) for every number that is followed by a known unit of measure."""
    folded = fold(_spell_digits(text))
    found = set()
    for match in _QUANTITY.finditer(folded):
        unit = next(name for name in _UNITS if match[name])
        found.add((float(match["number"]), unit))
    return found


def _spell_digits(text: str) -> str:
    """Chinese numerals before a unit as digits: 十八个月 as 18个月."""
    def spell(match: re.Match) -> str:
        values = numbers(match.group())
        return f"{values.pop():g}" if len(values) == 1 else match.group()

    text = unicodedata.normalize("NFKC", text)
    if detect_language(text) != "zh":
        return _ENGLISH_NUMBER.sub(spell, text)
    return _CHINESE_NUMBER.sub(spell, text)


_CHINESE_NUMBER = re.compile("[零一二两三四五六七八九十百壹贰叁肆伍陆柒捌玖拾佰]+(?=个?[工月年天日小分周])")
_ENGLISH_NUMBER = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen|eighteen"
    r"|twenty|thirty|sixty|ninety)\b(?=[\s-])",
    re.IGNORECASE,
)
