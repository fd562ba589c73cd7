"""A question in the forms that another question is compared with.

`key` is the question itself without what writing may vary: width, case, script, punctuation.
`facts` is what two wordings of one question must have in common letter by letter: what is
asked for (when, who, how many), numbers with their units and in their order, codes and
names, negation, tense, and words with an opposite. Pure functions; knows no models.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from agents.keywords import segments
from core.text import CJK, detect_language
from core.wording import fold, negations, numbers, squeeze
from retrieval.terms import simplify, split_terms

FORMS_KEPT = 10_000
"""Each question is compared with all known ones, over and over."""
_PLAIN_MARK = re.compile(
    r"(?<![0-9A-Za-z])(?:[-.](?![0-9])|['\",:/])+|[-'\".,:/]+(?![-0-9A-Za-z.])|[?!;()\[\]{}]+"
    "|[，。、？！；：“”‘’「」『』《》〈〉【】…—·•~]+"
)
# Between digits they say something: from 3 to 5 days is not 3 or 5 days.
_RANGE = re.compile(r"(?<=\d)\s*[-—–~～−]+\s*(?=\d)")
_LIST = re.compile(r"(?<=\d)\s*、\s*(?=\d)")
_BLANKS = re.compile(rf"\s+|(?<=[{CJK}])(?=[a-z0-9])|(?<=[a-z0-9])(?=[{CJK}])")
_CURLY = str.maketrans("’‘“”−", "''\"\"-")
_BLANK_IN_CHINESE = re.compile(rf"(?<=[{CJK}]) (?=[{CJK}])")
# In capitals these are names: IT is a department, "it" is not.
_NAME_OR_WORD = re.compile(
    r"\b(?:IT|WHO|US|AM|PM|AN|IN|ON|OR|AS|IS|BE|DO|GO|HE|ME|NO|SO|UP|WE|ALL|AND|CAN|MAY)\b"
)

_COURTESY_ZH = re.compile(
    "^(?:您好|你好|请问一下|请问|请告诉我|告诉我|我想知道|我想问一下|我想问|想问一下|想知道|想请问|麻烦问一下|问一下|请教一下)+"
    "|[吗呢呀啊吧嘛]+$"
)
_COURTESY_EN = re.compile(
    r"^(?:(?:hello|hi|hey|please|(?:can|could|would) you (?:please )?tell me|tell me"
    r"|i (?:want|would like|'d like) to know|do you know|may i ask|excuse me)\s+)+"
    r"|\s+(?:please|thanks|thank you)$"
)
_ASKS_ZH = (
    ("how long", "多久|多长时间|多少时间"),
    ("when", "什么时候|什么时间|何时|哪年|哪一年|哪天|哪一天|几时|几点"),
    ("why", "为什么|为何|为啥|什么原因|何故"),
    ("how", "怎么样|怎么|怎样|如何|什么样"),
    ("where", "哪里|哪儿|何处|何地|什么地方|在哪"),
    ("who", "谁|哪位|何人|什么人"),
    ("how many", "多少|几(?=[个次天年月日周岁名位台套种条项章部件家人份元])"),
    ("how much", "多[大高长远重宽深快]"),
    ("what", "什么|哪些|哪个|哪一个|哪种|哪|何"),
    ("whether", "是否|能否|可否|是不是|能不能|可不可以|有没有|会不会|要不要"),
)
_ASKS_EN = (
    ("how long", r"how long"),
    ("how soon", r"how soon|how quickly|how fast"),
    ("how often", r"how often"),
    ("how many", r"how many|how much|what (?:number|amount) of"),
    ("how far", r"how (?:far|large|big|high|tall|deep|wide|old|heavy|late|early)"),
    ("when", r"when|(?:what|which) (?:time|year|day|date|month)"),
    ("where", r"where|(?:what|which) place"),
    ("who", r"whom?|whose|(?:what|which) person"),
    ("why", r"why|what reason|for what reason"),
    ("how", r"how"),
    ("what", r"what|which"),
)
_OPPOSED_ZH = re.compile(
    "[上下前后内外高低大小多少长短早晚新旧买卖进出入收付男女左右东西南北增减加升降开关启停甲乙丙丁父母子首末头尾"
    "正负优劣胜败赢输攻守借还租售老幼轻重快慢远近厚薄宽窄强弱主次公私供需盈亏存取始终起止生死好坏冷热阴阳"
    "最更仅只除再又曾将已每各全半双单同异亲另他副正共总也还未始被受委承让发今昨明去本或给向从由对把使]"
)
_MODES_ZH = (
    ("must", "必须|务必|必|须"),
    ("should", "应当|应该|应"),
    ("need", "需要|需|要"),
    ("can", "可以|能够|能|可"),
    ("may", "允许|准许|许|准"),
)
_OPPOSED_EN = re.compile(
    r"\b(?:before|after|since|until|by|from|to|into|onto|over|under|above|below|within|without|between|during|except|only|"
    r"first|last|second|third|next|previous|former|latter|more|less|most|least|fewer|fewest|many|few|all|each|every|both|"
    r"max\w*|min\w*|high\w*|low\w*|large\w*|small\w*|big\w*|long\w*|short\w*|old\w*|new\w*|early|earli\w*|late\w*|best|worst|"
    r"better|worse|increas\w*|decreas\w*|gain\w*|los[ets]\w*|win\w*|won|buy\w*|sell\w*|bought|sold|open\w*|clos\w*|start\w*|"
    r"begin\w*|began|end\w*|stop\w*|enabl\w*|disabl\w*|add\w*|remov\w*|in|out|on|off|up|down|left|right|north\w*|south\w*|"
    r"east\w*|west\w*|male|female|man|men|woman|women|son|daughter|father|mother|brother|sister|husband|wife|internal|"
    r"external|public|private|full|part|half|double|single|am|is|are|was|were|be|been|will|would|shall|should|can|could|"
    r"may|might|must|has|have|had|did|does|do|another|others?|else|also|still|again|same|different|vice|not|no|"
    r"and|or|if|than|then|for|with|at|as|but|unless|against|about|through|per|via|this|that|these|those|my|your|his|her|"
    r"their|our|its|i|you|he|she|it|they|we|any|some)\b"
)
_LATIN = re.compile(r"[a-z]+(?:[0-9]+[a-z0-9]*)?|[a-z0-9]*[0-9][a-z][a-z0-9]*")
_NUMBER_AND_UNIT = re.compile(
    rf"(\d+(?:\.\d+)?\s*[万亿千百]?|[零〇一二两三四五六七八九十百千万亿]+)(?:\s*([%‰°$€£¥a-z]+|[{CJK}]))?"
)
_RUN = re.compile(rf"[a-z0-9]+|[{CJK}]+")
_SIGN = re.compile(r"[+#%‰$€£¥°&@=<>*^|\\]|(?<![a-z])[-,/:](?=\d)")
_EN_WORD = re.compile(r"[a-z]+")
_CAPITALISED = re.compile(r"(?<!^)\b[A-Z][\w'’-]*")


@dataclass(frozen=True, slots=True)
class QuestionForm:
    """`key`: equal keys are the same question. `facts`: of two wordings of the same question
    they are equal; equal facts alone say little. `pieces`: pairs of Chinese characters and words in
    their order, without those that ask."""

    key: str
    facts: str
    pieces: tuple[str, ...] = ()

    @property
    def key_hash(self) -> str:
        """A digest of the key, to be looked up by."""
        return hashlib.sha256(self.key.encode("utf-8", "replace")).hexdigest()

    @property
    def facts_hash(self) -> str:
        """A digest of the facts."""
        return hashlib.sha256(self.facts.encode("utf-8", "replace")).hexdigest()


@lru_cache(FORMS_KEPT)
def form_of(question: str) -> QuestionForm:
    """The forms of a question in Chinese or English."""
    language = detect_language(question)
    plain = _plain(question)
    bare = without_courtesy(plain, language)
    asks, rest = _asked_for(bare, language)
    facts = _facts(question, rest, language)
    return QuestionForm(bare, "|".join([language, "·".join(sorted(asks)), facts]), _pieces(rest))


def keeps_order(one: QuestionForm, other: QuestionForm) -> bool:
    """Whether what both hold stands in the same order in both: "from A to B" is not "from B to
    A". Of a piece that stands in one of them twice this is not asked."""
    shared = _once(one.pieces) & _once(other.pieces)
    return [p for p in one.pieces if p in shared] == [p for p in other.pieces if p in shared]


