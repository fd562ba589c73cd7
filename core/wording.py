"""What counts as a fact in a sentence: numbers, codes, names, negation, in zh and en.

Pure functions over text; used to read questions, to bind sentences and to check them.
"""

import re
import unicodedata
from collections.abc import Iterable

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_FORMAL = dict(zip("壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億", "一二二三三四五六六七八九十百千万亿", strict=True))
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_CHINESE_NUMBER = re.compile(r"[零〇一二两三四五六七八九十百千万亿]+")
_ARABIC = re.compile(
    r"(?P<digits>\d+(?:\.\d+)?)(?:\s*(?P<unit>万亿|百万|千万|[万亿]|[千百](?![米克瓦卡帕分度])|(?:thousand|million|billion|trillion)\b"
    r"|(?<=\d)(?:k|bn)\b))?"
)
_COUNTED = re.compile(
    "(?<![零〇一二两三四五六七八九十百千万亿几数])[零〇一二两三四五六七八九十百千万亿]+"
    "(?=[个個月年天日号號次人名位岁歲周週小秒元块塊米公克斤吨倍届屆层層度家所座艘条條种種席票场場部项項页頁章]"
    "|星期|分[钟之])"
)
_TWO_DIGITS = re.compile("[一二两三四五六七八九]{2}")
_ENGLISH_COUNT = re.compile(
    r"(?<![-\w])(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    r"|seventeen|eighteen|nineteen|twenty)\b(?!-)",
    re.IGNORECASE,
)
_SCALES = {
    "万亿": 1e12, "百万": 1e6, "千万": 1e7, "thousand": 1e3, "million": 1e6, "billion": 1e9,
    "trillion": 1e12, "k": 1e3, "bn": 1e9,
}  # fmt: skip
_ENGLISH_NUMBERS = {
    word: value
    for value, word in enumerate(
        re.findall(
        r"\w+",
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty ",
    )
    )
} | {
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "hundred": 100,
}  # fmt: skip
_ENGLISH_SCALED = re.compile(r"\b([a-z]+)\s+(hundred|thousand|million|billion)\b")
_TENS = re.compile(
    r"\b(twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[\s-]"
    r"(one|two|three|four|five|six|seven|eight|nine)\b"
)
_FULL_HOUR = re.compile(r"\b(\d{1,2})[:：]00\b")
_ENGLISH_WORD = re.compile(r"[a-z]+")
_MONTHS = {
    name: at // 2 + 1
    for at, name in enumerate(
        re.findall(
        r"\w+",
        "january jan february feb march mar april apr may may june jun july jul august aug september "
        "sep october oct november nov december dec ",
    )
    )
}
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_./]?[A-Za-z0-9]+)*")
_NUMBERED_CODE = re.compile(r"[A-Za-z]+[-_]?\d[A-Za-z0-9]*(?:[-_./][A-Za-z0-9]+)*")
_NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][a-z]+(?:\s+[A-Z][a-z]+)*")
_TITLE = re.compile("《([^《》]{1,40})》")
_FOREIGN_NAME = re.compile("[\u4e00-\u9fff][·•・][\u4e00-\u9fff]{2}")
_NEGATION = re.compile(
    r"不(?!同|仅|但|断|久|少|管|论|锈|满|含|[得应可能]?超过|[高低多少大小]于|[高低]过)|没有?|未(?!来)|无(?!论|线|锡|人机)|禁止|严禁|勿|非(?!常)"
    r"|\b(?:not|no|never|none|neither|nor|without|cannot|prohibited|forbidden)\b|n't\b",
    re.IGNORECASE,
)
_ORDINAL_NOISE = re.compile(
    # One of something is a way of speaking (一步, 一场) unless it is measured or counted on.
    "(?<![零〇一二两三四五六七八九十百千万亿第])一(?![零〇一二两三四五六七八九十百千万亿]|个?[工月年天日小分周星季世半]|[倍元度岁米吨亩升成号])|"
    "一(?:般|些|定|旦|直|起|样|致|律|下|并|个|种|次|切|方面|步|体|同|经)|之一|统一|唯一|同一|第一"
)

_PLAIN_DIGITS = str.maketrans(_FORMAL)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")


def fold(text: str) -> str:
    """NFKC, lower case, formal Chinese digits as the plain ones, no thousands commas."""
    if text.isascii():
        return _THOUSANDS.sub("", text.lower())
    return _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN_DIGITS))


def numbers(text: str) -> set[float]:
    """The values that a text names, whichever way they are written (12000, 1.2万, 一万二千,
    twelve, 3 June). Values that stand in a code such as TM-20 count as well."""
    folded = _FULL_HOUR.sub(r"\1", fold(text))
    found = {_arabic_value(match) for match in _ARABIC.finditer(folded)}
    if not folded.isascii():
        plain = _ORDINAL_NOISE.sub(" ", folded)
        found |= {v for m in _CHINESE_NUMBER.finditer(plain) if (v := numeral_value(m.group())) is not None}
    words, scaled = _take_scaled(folded)
    found |= scaled
    for word in _ENGLISH_WORD.findall(words):
        value = _ENGLISH_NUMBERS.get(word, _MONTHS.get(word))
        if value is not None and word not in ("may", "one", "mar"):
            found.add(float(value))
    return found


def codes(text: str) -> set[str]:
    """Identifiers: product numbers, versions, acronyms; folded, without inner hyphens."""
    found = set()
    for match in _CODE.findall(unicodedata.normalize("NFKC", text)):
        if match.isalpha() and match[1:].islower():  # most words, which need no closer look
            continue
        has_digit = any(c.isdigit() for c in match)
        is_acronym = len(match) >= 2 and match.isupper()
        mixed = len(match) > 3 and any(c.isupper() for c in match[1:]) and any(c.islower() for c in match)
        if has_digit or is_acronym or mixed:
            found.add(squeeze(match))
    return found


