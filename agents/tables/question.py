"""What a question to a table asks for: its words, its years, and what is to be done with the cells.

Rules for Chinese and English. Pure; knows no table.
"""

import re
from dataclasses import dataclass

from agents.tables.coverage import terms_of, without_frame
from agents.tables.cues import Operation, find_cues, find_naming
from agents.tables.periods import periods_in, same_words, years_in
from core.text import CJK, detect_language, normalise

_GENERIC = re.compile(
    r"(?<=\S)(?:发生额|金额|余额|人数|数额|数|额)?\s*(?:[（(][^（()）]{0,6}[)）])?\s*[%％]?$"
)
_AMOUNT = re.compile(r"(?<=\w)\s+(?:amounts?|values?)$")
_NOTE = re.compile(r"\s*[（(]\d{1,2}[)）]|(?<=[a-z]{3})\d$")
_CHINESE_RUN = re.compile(f"[{CJK}]+")
_WHICH = re.compile(r"\b(?:which|what|who|when)\b|哪|谁|什么", re.IGNORECASE)
_SHARE = re.compile(r"%|percent|proportion|share|ratio|rate|margin|率|比例|比重|百分|占", re.IGNORECASE)
_RANGE = re.compile(r"((?:19|20)\d\d)\s*(?:to|through|until|[-–~至到])\s*((?:19|20)\d\d)", re.IGNORECASE)
_THRESHOLD = re.compile(
    r"(?P<how>(?:more|greater|larger|higher|less|lower|smaller) than|above|over|below|under"
    r"|exceed(?:s|ed|ing)?|超过|高于|大于|多于|低于|小于|少于|不足)\s*[$€£¥]?\s*(?P<number>-?\d[\d,]*(?:\.\d+)?)"
    r"(?P<scale>\s*(?:thousands?|millions?|billions?|trillions?)\b|[十百千]?(?:万亿?|亿))?",
    re.IGNORECASE,
)
_TOP = re.compile(
    r"\b(?:top|(?:highest|largest|lowest|smallest|biggest)) (?P<en>\d{1,2}|two|three|four|five|ten)\b"
    r"|(?P<en2>\d{1,2}|two|three|four|five|ten) (?:highest|largest|lowest|smallest|biggest)\b"
    r"|前(?P<zh>\d{1,2}|[二两三四五六七八九十])|最[高低大小多少]的?(?P<zh2>\d{1,2}|[两三四五六七八九十])[个家项位名年]",
    re.IGNORECASE,
)
_EACH = re.compile(
    r"各[是有为自个项类]|分别|\b(?:each|respective(?:ly)?|individual(?:ly)?|separately)\b", re.IGNORECASE
)
_COMPARED = re.compile(r"相比|同比|环比|对比|\bcompared? (?:to|with)\b|\bversus\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[?？;；,，。]|\. |\band (?=(?:what|which|who|where|when|how)\b)", re.IGNORECASE)
_ASKING = re.compile(
    r"多少|多[长高大重久远]|几|谁|什么|哪|何[时处地人]|如何|怎|啥"
    r"|^\W*(?:and |in |for |to |from |by )?(?:what|which|who|whom|where|when|why|how)\b",
    re.IGNORECASE,
)
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "二": 2, "两": 2, "十": 10}
_COUNTS |= {numeral: at for at, numeral in enumerate("三四五六七八九", start=3)}
_BELOW = re.compile("less|lower|smaller|below|under|低|小|少|不足", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Threshold:
    """More than a number, or less than it; `scale` is what the question counts it in: `million`, `万`."""

    number: str
    is_below: bool
    scale: str = ""


@dataclass(frozen=True, slots=True)
class TableQuestion:
    """A question read by rules. `cues` are the operations that its words may mean, the surest first, with
    those words; `terms` is what it speaks of, cues included; `most` is how many of the highest or lowest
    are wanted; `asked_things` how many of its parts ask for something; `naming`
    are the words that ask for labels."""

    text: str
    language: str
    terms: frozenset[str]
    years: tuple[str, ...]
    periods: tuple[str, ...]
    cues: tuple[tuple[Operation, str], ...]
    threshold: Threshold | None
    asks_which: bool
    spans_years: bool
    asks_share: bool
    most: int = 1
    asks_each: bool = False
    compares: bool = False
    asked_things: int = 1
    naming: str = ""


def read_question(question: str) -> TableQuestion:
    """The question as rules see it."""
    text = same_words(without_frame(question)) or same_words(question)
    found = _THRESHOLD.search(text)
    threshold = None
    if found:
        scale = (found["scale"] or "").strip().removesuffix("s")
        threshold = Threshold(found["number"].replace(",", ""), bool(_BELOW.search(found["how"])), scale)
        text = f"{text[: found.start()]} {text[found.end() :]}"
    years = years_in(text)
    language = detect_language(question)
    return TableQuestion(
        text,
        language,
        terms_of(text),
        years,
        periods_in(text),
        find_cues(text),
        threshold,
        bool(_WHICH.search(text)),
        bool(_RANGE.search(text)) and len(years) == 2,
        bool(_SHARE.search(text)),
        _most(text),
        bool(_EACH.search(text)),
        bool(_COMPARED.search(text)),
        max(1, sum(bool(_ASKING.search(part)) for part in _CLAUSE.split(text))),
        find_naming(text),
    )


def _most(text: str) -> int:
    """How many of the highest or the lowest are asked for."""
    found = _TOP.search(text)
    if not found:
        return 1
    said = next(group for group in found.groups() if group)
    return max(1, int(said) if said.isdigit() else _COUNTS[said.casefold()])


def label_words(label: str) -> str:
    """A label in its normal form without what many labels end in: notes, units, 金额."""
    text = _AMOUNT.sub("", same_words(_NOTE.sub("", normalise(label))))
    return _GENERIC.sub("", text).strip() or text


def units_of(label: str) -> list[frozenset[str]]:
    """The words of a label, each with the terms by which it is found: of a Chinese character the pairs that
    it stands in."""
    units = []
    for run in _CHINESE_RUN.findall(label):
        pairs = [run[at : at + 2] for at in range(len(run) - 1)] or [run]
        units += [frozenset(pairs[max(0, at - 1) : at + 1]) for at in range(len(run))]
    rest = terms_of(_CHINESE_RUN.sub(" ", label)) if re.search(r"[^\W_]", _CHINESE_RUN.sub("", label)) else ()
    return [*units, *(frozenset((term,)) for term in rest)]
