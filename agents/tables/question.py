"""What a question to a table asks for: its words, its years, and what is to be done with the cells.

Rules for Chinese and English. Pure; knows no table.
"""

import re
from dataclasses import dataclass

from agents.tables.cues import Operation, find_cues
from core.text import CJK, detect_language, normalise
from retrieval.terms import query_terms, simplify

# The same moments and periods by one name, in questions as in labels.
_SAME = (
    (re.compile(r"\b(?:fy|cy|fiscal(?: year)?)\s*['’]?(?=(?:19|20)\d\d\b)", re.I), " "),
    (re.compile(r"\b(?:fy|cy|f)\s*['’]?(?=\d\d\b)", re.I), " 20"),
    (re.compile(r"\b([12]) ([09]) (\d) (\d)\b"), r"\1\2\3\4"),
    (re.compile(r"((?:19|20)\d\d)\s*年(?:度|底|末)?(?!\s*\d{1,2}\s*月)"), r" \1 "),
    (re.compile("上年年?末"), "期初"),
    (re.compile("年初"), "期初"),
    (re.compile("年末|年底"), "期末"),
    (re.compile("上年同期|去年同期|上年度|上一年度?|去年|上年|前期"), "上期"),
    (re.compile("本年度|本年|今年|当年|本报告期|报告期(?!末|初)|当期"), "本期"),
    (re.compile("期末数|期末的时候|期末时"), "期末"),
    (re.compile("期初数|期初的时候|期初时"), "期初"),
    (re.compile("百分比"), "比例"),
    (re.compile("占比"), "比例"),
)
_GENERIC = re.compile(
    r"(?<=\S)(?:发生额|金额|余额|人数|数额|数|额)?\s*(?:[（(][^（()）]{0,6}[)）])?\s*[%％]?$"
)
_AMOUNT = re.compile(r"(?<=\w)\s+(?:amounts?|values?)$")
_NOTE = re.compile(r"\s*[（(]\d{1,2}[)）]|(?<=[a-z]{3})\d$")
_CHINESE_RUN = re.compile(f"[{CJK}]+")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_NOISE_ZH = re.compile(
    "请问一?下?|请查一?下?|请告知|请告诉我?|麻烦|帮我|帮忙|查一?下|查询|告诉我|告知|我想知道|我想了解"
    "|想知道|想问|你知道|知道|能讲一?下|能否|能说|说一?下|讲一?下|可以|听说|你好|您好|目前|现在|具体"
    "|一共|总共|分别|各自|各是|各有|各为|都是|都有|是多少|有多少|为多少|多少|多高|多大|几何|什么|哪些"
    "|哪个|哪家|哪位|哪种|谁|怎样|如何|[吗呢吧啊呀嘛]|该公司|这家公司|本公司|本企业|该企业|公司|企业"
    "|对应|相应|其中|时候|以及|情况|所|的|是|有|在|和|与|及|为|了|对|将|其|中"
)
_NOISE_EN = frozenset(
    re.findall(
        r"\w+",
        "company compani respect respectively year end amount valu number period report fiscal s both "
        "respective financi item row column tabl shown show given did do doe much end begin group",
    )
)
_WHICH = re.compile(r"\b(?:which|what|who|when)\b|哪|谁|什么", re.IGNORECASE)
_SHARE = re.compile(r"%|percent|proportion|share|ratio|rate|margin|率|比例|比重|百分|占", re.IGNORECASE)
_RANGE = re.compile(r"((?:19|20)\d\d)\s*(?:to|through|until|[-–~至到])\s*((?:19|20)\d\d)", re.IGNORECASE)
_THRESHOLD = re.compile(
    r"(?P<how>(?:more|greater|larger|higher|less|lower|smaller) than|above|over|below|under"
    r"|exceed(?:s|ed|ing)?|超过|高于|大于|多于|低于|小于|少于|不足)\s*[$€£¥]?\s*(?P<number>-?\d[\d,]*(?:\.\d+)?)",
    re.IGNORECASE,
)
_TOP = re.compile(
    r"\b(?:top|(?:highest|largest|lowest|smallest|biggest)) (?P<en>\d{1,2}|two|three|four|five|ten)\b"
    r"|(?P<en2>\d{1,2}|two|three|four|five|ten) (?:highest|largest|lowest|smallest|biggest)\b"
    r"|前(?P<zh>\d{1,2}|[二两三四五六七八九十])|最[高低大小多少]的?(?P<zh2>\d{1,2}|[两三四五六七八九十])[个家项位名年]",
    re.IGNORECASE,
)
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "二": 2, "两": 2, "十": 10}
_COUNTS |= {numeral: at for at, numeral in enumerate("三四五六七八九", start=3)}
_BELOW = re.compile("less|lower|smaller|below|under|低|小|少|不足", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Threshold:
    """More than a number, or less than it."""

    number: str
    is_below: bool


@dataclass(frozen=True, slots=True)
class TableQuestion:
    """A question read by rules. `cues` are the operations that its words may mean, the surest first, with
    those words; `terms` is what it speaks of, cues included; `most` is how many of the highest or lowest
    are wanted."""

    text: str
    language: str
    terms: frozenset[str]
    years: tuple[str, ...]
    cues: tuple[tuple[Operation, str], ...]
    threshold: Threshold | None
    asks_which: bool
    spans_years: bool
    asks_share: bool
    most: int = 1


def read_question(question: str) -> TableQuestion:
    """The question as rules see it."""
    text = same_words(question)
    found = _THRESHOLD.search(text)
    threshold = None
    if found:
        threshold = Threshold(found["number"].replace(",", ""), bool(_BELOW.search(found["how"])))
        text = f"{text[: found.start()]} {text[found.end() :]}"
    years = tuple(dict.fromkeys(_YEAR.findall(text)))
    language = detect_language(question)
    return TableQuestion(
        text,
        language,
        terms_of(text),
        years,
        find_cues(text),
        threshold,
        bool(_WHICH.search(text)),
        bool(_RANGE.search(text)) and len(years) == 2,
        bool(_SHARE.search(text)),
        _most(text),
    )


def _most(text: str) -> int:
    """How many of the highest or the lowest are asked for."""
    found = _TOP.search(text)
    if not found:
        return 1
    said = next(group for group in found.groups() if group)
    return max(1, int(said) if said.isdigit() else _COUNTS[said.casefold()])


def same_words(text: str) -> str:
    """The text in its normal form, periods and moments by one name."""
    text = simplify(normalise(text))
    for pattern, replacement in _SAME:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def label_words(label: str) -> str:
    """A label in its normal form without what many labels end in: notes, units, 金额."""
    text = _AMOUNT.sub("", same_words(_NOTE.sub("", normalise(label))))
    return _GENERIC.sub("", text).strip() or text


def terms_of(text: str) -> frozenset[str]:
    """What a question or a label, in its normal form, speaks of."""
    return frozenset(term for term in query_terms(text) if not term.startswith("="))


def units_of(label: str) -> list[frozenset[str]]:
    """The words of a label, each with the terms by which it is found: of a Chinese character the pairs that
    it stands in."""
    units = []
    for run in _CHINESE_RUN.findall(label):
        pairs = [run[at : at + 2] for at in range(len(run) - 1)] or [run]
        units += [frozenset(pairs[max(0, at - 1) : at + 1]) for at in range(len(run))]
    rest = terms_of(_CHINESE_RUN.sub(" ", label)) if re.search(r"[^\W_]", _CHINESE_RUN.sub("", label)) else ()
    return [*units, *(frozenset((term,)) for term in rest)]


def years_of(label: str) -> frozenset[str]:
    """The years that a label names."""
    return frozenset(_YEAR.findall(same_words(label)))


def uncovered(question: TableQuestion, covered: frozenset[str], cues: str) -> float:
    """The share of the question's own words that neither the table nor the asking explains."""
    text = question.text.replace(cues, " ") if cues else question.text
    if question.language == "zh":
        return _uncovered_zh(text, covered)
    words = [term for term in terms_of(text) if term not in _NOISE_EN and len(term) > 1]
    return sum(word not in covered for word in words) / len(words) if words else 0.0


def _uncovered_zh(text: str, covered: frozenset[str]) -> float:
    """By characters: pairs that lie across two words mean nothing."""
    held = [False] * len(text)
    for at in range(len(text) - 1):
        if text[at : at + 2] in covered:
            held[at] = held[at + 1] = True
    for word in re.finditer(r"[a-z0-9.%]+", text):
        if word[0] in covered or any(part in covered for part in terms_of(word[0])):
            held[word.start() : word.end()] = [True] * len(word[0])
    rest = "".join(char if not held[at] else "\x00" for at, char in enumerate(text))
    rest = _NOISE_ZH.sub("", rest)
    missing = len(re.findall(f"[{CJK}a-z0-9]", rest))
    return missing / max(1, missing + sum(held))
