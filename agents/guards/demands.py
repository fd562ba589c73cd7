"""What a question demands by its form: a kind of answer, and what must be named beside it.

"多少", "when" and nouns such as 人数 or 日期 ask for a number or a date; years, numbers,
codes, titles and names of the question must stand where its answer stands. Rules over
words, Chinese and English. Knows nothing of scores.
"""

import re
import unicodedata
from collections.abc import Sequence

from agents.keywords import segment_cover, segments
from core.text import detect_language
from core.wording import codes, fold, holds_code, plain_numbers, squeeze
from retrieval.terms import simplify, split_terms

ABOUT = 0.34
"""Mean share of the question's content segments from which a text speaks of it."""
NUMBER, DATE, PERSON, PLACE = "number", "date", "person", "place"
_KINDS_ZH = {
    DATE: re.compile("何[时年]|什么时候|几时|哪一?[年天月日]|几[月号]|哪个月|时间|日期|年份|期限"),
    NUMBER: re.compile(
        "多少|几(?!乎|何)|人数|数量|数目|[总销产存]量|交付量|[^力]率(?:$|[是为？?])|比例|占比"
        "|金额|营收|收入|利润|票房(?!最)|价格|费用|成本|市值|面积|高度|长度|重量|温度|年龄|身高|排名"
        "|多[长高大远重久快宽深]|[总人]口|GDP"
    ),
    PERSON: re.compile(
        "谁|何人|哪位|导演|主演|作者|创始人|主席|总统|总理|首相|主教练|负责人|联系人|设计师|发明者|扮演者"
    ),
    PLACE: re.compile("哪里|何处|何地|在哪|地点|地址|位置|哪个(?:城市|国家|省|市|地)|举办国|哪国"),
}
_KINDS_EN = {
    # "when" may also say under which condition: "what happens when it is opened?"
    DATE: re.compile(
        r"^when\b|\bwhen(?= (?:was|were|is|are|did|does|do|will|would|can|could|has|have|had|must|may)\b)"
        r"|\b(?:by|since|until|till|from) when\b|\bwhen\W*$"
        r"|\b(?:what|which) (?:day|date|year|month|time)\b|\bdate\b"
    ),
    NUMBER: re.compile(
        r"\bhow (?:many|much|long|old|far|tall|high|big|large|fast|often|heavy)\b|\bnumber of\b"
        r"|\bpopulation\b|\bpercent|\bamount\b|\bprice\b|\bcost\b|\brate\b|\brevenue\b"
        r"|\bwhat (?:share|proportion)\b"
    ),
    PERSON: re.compile(r"\bwho\b|\bwhose\b|\bwhom\b"),
    PLACE: re.compile(r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|town)\b|\blocation\b"),
}
_DATE = re.compile(
    r"\d+\s*月|\d+\s*[日号]|(?<![\d.,])(?:1\d|20)\d\d(?![.,]?\d)|[一二三四五六七八九十]+月|星期|周[一二三四五六日]|世纪|年代"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|\bcentury\b|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}"
)
_QUANTITY = re.compile(
    r"\b(?:half|thirds?|quarters?|majority|most|all|none|twice|double|dozens?|hundreds|thousands|millions|several)\b"
    "|一半|半数|过半|大半|多数|全部|数[十百千万]|几[十百千万]|[两三四五六七八九十]成"
)
"""How much, without a digit."""
_TITLE = re.compile(r"[《「“\"]([^》」”\"]{2,40})[》」”\"]")
_ASKING = re.compile(
    r"^(?:who|what|when|where|which|why|how|is|are|was|were|did|does|do|can|in|on|the)\b\s*", re.IGNORECASE
)
_NAME = re.compile(r"\b[A-Z][a-z]+(?:\s+(?:of\s+)?[A-Z][a-z]+)*")
_MONEY_ASKED = re.compile(
    "多少钱|金额|营收|收入|利润|票房(?!最)|价格|费用|成本|市值|薪资|工资|罚款"
    r"|\b(?:price|cost|revenue|profit|salary|fee|budget)\b|\bhow much (?:money|did .* (?:cost|pay))"
)
_MONEY = re.compile(
    r"[元圆块镑万亿]|美金|港币|[$€£¥￥]|\b(?:usd|eur|gbp|cny|rmb|dollars?|euros?|pounds?|yuan|[mb]illion)\b"
)
_SHARE_ASKED = re.compile(
    r"(?<![频效功汇税])率(?:$|[是为？?])|比例|占比|百分之|\bpercent|\bwhat (?:share|proportion)\b"
)
_SHARE = re.compile(
    r"[%％‰]|百分|千分|[一二三四五六七八九十\d]成|分之|\bpercent|\bper cent\b|\d\.\d"
    r"|一半|半数|过半|大半|\b(?:half|thirds?|quarters?|majority|most)\b"
)
_OPEN = re.compile(r"谁|什么|哪|多少|几|何|怎|\b(?:who|whom|whose|what|which|when|where|why|how)\b")
_BLANKS = re.compile(r"\s+")

