"""A question of several parts as the questions it is made of. Rules over words, Chinese and English.

"The warranties of A and B" are two questions side by side. "The director of the company that makes A" is two,
one after the other: what is described must be found before it can be asked about. Pure; knows no search.
"""

import re
from dataclasses import dataclass
from itertools import product

from agents.keywords import segments
from core.text import detect_language

LONGEST = 300
"""Characters; what is longer is no question that rules take apart."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Questions that stand by themselves. With `then` there is one, whose answer goes into its `{}`."""

    questions: tuple[str, ...]
    then: str = ""


_END = re.compile(r"[？?。.！!\s]+$")
_AND_ZH = re.compile(r"\s*(?:以及|和|与|及|跟|同|、)\s*")
_AND_EN = re.compile(r"\s*(?:,\s*(?:(?:and|or)\s+)?|\s(?:and|or|with|versus|vs\.?|to)\s)\s*")
# Where two of a kind are asked about: what is in front of it is the list.
_EACH_ZH = re.compile(r"^(?:请问|请)?(?P<list>.{3,80}?)\s*(?:分别|各自|各(?=[是有为]))(?P<asked>.{1,60})$")
_UNLIKE_ZH = re.compile(
    r"^(?:请)?(?:比较|对比)(?:一下)?(?P<pair>.{3,80})$"
    r"|^(?P<two>.{3,80}?)(?:之间)?(?:的)?(?:有(?:什么|何|哪些))(?:区别|差别|差异|不同|异同)(?:之处)?$"
)
_WHICH_ZH = re.compile(
    r"^(?P<list>.{3,60}?)[，,]?\s*(?:哪[一]?[个款种家台]|谁)(?P<asked>(?:更|较|比较|最).{1,20})$"
)
_CLAUSE_ZH = re.compile(r"[，；;？?]\s*(?:并且|而且|以及|另外|同时|并|且|又)?")
_ASKS_ZH = re.compile("多少|多久|多长|多大|多高|什么|谁|哪|几|怎么|怎样|如何|为什么|何时|何地|是否|吗")
_KIND_ZH = "公司|企业|厂家|厂商|部门|机构|学校|大学|医院|城市|国家|地区|作者|导演|人|产品|机型|设备|项目|系统"
"|负责人|创始人|经理|客户|供应商|文件"
_BRIDGE_ZH = re.compile(
    rf"^(?:请问)?(?P<told>.{{2,40}}的(?:那[个家位款项种台])?(?P<kind>{_KIND_ZH}))的(?P<asked>.{{2,40}})$"
)
# No place: 潜在, 内在, 所在, 正在 and the like, 在线.
_WHERE_ZH = re.compile(r"^(?P<name>.*[^\s现存潜内外所实正])(?P<where>\s*在(?!线)[^的在]{2,12})$")

_SHARED_EN = re.compile(
    r"^(?P<head>.*\b(?:of|for|in|at|by|about|do|does|did|is|are|was|were|can|between"
    r"|compare))\s+(?P<list>(?:(?!\b(?:who|what|"
    r"when|where|which|why|how)\b).){3,80}?)(?P<tail>\s+(?:in|cost|weigh|last|have|offer|allow|differ|take"
    r"|need|say)\b.*)?$",
    re.IGNORECASE,
)
_LISTS_EN = re.compile(r"\b(?:respectively|both|each|compare|differences?|versus|vs)\b", re.IGNORECASE)
_UNLIKE_EN = re.compile(
    r"^(?:what (?:is|are) the |how do )?(?:compare|differences? between|comparison (?:of|between))\s+"
    r"(?P<pair>.{3,100})$",
    re.IGNORECASE,
)
_OF_PAIR_EN = re.compile(r"^(?P<asked>the .+?\b(?:of|for|in))\s+(?P<list>.+)$", re.IGNORECASE)
_WHICH_EN = re.compile(
    r"^(?P<asked>(?:which|who|what)\b.{3,60}?)[,:]\s*(?P<list>.{3,60}\bor\b.{2,40})$",
    re.IGNORECASE,
)
_CLAUSE_EN = re.compile(
    r",?\s+and\s+(?=(?:by\s+)?(?:who|what|when|where|which|why|how)\b)|[?;]\s+", re.IGNORECASE
)
_ASKS_EN = re.compile(r"\b(?:who|what|when|where|which|why|how)\b", re.IGNORECASE)
_POINTS_EN = re.compile(r"\b(?:it|its|they|them|their|he|she|his|her|this|that)\b", re.IGNORECASE)
_BRIDGE_EN = re.compile(
    r"^(?P<head>.{6,80}?\b(?:of|by|for|in|at|to|from|does|did|is|was))\s+(?:the"
    r"|an?)\s+(?P<kind>[\w-]+(?:\s[\w-]+){0,2}?)\s+"
    r"(?:that|which|who)\s+(?P<told>.{4,100})$",
    re.IGNORECASE,
)
_PLACED_EN = re.compile(
    r"^(?P<head>.{6,80}?\b(?:of|by|for|in|at|to|from|does|did|is|was))\s+(?:the"
    r"|an?)\s+(?P<kind>[\w-]+(?:\s[\w-]+){0,2}?)\s+"
    r"(?:where)\s+(?P<told>.{4,100})$",
    re.IGNORECASE,
)


