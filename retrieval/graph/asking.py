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
# question that goes on.
_PLEASE_EN = r"(?:please\s)?(?:(?:tell me|explain|describe|do you know|can you (?:tell me|explain))\s)?"
_BE, _DO = "(?:is|are|was|were)", "(?:does|do|did|has|have)"
_EACH_OTHER = r"(?:\s(?:to|with)\s(?:each other|one another))?"
# How they are to be joined, or to be met, asks for something else: 怎么关联, 怎么联系.
_KNOWN_ZH = "(?:(?!怎么|怎样|如何)[^,，。？?谁哪]){1,60}?"
_TIE_ZH = "(?:关系|关联|联系)"
_ALONE_ZH = re.compile(
    "(?:请问|请说明|说说|请?介绍一下|说明一下|我想知道)?"
    f"({_KNOWN_ZH})(?:是否|是不是)?[和与跟同及]({_KNOWN_ZH})(?:之间)?(?:"
    f"(?:有|是|存在)?(?:没有|无|什么|何|怎样|哪些)?的?{_TIE_ZH}"
    f"|的{_TIE_ZH}(?:是什么|是怎么?样的|如何|怎么?样)"
    "|(?:是否|是不是)?(?:相关|有关(?=[吗呢么？?])|有关$)"
    f"|是(?:怎么|怎样|如何){_TIE_ZH}(?:在一起|起来)?的"
    ")[吗呢么啊呀]?[？?。！!]*"
)


def _alone_en(joined: str, joins: str, tie: str) -> tuple[re.Pattern[str], ...]:
    """Questions for how two things are related, in these words; the two are the groups."""
    one, other = f"({_NAME})", f"({_NAME})"
    forms = (
        rf"how {_BE}\s{one}\sand\s{other}\s{joined}{_EACH_OTHER}",
        rf"(?:how|in (?:what|which) ways?) {_BE}\s{one}\s{joined}\s(?:to|with)\s{other}",
        rf"{_BE}\s{one}\sand\s{other}\s{joined}{_EACH_OTHER}",
        rf"{_BE}\s{one}\s{joined}\s(?:to|with)\s{other}",
        rf"what (?:{_BE} the {tie}|{tie} {_BE} there) between\s{one}\sand\s{other}",
        rf"{_BE} there (?:an?|any) {tie} between\s{one}\sand\s{other}",
        rf"what {tie} {_DO}\s{one}\s(?:have\s)?(?:to|with)\s{other}",
        rf"what {_BE}\s{one}['’]s?\s{tie}\s(?:to|with)\s{other}",
        *joins.replace("ONE", one).replace("OTHER", other).split("\n"),
    )
    return tuple(re.compile(f"{_PLEASE_EN}(?:{form})\\s*[?.!]*", re.IGNORECASE) for form in forms)


_ALONE_EN = _alone_en(
    "(?:related|associated)",
    rf"how {_DO}\sONE\sand\sOTHER\srelate{_EACH_OTHER}"
    "\n"
    rf"how {_DO}\sONE\srelate\s(?:to|with)\sOTHER"
    "\n"
    rf"what {_DO}\sONE\s(?:(?:have|got)\s)?to do with\sOTHER",
    "(?:relation(?:ship)?s?|ties|associations?)",
)
# By a cable, a road, or a word that leads to a page: of what has neither kin nor owners the gate has a say.
_BY_ANYTHING_EN = _alone_en(
    "(?:connected|linked)", r"what (?:connects|links)\sONE\s(?:and|to|with)\sOTHER", "(?:connections?|links?)"
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
    return related is not None or asks_relation_alone(question)


def asks_relation_alone(question: str) -> bool:
    """Whether a question asks how two things are related, and for nothing beside that."""
    return _alone(question.strip()) is not None


def may_mean_a_cable(question: str) -> bool:
    """Whether such a question is put in words that things without kin or owners have, too."""
    asked = question.strip()
    return detect_language(asked) != "zh" and any(form.fullmatch(asked) for form in _BY_ANYTHING_EN)


def related_pair(question: str) -> tuple[str, str] | None:
    """The two things that a question relates, as it writes them; None when it is put otherwise."""
    asked = question.strip()
    if not asks_relation(asked):
        return None
    if (match := _alone(asked)) is None:
        if detect_language(asked) == "zh":
            found = [_PAIR_ZH.search(simplify(asked))]
        else:
            found = [pattern.search(asked) for pattern in _PAIRS_EN]
        match = next((match for match in found if match is not None), None)
    # From the question itself: simplified characters stand at the same places.
    return None if match is None else tuple(asked[slice(*match.span(at))].strip() for at in (1, 2))


def _alone(asked: str) -> re.Match[str] | None:
    if detect_language(asked) == "zh":
        return _ALONE_ZH.fullmatch(simplify(asked))
    found = (form.fullmatch(asked) for form in (*_ALONE_EN, *_BY_ANYTHING_EN))
    return next((match for match in found if match is not None), None)
