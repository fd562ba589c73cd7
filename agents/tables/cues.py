"""Words that say what is to be done with cells, in Chinese and English. Pure."""

import re
from enum import StrEnum


class Operation(StrEnum):
    """What is done with the cells."""

    CELLS = "cells"
    SUM = "sum"
    AVERAGE = "average"
    DIFFERENCE = "difference"
    PERCENT_CHANGE = "percent_change"
    RATIO = "ratio"
    SHARE = "share"
    COUNT = "count"
    FILTER = "filter"
    HIGHEST = "highest"
    LOWEST = "lowest"
    NAMES = "names"


_CUES = (
    (
        Operation.PERCENT_CHANGE,
        r"(?:percent(?:age)?|%)\s*(?:of\s+)?(?:change|increase|decrease|growth|decline|difference)"
        r"(?:\s*/?\s*\(?(?:increase|decrease)\)?)?"
        r"|(?:change|increase|decrease|growth|decline)[^?]{0,60}"
        r"\b(?:in percent(?:age)?|as a percent(?:age)?|by what percent(?:age)?)\b"
        r"|growth rate|rate of (?:growth|change)",
        "增长率|增长了?百分之|增幅|降幅|下降率|变动率|变化率|变动比例"
        "|(?:增长|下降|变动|变化|增加|减少)的?(?:比例|百分比|幅度)",
    ),
    (
        Operation.SHARE,
        r"as an? (?:percent(?:age)?|share) of|(?:percent(?:age)?|share) of|in percent(?:age)?",
        "占[^，。？?]{1,30}的?(?:比例|比重|多少|几成)",
    ),
    (
        Operation.RATIO,
        r"\bratio\b(?: (?:of|between))?|\bas an? proportion of|\bproportion of",
        "之比|比值|比率|是[^，。？?]{1,20}的?(?:几|多少)倍",
    ),
    (
        Operation.AVERAGE,
        r"\b(?<!weighted[ -])(?:average|mean)\b(?:\s+(?:value|amount)s?\s+of)?",
        "平均值?|均值",
    ),
    (
        Operation.DIFFERENCE,
        r"\bdifferences?\b(?:\s+(?:in|of|between))?|\bchanges?\b(?:\s+in)?"
        r"|\b(?:increase|decrease|growth|decline)\b(?:\s*/?\s*\(?(?:increase|decrease)\)?)?(?:\s+(?:in|of))?"
        r"|how much (?:more|less|higher|lower|greater)|exceed\w*",
        "相差|差额|差值|差异|之差|差多少|多多少|少多少|多了|少了|(?:增长|增加|减少|下降|变动|变化)了?多少",
    ),
    (
        Operation.HIGHEST,
        r"\b(?:highest|largest|biggest|greatest|maximum|most|higher|larger|bigger|greater|max|top)\b",
        "最高|最大|最多|最长|最重|更高|更大|更多|前[一二三四五六七八九十0-9]",
    ),
    (
        Operation.LOWEST,
        r"\b(?:lowest|smallest|least|minimum|fewest|lower|smaller|less|min)\b",
        "最低|最小|最少|最短|最轻|更低|更小|更少",
    ),
    (
        Operation.SUM,
        r"\b(?:the )?(?:sum|combined(?: total)?|total (?:amount|value|sum)s?)(?:\s+of)?\b"
        r"|\btotal\b|\baltogether\b",
        "总和|之和|加起来|合计|总计|总额|一共|总共",
    ),
    (
        Operation.COUNT,
        r"\bhow many\b|\bnumber of (?:years|quarters|times)\b",
        "(?:多少|几)[个家项次种年位名]",
    ),
)
_ITEMS = "components?|items?|categor(?:y|ies)|types?|kinds?|elements?|sub-?items?|classes"
_NAMING = re.compile(
    r"\b(?:which|what) (?:fiscal )?years\b(?: (?:are|were|was|is|does|did|do)\b)?"
    r"(?=.*\b(?:provid|calculat|record|includ|report|present|shown|listed|cover|compar|given|table)\w*)"
    rf"|\b(?:what|which)(?: (?:are|were)(?: the)?)?(?: different| various| main)?(?: \w+)? (?:{_ITEMS})\b"
    rf"|\bhow many(?: different)? (?:{_ITEMS})\b"
    "|哪[些几]个?年度?|(?:包括|包含|分为|有)哪[些几](?:[个种项类]|部分)?",
    re.IGNORECASE,
)
_COMPILED = tuple(
    (operation, re.compile(f"{english}|{chinese}", re.IGNORECASE)) for operation, english, chinese in _CUES
)


def find_cues(text: str) -> tuple[tuple[Operation, str], ...]:
    """The operations that a question's words may mean, the surest first, each with those words."""
    found = ((operation, cue.search(text)) for operation, cue in _COMPILED)
    return tuple((operation, match[0]) for operation, match in found if match)


def find_naming(text: str) -> str:
    """The words by which a question asks for labels: which years, which items; empty for none."""
    found = _NAMING.search(text)
    return found[0] if found else ""