def decompose(question: str, limit: int) -> Parts | None:
    """The parts of a question, at most `limit` of them; None where it is one question, or has more parts."""
    bare = _END.sub("", " ".join(question.split()))
    if limit < 2 or not bare or len(bare) > LONGEST:
        return None
    found = _of_chinese(bare) if detect_language(bare) == "zh" else _of_english(bare)
    if found is None or found.then:
        return found
    parts = tuple(dict.fromkeys(part for part in found.questions if segments(part)))
    return Parts(parts) if 2 <= len(parts) <= limit else None


def _of_chinese(bare: str) -> Parts | None:
    if match := _EACH_ZH.match(bare):
        return Parts(tuple(f"{thing}{match['asked']}？" for thing in _listed_zh(match["list"])))
    if match := _UNLIKE_ZH.match(bare):
        things = _listed_zh(match["pair"] or match["two"])
        return Parts(tuple(f"{thing}是什么？" if "的" in thing else f"{thing}？" for thing in things))
    if (match := _WHICH_ZH.match(bare)) and len(things := _AND_ZH.split(match["list"])) > 1:
        return Parts(tuple(f"{thing.strip()}{match['asked']}？" for thing in things))
    clauses = [clause for clause in _CLAUSE_ZH.split(bare) if clause.strip()]
    if len(clauses) > 1 and all(_ASKS_ZH.search(clause) for clause in clauses):
        subject = clauses[0].split("的")[0] if "的" in clauses[0] else ""
        whole = [clauses[0], *(c if segments(c)[1:] or not subject else f"{subject}{c}" for c in clauses[1:])]
        return Parts(tuple(f"{clause}？" for clause in whole))
    if match := _BRIDGE_ZH.match(bare):
        return Parts((f"{match['told']}是哪个？",), f"{{}}的{match['asked']}？")
    return None


def _listed_zh(text: str) -> list[str]:
    """ "A 和 B 的 X" is A 的 X, B 的 X; "A 的 X 和 Y" is A 的 X, A 的 Y."""
    owners, mark, owned = text.partition("的")
    things = [part.strip() for part in _AND_ZH.split(owners) if part.strip()]
    # "A 和 B 在中国的 X" is the X of both there.
    at = _WHERE_ZH.match(things[-1]) if len(things) > 1 else None
    if at and not any("在" in thing for thing in things[:-1]):
        things = [*(f"{thing}{at['where']}" for thing in things[:-1]), things[-1]]
    if not mark:
        return things
    traits = [part.strip() for part in _AND_ZH.split(owned) if part.strip()]
    return [f"{thing}的{trait}" for thing, trait in product(things, traits)]


def _of_english(bare: str) -> Parts | None:
    if match := _BRIDGE_EN.match(bare) or _PLACED_EN.match(bare):
        asks = "Where" if match.re is _PLACED_EN else f"Which {match['kind']}"
        first = f"{asks} {match['told']}?"
        return Parts((first,), f"{match['head']} {{}}?")
    clauses = [clause.strip() for clause in _CLAUSE_EN.split(bare) if clause and clause.strip()]
    if len(clauses) > 1 and all(_ASKS_EN.search(clause) for clause in clauses):
        first = clauses[0]
        whole = [first, *(f"{first} {c}" if _leans_on_another(c) else c for c in clauses[1:])]
        return Parts(tuple(f"{clause}?" for clause in whole))
    if match := _UNLIKE_EN.match(bare):
        inner = _OF_PAIR_EN.match(match["pair"])
        asked, listed = (inner["asked"], inner["list"]) if inner else ("", match["pair"])
        listed, _, trait = listed.partition(" in ")
        about = f"{asked} " if asked else ""
        return Parts(tuple(f"{about}{thing} {trait}".strip() + "?" for thing in _listed_en(listed)))
    if match := _WHICH_EN.match(bare):
        return Parts(tuple(f"{match['asked']} {thing}?" for thing in _listed_en(match["list"])))
    if _LISTS_EN.search(bare) and (match := _SHARED_EN.match(_LISTS_EN.sub("", bare).strip(" ,"))):
        tail = match["tail"] or ""
        return Parts(tuple(f"{match['head']} {thing}{tail}?" for thing in _listed_en(match["list"])))
    return None


def _listed_en(text: str) -> list[str]:
    return [part.strip() for part in _AND_EN.split(text) if part.strip()]


def _leans_on_another(clause: str) -> bool:
    return bool(_POINTS_EN.search(clause)) or len(segments(clause)) < 2