_SIGNS = ((_MONEY_ASKED, _MONEY), (_SHARE_ASKED, _SHARE))


def demanded_kinds(question: str) -> frozenset[str]:
    """Kinds of answer that the wording asks for, any of which will do; empty: not told."""
    kinds = _KINDS_ZH if detect_language(question) == "zh" else _KINDS_EN
    folded = simplify(unicodedata.normalize("NFKC", question).casefold()).replace("gdp", "GDP")
    return frozenset(kind for kind, form in kinds.items() if form.search(folded))


def offers_kind(question: str, text: str) -> bool:
    """Whether a text brings what a question for a number or a date demands, beside what the
    question itself says: a sum where money is asked for, a share where a rate is. Persons and
    places have no form to be told by: True."""
    kinds = demanded_kinds(question)
    if not kinds or kinds & {PERSON, PLACE}:
        return True
    asked, said = simplify(fold(question)), simplify(fold(text))
    if any(form.search(asked) and not sign.search(said) for form, sign in _SIGNS):
        return False
    if DATE in kinds and set(_DATE.findall(said)) - set(_DATE.findall(asked)):
        return True
    if NUMBER not in kinds:
        return False
    told = set(_QUANTITY.findall(said)) - set(_QUANTITY.findall(asked))
    return bool(told) or bool(plain_numbers(text) - plain_numbers(question))


def speaks_of(question: str, sentence: str, quotes: Sequence[str] = ()) -> bool:
    """Whether a sentence, or what it rests on, speaks of what the question is about: a bare
    name or number is an answer only where its quote has the question's words. True across
    languages, and where the question has less than two words of its own: one may well be said in
    another way."""
    language = detect_language(question)
    if quotes and all(detect_language(text) != language for text in quotes):
        return True
    covers = segment_cover(question, "\n".join([sentence, *quotes]))
    words = {term for segment in segments(question) for term in split_terms(segment)}
    return len(words) < 2 or sum(covers) / len(covers) >= ABOUT


def adds_something(question: str, sentence: str) -> bool:
    """Whether a sentence has a content word or a number that an open question has not: "Bob plays Bob"
    is no answer to "who plays Bob?". True where yes or no is asked for."""
    if not _OPEN.search(simplify(fold(question))):
        return True
    known = set(split_terms(question))
    new = {term for part in segments(sentence) for term in split_terms(part)} - known
    return bool(new) or bool(plain_numbers(sentence) - plain_numbers(question))


def constraints(question: str) -> frozenset[str]:
    """What the question names letter for letter, folded: years and other numbers of two or more digits,
    codes, titles, English names."""
    plain = unicodedata.normalize("NFKC", question)
    found = {f"#{value:g}" for value in plain_numbers(question) if value >= 10}
    found |= {code for code in codes(question) if not code.isdigit()}
    found |= {_squeezed(title) for title in _TITLE.findall(plain)}
    if detect_language(question) == "en":
        found |= {_squeezed(name) for name in _NAME.findall(_ASKING.sub("", plain))}
    return frozenset(found)


def met_share(question: str, text: str) -> float:
    """Share (0…1) of the question's constraints that stand in a text; 1 when it has none."""
    wanted = constraints(question)
    if not wanted:
        return 1.0
    values = {f"#{value:g}" for value in plain_numbers(text)}
    letters, words = _squeezed(unicodedata.normalize("NFKC", text)), squeeze(text)
    met = sum(
        part in values if part.startswith("#") else part in letters or holds_code(part, words)
        for part in wanted
    )
    return met / len(wanted)


def _squeezed(text: str) -> str:
    return _BLANKS.sub("", text).casefold()