def names(text: str) -> set[str]:
    """Capitalised English names that do not begin a sentence, folded."""
    return {match.casefold() for match in _NAME.findall(text)}


def chinese_names(text: str) -> set[str]:
    """Chinese names that rules can tell: titles in 《》, foreign names of parts (史蒂夫·乔布斯)."""
    return {*_TITLE.findall(text), *_FOREIGN_NAME.findall(text)}


_DOTTED = re.compile(r"(?<![a-z0-9.])(?:[a-z]\.)+[a-z](?![a-z0-9])")


def squeeze(text: str) -> str:
    """Folded and without hyphens inside of words: `TM-20L` and `tm20l` are one, as are U.K. and UK."""
    folded = _DOTTED.sub(lambda match: match.group().replace(".", ""), fold(text))
    return re.sub(r"(?<=[a-z0-9])[-_](?=[a-z0-9])", "", folded)


def holds_code(code: str, squeezed: str) -> bool:
    """Whether a code stands in a squeezed text as a whole: TM-20 is not in TM-20L. A blank
    between letters and digits does not matter."""
    loose = re.sub(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", r"\\s?", re.escape(code))
    return re.search(rf"(?<![a-z0-9]){loose}(?![a-z0-9])", squeezed) is not None


_CLAUSE_END = re.compile(
    r"(?<=[，；,;])\s*|,?\s+(?=(?:and|but|while|whereas|although)\s+[\w'-]+\s+[\w'-]+\s)",
    re.IGNORECASE,
)
MIN_CLAUSE = {"zh": 7, "en": 22}


def clauses(sentence: str, language: str) -> list[str]:
    """A sentence in the pieces that can be true or false by themselves, in order; a piece too
    short for that stays with the one before it. Thousands (1,200) are not cut."""
    shortest = MIN_CLAUSE[language]
    found: list[str] = []
    for piece in _CLAUSE_END.split(re.sub(r"(?<=\d),(?=\d{3})", "", sentence)):
        if found and (len(piece.strip()) < shortest or len(found[-1].strip()) < shortest):
            found[-1] += f" {piece}" if language == "en" else piece
        elif piece.strip():
            found.append(piece)
    return found


def negations(text: str) -> int:
    """How many words of negation stand in a text."""
    return len(_NEGATION.findall(fold(text)))


def missing_numbers(claim: str, evidence: Iterable[str]) -> set[float]:
    """Numbers of the claim that no piece of evidence holds. Those in a code (the 20 of TM-20)
    are not values."""
    held = set().union(*(numbers(piece) for piece in evidence))
    return {value for value in plain_numbers(claim) if value not in held}


def without_codes(text: str) -> str:
    """The text, in compatible form, with blanks for its numbered codes: TM-20L is no 20 litres."""
    return _NUMBERED_CODE.sub(" ", unicodedata.normalize("NFKC", text))


def plain_numbers(text: str) -> set[float]:
    """The values of a text without those in codes."""
    return numbers(without_codes(text))


def in_digits(text: str) -> str:
    """The text with its numbers in digits, for readers that know letters and no values: 六个月 and 6个月,
    1.2万 and 12,000, two weeks and 2 weeks become one. Numerals that are not told of a known measure stay:
    they may be part of a name; so do 一个 and guesses such as 两三年."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", unicodedata.normalize("NFKC", text))
    plain = _ENGLISH_COUNT.sub(lambda m: str(_ENGLISH_NUMBERS[m.group().lower()]), plain)
    plain = _ARABIC.sub(lambda m: _plainly(_arabic_value(m)) if m["unit"] else m.group(), plain)
    return _COUNTED.sub(_digits_of, plain)


def _digits_of(match: re.Match) -> str:
    numeral = match.group()
    is_guess = _TWO_DIGITS.search(numeral) and not re.search("[〇零]", numeral)
    value = None if is_guess or numeral == "一" else numeral_value(numeral)
    return numeral if value is None else _plainly(value)


def _plainly(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.12g}"


def _take_scaled(folded: str) -> tuple[str, set[float]]:
    """English numbers of several words (two million, twenty-five): the text without them, and
    their values. `A million` is one; `several million` is none."""
    found: set[float] = set()

    def tens(match: re.Match) -> str:
        found.add(float(_ENGLISH_NUMBERS[match[1]] + _ENGLISH_NUMBERS[match[2]]))
        return " "

    def scaled(match: re.Match) -> str:
        value = 1 if match[1] in ("a", "one") else _ENGLISH_NUMBERS.get(match[1])
        if value is None:
            return f"{match[1]} "
        found.add(value * (_SCALES.get(match[2]) or 100.0))
        return " "

    return _TENS.sub(tens, _ENGLISH_SCALED.sub(scaled, folded)), found


def _arabic_value(match: re.Match) -> float:
    unit = match["unit"]
    return float(match["digits"]) * (_SCALES.get(unit) or _UNITS[unit]) if unit else float(match["digits"])


def numeral_value(text: str) -> float | None:
    """The value of a Chinese numeral that stands alone; None for a lone unit such as 百 in 百分."""
    if all(char in _DIGITS for char in text):
        return float("".join(str(_DIGITS[char]) for char in text))
    total, section, digit, seen = 0, 0, 0, False
    for char in text:
        if char in _DIGITS:
            digit, seen = _DIGITS[char], True
            continue
        unit = _UNITS[char]
        if unit >= 10_000:
            total, section, digit = (total + section + digit) * unit, 0, 0
        else:
            section, digit = section + (digit or 1) * unit, 0
        seen = seen or char == "十"
    return float(total + section + digit) if seen else None
