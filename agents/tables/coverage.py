"""How much of a question the labels of a table leave unexplained: what speaks against a plan.

Words that only ask (请问, 辛苦告诉我下, do you know) are no part of what is asked. Pure; word lists for
Chinese and English.
"""

import re
from difflib import SequenceMatcher

from core.text import CJK
from retrieval.terms import query_terms

_NOISE_ZH = re.compile(
    "请问一?下?|请查一?下?|请告知|请告诉我?|麻烦|辛苦|帮我|帮忙|查一?下|查询|告诉|告知|我想要?知道|我想要?了解"
    "|想要?知道|想要?了解|想问|你?知道|你?了解|你?清楚|能讲一?下|能否|能说|说一?下|讲一?下|可以|听说|你好|您好"
    "|目前|现在|具体|到底|究竟|应该|一共|总共|分别|各自|各是|各有|各为|都是|都有|是多少|有多少|为多少|多少钱?"
    "|多高|多大|多长|几何|什么|怎么样|怎样|怎么|如何|哪一?[些个家位种年天里儿]|何[时处地]|谁|啥|[吗呢吧啊呀嘛么]"
    "|该公司|这家公司|本公司|本企业|该企业|公司|企业|对应|相应|其中|时候|以及|情况|所|的|是|有|在|和|与|及|为"
    "|了|对|将|其|中|内|于|把|给|从|到|这[些个位种两]*|那[些个]?|每?各[个项类]?|我|你|下|请|想要?|问|查|呀|哪|几"
)
_NOISE_EN = frozenset(
    re.findall(
        r"\w+",
        "company compani respect respectively year end amount valu number period report fiscal s both "
        "respective financi item row column tabl shown show given did do doe much end begin group "
        "compar correspond situat detail specif generat incur obtain "
        "fy nomin absolut chronolog "
        "provid inform includ consist contain calculat record list present disclos",
    )
)
_HOW = re.compile(r"\bhow (?:long|high|large|tall|big)\b")
_FRAME_EN = re.compile(
    r"^\W*(?:(?:hello|hi|excuse me|please|sorry)\b"
    r"|(?:do|can|could|would|will) you (?:please |kindly )?"
    r"(?:know|(?:tell|show|give|inform) (?:me|us)|check|find)\b"
    r"|(?:tell|show|give) (?:me|us)\b|let (?:me|us) know\b"
    r"|(?:can |could )?(?:you )?help(?: me| us)?(?: to)? (?:check|find|look up|see)(?: out)?\b"
    r"|(?:check|find|look up)(?: out)?(?: for (?:me|us))?\b[.,:]?(?= (?:what|how|which|who|when|the\b))"
    r"|check for (?:me|us)\b|may i (?:ask|know)\b"
    r"|(?:i |we |i['’]d |we['’]d )?(?:would )?(?:like|want|wish) to "
    r"(?:know|ask|check|see|learn|understand|inquire|find out)(?: about)?\b)",
    re.IGNORECASE,
)


def without_frame(text: str) -> str:
    """An English question without the words that lead up to it: "Do you know what …", "Help me check …"."""
    while found := _FRAME_EN.match(text):
        text = text[found.end() :]
    return text.lstrip(" ,.:;") if text.strip(" ,.:;?？") else ""


def terms_of(text: str) -> frozenset[str]:
    """What a question or a label, in its normal form, speaks of."""
    return frozenset(term for term in query_terms(text) if not term.startswith("="))


def uncovered(text: str, language: str, covered: frozenset[str], cue: str, labels: str = "") -> float:
    """The share of a question's own words (in their normal form) that neither the table, whose terms are
    `covered`, nor the asking (`cue`) explains. Of `labels`, those that were chosen, each Chinese character
    explains itself: 持有多少股 asks for 持股数."""
    text = _HOW.sub(" ", text.replace(cue, " ") if cue else text)
    if language == "zh":
        return _uncovered_zh(text, covered, labels)
    words = [term for term in terms_of(text) if term not in _NOISE_EN and len(term) > 1]
    return sum(word not in covered for word in words) / len(words) if words else 0.0


def contradicts(label: str, text: str, covered: frozenset[str]) -> bool:
    """Whether a Chinese question says another word where the label (both in normal form) has one of its own:
    长期借款 is not 短期借款. `covered` are the terms that the table explains."""
    start, at, size = SequenceMatcher(None, label, text, autojunk=False).find_longest_match()
    if size < 2 or size == len(label):
        return False
    text = _NOISE_ZH.sub(lambda match: "\x00" * len(match[0]), text)
    before, after = text[at - 1 : at], text[at + size : at + size + 1]
    return _differs(label[:start], before, text[at - 1 : at + 1], text, covered) or _differs(
        label[start + size :], after, text[at + size - 1 : at + size + 1], text, covered
    )


def _differs(own: str, said: str, pair: str, text: str, covered: frozenset[str]) -> bool:
    is_unsaid = bool(re.search(f"[{CJK}]", own)) and not any(char in text for char in own)
    is_other = bool(re.fullmatch(f"[{CJK}]", said)) and pair not in covered
    return is_unsaid and is_other


def _uncovered_zh(text: str, covered: frozenset[str], labels: str) -> float:
    """By characters: pairs that lie across two words mean nothing."""
    held = [False] * len(text)
    for at in range(len(text) - 1):
        if text[at : at + 2] in covered:
            held[at] = held[at + 1] = True
    for word in re.finditer(r"[a-z0-9.%]+", text):
        if word[0] in covered or any(part in covered for part in terms_of(word[0])):
            held[word.start() : word.end()] = [True] * len(word[0])
    rest = "".join(char if not held[at] else "\x00" for at, char in enumerate(text))
    rest = "".join(char for char in _NOISE_ZH.sub("", rest) if char not in labels)
    missing = len(re.findall(f"[{CJK}a-z0-9]", rest))
    return missing / max(1, missing + sum(held))
