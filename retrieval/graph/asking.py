"""Which questions are worth a walk over entities: by rules over their words. Pure."""

import re

from core.text import detect_language
from retrieval.terms import simplify

_ASKS_EN = r"\b(?:who|whom|whose|which|what|where|when|how)\b"
_BACK_EN = r"\b(?:it|its|he|him|his|she|her|they|them|their|there|that (?:one|person|place|company))\b"
# Two questions, or two parts of one, of which the second speaks of what the first asks for; or a thing that
# is named only by what it has to do with another.
_HOPS_EN = re.compile(
    rf"{_ASKS_EN}.{{6,}}?(?:[?,;.]\s|\sand\s).{{0,80}}?{_BACK_EN}"
    r"|\bthe\s(?:[\w-]+\s){1,3}(?:that|which|who|whose|where)\s",
    re.IGNORECASE,
)
_HOPS_ZH = re.compile(
    "(?:谁|哪|什么|何|多少|几).{2,}?[？?，,；;。].{0,60}?(?:[它他她其该]|此人|[这那][家位个里座])"
    "|的[^，。？?的]{1,12}的[^，。？?的]{1,12}(?:是|在|有|叫|为)"
)
_RELATED_EN = re.compile(
    r"\bhow\b.{1,140}\b(?:related|connected|linked|associated|relates?)\b"
    r"|\b(?:relation(?:ship)?s?|connections?|links?|ties)\s.{0,20}?\bbetween\b"
    r"|\bwhat\b.{1,120}\b(?:to do|in common) with\b",
    re.IGNORECASE,
)
_RELATED_ZH = re.compile("[和与跟同及].{1,60}(?:有|是|之间|存在).{0,6}(?:关系|关联|联系)")
_NAME = "[^,，。？?]{1,60}?"
_PAIRS_EN = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bbetween\s({_NAME})\sand\s({_NAME})\s*[?.]?$",
        rf"\b(?:is|are|was|were)\s({_NAME})\s(?:related|connected|linked|associated)\s(?:to|with)\s({_NAME})\s*[?.]?$",
        rf"\b(?:is|are|was|were)\s({_NAME})\sand\s({_NAME})\s(?:related|connected|linked|associated)\b",
        rf"\b(?:does|do|did|has|have)\s({_NAME})\s(?:relate|have|to do|got)\b"
        rf"(?:\s(?:to|in|do|common|anything))*\s(?:with|to)\s({_NAME})\s*[?.]?$",
    )
)  # fmt: skip
_PAIR_ZH = re.compile(
    f"^(?:请问|请说明|说说)?({_NAME})[和与跟同及]({_NAME})(?:之间)?(?:有|是|存在)?(?:没有|什么|何|怎样|哪些)?的?(?:关系|关联|联系)"
)
# The whole of a question: "who built the link between A and B?" asks for something else, and so does a
# question that goes on. What is connected or linked may be so by a cable: the gate has a say there.
_TIE = "(?:relation(?:ship)?s?|ties)"
_KNOWN_ZH = "[^,，。？?谁哪]{1,60}?"
_ALONE_EN = re.compile(
    r"(?:please\s)?(?:(?:tell me|explain|describe|do you know|can you (?:tell me|explain))\s)?(?:"
    rf"how (?:is|are|was|were)\s{_NAME}\s(?:related|associated)(?:\s(?:to|with)\s{_NAME})?"
    rf"|how (?:does|do|did)\s{_NAME}\srelate\sto\s{_NAME}"
    rf"|what (?:is|are|was|were) the {_TIE} between\s{_NAME}"
    rf"|what {_TIE} (?:is|are|was|were) there between\s{_NAME}"
    rf"|(?:is|are|was|were) there (?:an?|any) {_TIE} between\s{_NAME}"
    rf"|what (?:does|do|did|has|have)\s{_NAME}\s(?:(?:have|got)\s)?to do with\s{_NAME})\s*[?.!]*",
    re.IGNORECASE,
)
_ALONE_ZH = re.compile(
    f"(?:请问|请说明|说说)?{_KNOWN_ZH}[和与跟同及]{_KNOWN_ZH}(?:之间)?(?:有|是|存在)?(?:没有|什么|何|怎样|哪些)?的?(?:关系|关联|联系)"
    "[吗呢么]?[？?。！!]*"
)


def asks_over_links(question: str) -> bool:
    """Whether what is asked for may lie behind something else: a question of several hops, or for
    what two things have to do with each other."""
    is_chinese = detect_language(question) == "zh"
    hops = _HOPS_ZH.search(simplify(question)) if is_chinese else _HOPS_EN.search(question)
    return hops is not None or asks_relation(question)


def asks_relation(question: str) -> bool:
    """Whether a question is for what two things have to do with each other."""
    is_chinese = detect_language(question) == "zh"
    related = _RELATED_ZH.search(simplify(question)) if is_chinese else _RELATED_EN.search(question)
    return related is not None


def asks_relation_alone(question: str) -> bool:
    """Whether a question asks how two things are related, and for nothing beside that."""
    asked = question.strip()
    is_chinese = detect_language(asked) == "zh"
    whole = _ALONE_ZH.fullmatch(simplify(asked)) if is_chinese else _ALONE_EN.fullmatch(asked)
    return whole is not None and related_pair(asked) is not None


def related_pair(question: str) -> tuple[str, str] | None:
    """The two things that a question relates, as it writes them; None when it is put otherwise."""
    asked = question.strip()
    if not asks_relation(asked):
        return None
    if detect_language(asked) == "zh":
        found = [_PAIR_ZH.search(simplify(asked))]
    else:
        found = [pattern.search(asked) for pattern in _PAIRS_EN]
    match = next((match for match in found if match is not None), None)
    # From the question itself: simplified characters stand at the same places.
    return None if match is None else tuple(asked[slice(*match.span(at))].strip() for at in (1, 2))
