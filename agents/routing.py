"""Which way a question goes: rules over its words, in Chinese and English.

Rules first, for they cost nothing and never make a way up: a small model is not asked which tool to use.
Where no rule decides, the chat model may be asked for a plan (agents/planner.py). A way that is not
built, or that the effort does not allow, falls to the search; the graph knows which are (agents/graph.py).
Pure; knows no nodes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from agents.reckoning.spoken import read_calculation
from agents.several_facts import asks_several_facts
from agents.small_talk import small_talk_of
from agents.tools.commands import is_command
from core.text import detect_language
from retrieval.graph.asking import asks_relation_alone


class Route(StrEnum):
    """The ways to an answer."""

    CHAT = "chat"
    FAQ = "faq"
    SEARCH = "search"
    RELATED = "related"
    HOPS = "hops"
    TABLE = "table"
    TOOL = "tool"
    RESEARCH = "research"


@dataclass(frozen=True, slots=True)
class Choice:
    """A way, and by which rule."""

    route: Route
    why: str


_REPORT = {
    "zh": "^.{0,8}(?:写|生成|出|做|给|整理|提供|起草).{0,8}(?:一[份篇个])?.{0,20}(?:报告|综述|调研|白皮书)"
    "|(?:全面|系统|深入|详细)地?(?:梳理|总结|分析|调研|研究|介绍|综述)"
    "|(?:调研|研究)报告[。！]?$",
    "en": r"\b(?:write|prepare|draft|produce|create|compile|give|make)\b.{0,40}\b(?:report|overview|survey"
    r"|white ?paper|briefing|dossier)\b"
    r"|\b(?:comprehensive|in-depth|thorough|detailed)\s+(?:report|overview|analysis|survey|review|summary"
    r"|study)\b"
    r"|\bresearch (?:report )?on\b",
}
# Reports are things that documents speak of, too: "who writes the annual report?" asks for one fact.
_ONE_FACT = {
    "zh": "^(?:请问)?.{0,2}(?:谁|哪|何时|什么|如何|怎么|怎样|为什么)"
    "|^(?!请(?!问)|帮我|麻烦|全面|深入|写一|给我).*(?:谁|什么|多少|多久|多长|何时|哪[里儿天个些位]|几[一-鿿]).{0,4}?[？?。！!]*$",
    "en": r"^(?:who|whom|whose|what|which|when|where|why|how|does|did|is|are|was|were|has|had|must|should)\b"
    r"|^(?:do|have|may) (?:i|we|you|they|all|any)\b",
}
_OVER_ROWS = {
    "zh": "平均(?:值|数|是|为|每|价|工资|年龄)|(?:合计|总计|总和|总额|总数|累计|求和)|(?:一共|总共"
    "|共)有?(?:多少|几)|(?:最[高低大小多少长短早晚])的?.{0,10}(?:是哪|是谁|有哪|哪[个家些款项年月位])"
    "|哪.{1,10}最[高低大小多少长短早晚]|排名|前\\s*[\\d一二三四五六七八九十]+\\s*[名位个家]|(?:大于|超过|高于"
    "|低于|小于|不足).{0,14}的?(?:有(?:哪些|几|多少)|哪些)",
    "en": r"\b(?:average|mean|median|sum|total (?:number|amount|of|sales|revenue|cost|price))\b|\bin total\b"
    r"|\b(?:which|what|who)\b.{1,50}\b(?:highest|lowest|largest|smallest|most|fewest|least|longest|shortest"
    r"|cheapest)\b"
    r"|\btop (?:\d+|three|five|ten)\b|\bhow many\b.{1,40}\b(?:more|less|fewer|greater|higher|lower) than\b"
    r"|\branked?\b",
}
_COMPARED = {
    "zh": "比较|对比|相比|比起来|区别|差别|差异|不同之处|异同|各自",
    "en": r"\b(?:compare|comparison|versus|vs)\b",
}
# A thing that is not named but described: it must be found before what is asked of it.
_DESCRIBED = {
    "zh": "的(?:那[个家位款项种]|(?:公司|企业|部门|作者|人|导演|产品|机型|城市|国家|学校|组织|项目|负责人"
    "|创始人|经理))的.{1,16}",
    "en": r"\bof (?:the|an?) [\w -]{2,40}? (?:that|which|who|whose|where)\b"
    r"|\bof the [\w-]+ of (?:the )?\w|\b(?:the|an?) [\w-]+ (?:that|which|who|whose) .{3,60}? (?:is|was|has"
    r"|did|does|located|born)\b",
}


def _by_words(patterns: dict[str, str]) -> Callable[[str], bool]:
    compiled = {language: re.compile(words, re.IGNORECASE) for language, words in patterns.items()}
    return lambda question: bool(compiled[detect_language(question)].search(question))


_speaks_of_report, asks_one_fact = _by_words(_REPORT), _by_words(_ONE_FACT)


def asks_for_report(question: str) -> bool:
    """Whether a report is wanted, and not a fact about one."""
    return _speaks_of_report(question) and not asks_one_fact(question)


def asks_for_calculation(question: str) -> bool:
    """Whether it asks for nothing but reckoning: one word of anything else, and it is searched."""
    return read_calculation(question, date.today()) is not None


RULES: tuple[tuple[Route, str, Callable[[str], bool]], ...] = (
    (Route.CHAT, "small talk and nothing else", lambda question: small_talk_of(question) is not None),
    (Route.RESEARCH, "asks for a report", asks_for_report),
    (Route.TOOL, "calls a tool by name", is_command),
    (Route.TOOL, "asks for a calculation", asks_for_calculation),
    (Route.RELATED, "asks how two things are related", asks_relation_alone),
    (Route.TABLE, "asks about many rows", _by_words(_OVER_ROWS)),
    (Route.HOPS, "asks of a thing that is described", _by_words(_DESCRIBED)),
    (Route.HOPS, "asks for a comparison", _by_words(_COMPARED)),
    (Route.HOPS, "asks for several facts", asks_several_facts),
)
"""The first that fits decides."""
UNDECIDED = "no rule says otherwise"


def classify(question: str) -> Choice:
    """The way of a question that stands by itself; the search where no rule says otherwise. A question of
    fact is never small talk, whatever greeting stands before it."""
    asked = question.strip()
    fitting = (Choice(route, why) for route, why, fits in RULES if fits(asked))
    return next(fitting, Choice(Route.SEARCH, UNDECIDED))
