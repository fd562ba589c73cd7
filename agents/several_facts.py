"""Does a question ask for several facts? Rules over the words of the question.

Such a question needs evidence for each of them, so it may read more. Pure.
"""

import re

from core.text import detect_language

_ZH = re.compile(
    "分别|各自|[和与及、].{0,12}(?:谁|多少|什么|哪|几|时间|地点|日期|金额|数量|原因|名称)"
    "|(?:时间|地点|日期|金额|数量|原因|名称|谁|多少|多久|多长|哪).{0,6}(?:和|与|以及|？|，).{0,16}"
    "(?:时间|地点|日期|金额|数量|原因|名称|谁|多少|多久|多长|哪|几|什么)"
    "|[一-鿿A-Za-z0-9]{2,}(?:和|与|及|、)[一-鿿A-Za-z0-9]{2,}.{0,14}(?:吗|多少|谁|什么|数量|时间|[？?])?$"
)
_EN = re.compile(
    r"\brespectively\b|\bboth\b|\beach of\b"
    r"|\b(?:who|what|when|where|which|why|how)\b.{3,}\b(?:and|or),?\s+(?:\w+\s+){0,2}"
    r"(?:who|what|when|where|which|why|how|may|is|are|was|were|does|do|did|by when)\b"
    r"|\bcompare\b|\bdifference between\b",
    re.IGNORECASE,
)


def asks_several_facts(question: str) -> bool:
    """Whether an answer must bring together more than one fact."""
    pattern = _ZH if detect_language(question) == "zh" else _EN
    return pattern.search(question.strip()) is not None