def without_courtesy(plain: str, language: str) -> str:
    """A plain question without "please tell me" and 请问, unless nothing else is left."""
    pattern = _COURTESY_ZH if language == "zh" else _COURTESY_EN
    return pattern.sub("", plain).strip() or plain


def _plain(question: str) -> str:
    text = question.translate(_CURLY)
    if _has_small(text):
        text = _NAME_OR_WORD.sub(lambda match: f"{match[0]}\u02b9", text)
    text = simplify(unicodedata.normalize("NFKC", text).casefold())
    text = _LIST.sub(",", _RANGE.sub("-", text))
    return _BLANK_IN_CHINESE.sub("", _BLANKS.sub(" ", _PLAIN_MARK.sub(" ", text))).strip()


def _has_small(text: str) -> bool:
    return any("a" <= char <= "z" for char in text)


def _facts(question: str, rest: str, language: str) -> str:
    folded = fold(rest)
    values = [
        f"{value:g}{unit}"
        for written, unit in _NUMBER_AND_UNIT.findall(folded)
        for value in sorted(numbers(written))
    ]
    if language == "zh":
        named = _LATIN.findall(squeeze(rest))
        opposed = _OPPOSED_ZH.findall(rest) + [name for name, words in _MODES_ZH if re.search(words, rest)]
    else:
        values += [f"{value:g}" for word in _EN_WORD.findall(folded) for value in sorted(numbers(word))]
        named = [squeeze(word) for word in _CAPITALISED.findall(unicodedata.normalize("NFKC", question))]
        # By stems: an employer is no employee, however near the vectors.
        named += [stem for word in segments(rest) for stem in split_terms(word)]
        opposed = _OPPOSED_EN.findall(rest)
    signs = _SIGN.findall(folded)
    parts = (values, signs, named, [str(negations(rest))], opposed)
    return "|".join("·".join(part) for part in parts)


def _pieces(rest: str) -> tuple[str, ...]:
    found: list[str] = []
    for run in _RUN.findall(rest):
        is_word = run.isascii()
        found += [run] if is_word else [run[at : at + 2] for at in range(max(len(run) - 1, 1))]
    return tuple(found)


def _once(pieces: tuple[str, ...]) -> set[str]:
    counted = Counter(pieces)
    return {piece for piece in pieces if counted[piece] == 1}


def _asked_for(bare: str, language: str) -> tuple[set[str], str]:
    """What is asked for, and the question without the words that ask."""
    asks, rest = set(), bare
    for name, words in _ASKS_ZH if language == "zh" else _ASKS_EN:
        pattern = words if language == "zh" else rf"\b(?:{words})\b"
        rest, found = re.subn(pattern, " ", rest)
        if found:
            asks.add(name)
    return asks, rest
