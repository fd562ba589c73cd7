"""An expression as people write it, cut into operands and operators: 三万五千的12%, $3.5 million + 2 %,
2024年3月1日 + 90天, 3小时20分钟, sqrt(2) * 3.

What is not understood is an error, never left out: a sum without one of its terms is wrong. Pure.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from agents.reckoning.amounts import PERCENT, Amount, Value, add
from core.dates import find_dates
from core.errors import InputError
from core.units import dimension_of, sign_at, size_of, unit_at
from core.wording import fold, numeral_value

MAX_CHARS = 400
MAX_DIGITS = 60
FIRST_YEAR, LAST_YEAR = 1000, 2200
"""Years of so many are named in a calendar, not counted."""
_EXTRA_UNITS = (
    ("degree", re.compile(r"(?:degrees? )?celsius|c(?![a-z])")),
    ("fahrenheit", re.compile(r"f(?![a-z])|fahrenheit")),
    ("gram", re.compile(r"g(?![a-z])")),
    ("inch", re.compile(r"in(?= *(?:[-+*/)]|$))")),
)
"""Written so in an expression, where they can mean nothing else."""
_SCALES = {
    "万亿": 10**12, "千万": 10**7, "百万": 10**6, "亿": 10**8, "万": 10**4, "千": 1000, "百": 100,
    "trillion": 10**12, "billion": 10**9, "million": 10**6, "thousand": 1000, "hundred": 100, "bn": 10**9,
    "k": 1000,
}  # fmt: skip
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_SCALE = re.compile(
    r"\s*(万亿|千万|百万|亿|万|千(?![米克瓦卡])|百(?!分)|(?:trillion|billion|million|thousand|hundred"
    r"|bn|k)\b)"
)
_NUMERAL = re.compile("[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?")
_TENTHS = re.compile(
    "([一二三四五六七八九]|[1-9](?:\\.\\d)?)成([一二三四五六七八九])?|([一二三四五六七八九]{1,2}|[1-9](?:\\.\\d)?)折"
)
_SHARE_ZH = re.compile(r"百分之([零〇一二两三四五六七八九十百点\d.]+)")
_PART_ZH = re.compile(r"([一二三四五六七八九十百\d]{1,4})分之([零一二三四五六七八九十百\d]{1,4})")
_WORD_NUMBERS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_WORD_PARTS = {
    "a half": Fraction(1, 2), "one half": Fraction(1, 2), "half": Fraction(1, 2), "a third": Fraction(1, 3),
    "one third": Fraction(1, 3), "two thirds": Fraction(2, 3), "a quarter": Fraction(1, 4),
    "一半": Fraction(1, 2), "one quarter": Fraction(1, 4), "three quarters": Fraction(3, 4),
}  # fmt: skip
_DATE = re.compile(
    r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*[日号]|\d{4}([-/.])\d{1,2}\1\d{1,2}(?!\d)"
    r"|(?:\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov"
    r"|dec)[a-z]*\.?,?\s+\d{4})(?!\d)"
    r"|(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{1,2}(?:st|nd|rd"
    r"|th)?,?\s+\d{4})(?!\d)"
)
_DAYS = {
    "today": 0,
    "now": 0,
    "今天": 0,
    "今日": 0,
    "tomorrow": 1,
    "明天": 1,
    "yesterday": -1,
    "昨天": -1,
    "后天": 2,
    "前天": -2,
}
_OPERATORS = (
    (re.compile(r"\*\*|\^|(?:to the power of)\b|的?(?=[零一二三四五六七八九十\d]+次方)"), "**"),
    (re.compile(r"squared\b|的平方(?!根)|平方(?=$|[-+*/)])"), "**2"),
    (re.compile(r"cubed\b|的立方(?!根)"), "**3"),
    (re.compile(r"的平方根"), "**(1/2)"),
    (re.compile(r"次方"), ""),
    (re.compile(r"\+|(?:plus|added to)\b|加上?"), "+"),
    (re.compile(r"(?:multiplied by|times)\b|乘以?上?|[*×]|x(?=[\s\d(])"), "*"),
    (re.compile(r"divided by\b|除以|[/÷]"), "/"),
    (re.compile(r"mod\b|取余|对(?=.+取余)"), "%"),
    (re.compile(r"-|(?:minus|less)\b|减去?"), "-"),
    (re.compile(r"\("), "("),
    (re.compile(r"\)"), ")"),
    (re.compile(r","), ","),
    (re.compile(r"(?:the )?square root of\b|√|根号"), "root"),
    (re.compile(r"(sqrt|round|abs|min|max|sum|average|avg)(?=\s*\()"), "call"),
)
_OF = re.compile(r"of\b|的")
_OF_POWER = re.compile(r"\s*(?:平方|立方|[零一二三四五六七八九十\d]+次方)")


@dataclass(slots=True)
class Reading:
    """`code` is the expression with `_0`, `_1` … for its operands; `steps` counts operators."""

    code: str = ""
    operands: list[Value] = field(default_factory=list)
    steps: int = 0


def read_expression(text: str, today: date) -> Reading:
    """Raises InputError for what is no expression; it names the place."""
    folded = " ".join(plain_text(text).split())
    if not folded:
        raise InputError("there is nothing to work out", remedy="write an expression such as 18% of 2,340")
    if len(folded) > MAX_CHARS:
        raise InputError(f"an expression has at most {MAX_CHARS} characters", remedy="cut it into several")
    return _Reader(folded, today).read()


def plain_text(text: str) -> str:
    """Folded, with plain signs and no commas in numbers."""
    plain = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", fold(plain))


_SIGNS = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "﹣": "-",
        "·": "*",
        "⋅": "*",
        "×": "*",
        "÷": "/",
        "，": ",",
        "【": "(",
        "】": ")",
    }
)


class _Reader:
    def __init__(self, text: str, today: date) -> None:
        self._text, self._today, self._at = text, today, 0
        self._found = Reading()
        self._is_operand_before = False
        self._is_of_open = False
        self._last_unit = ""
        self._is_root_open = False

    def read(self) -> Reading:
        while self._at < len(self._text):
            if self._text[self._at] == " ":
                self._at += 1
            elif not (self._take_of() or self._take_operand() or self._take_operator()):
                raise InputError(
                    f"this is not understood: {self._text[self._at : self._at + 24]!r}",
                    remedy="write numbers, units, dates, + - * / ** % and parentheses",
                )
        return self._found

    def _take_of(self) -> bool:
        """`of` and 的 behind a share take it of what follows."""
        # A parenthesis that was never opened may close before any operand.
        is_behind = self._is_operand_before and bool(self._found.operands)
        match = _OF.match(self._text, self._at) if is_behind else None
        if match is None or _OF_POWER.match(self._text, match.end()):
            return False
        self._append("*", match.end())
        self._is_of_open = not _is_part(self._found.operands[-1])
        return True

    def _take_operand(self) -> bool:
        found = self._date() or self._quantity()
        if found is None:
            return False
        value, end = found
        if self._is_operand_before:
            if not self._is_continued(value):
                return False
            # One operand still: twice 3小时20分钟 is 6小时40分钟.
            self._found.operands[-1] = add(self._found.operands[-1], value)
        else:
            self._found.code += f"_{len(self._found.operands)}{')' * self._is_root_open}"
            self._is_root_open = False
            self._found.operands.append(value)
        self._at, self._is_operand_before = end, True
        self._last_unit = value.unit if isinstance(value, Amount) else ""
        if self._is_of_open and not _is_part(value):
            raise InputError("neither side of the 'of' is a share", remedy="write * for a product")
        self._is_of_open = False
        return True

    def _is_continued(self, value: Value) -> bool:
        """3小时20分钟, 5 feet 3 inches: the later one is of the same kind and smaller."""
        unit = self._last_unit
        if not (unit and isinstance(value, Amount) and value.unit):
            return False
        return dimension_of(unit) == dimension_of(value.unit) and size_of(value.unit) < size_of(unit)

    def _take_operator(self) -> bool:
        for pattern, sign in _OPERATORS:
            if match := pattern.match(self._text, self._at):
                self._append(match[1] if sign == "call" else sign, match.end())
                return True
        return False

    def _append(self, sign: str, end: int) -> None:
        if sign == "root":
            # Of what stands in parentheses behind it, or of the next operand alone.
            self._is_root_open = not self._text[end:].lstrip().startswith("(")
            sign = "sqrt(" if self._is_root_open else "sqrt"
        self._found.code += sign
        self._found.steps += sign not in ("", "(", ")", ",")
        self._at, self._last_unit = end, ""
        self._is_operand_before = sign == ")" or sign.startswith("**") and len(sign) > 2

    def _date(self) -> tuple[date, int] | None:
        if match := _DATE.match(self._text, self._at):
            days = find_dates(match.group())
            if len(days) == 1 and days[0].year and days[0].month and days[0].day:
                try:
                    return date(days[0].year, days[0].month, days[0].day), match.end()
                except ValueError as exc:
                    raise InputError(
                        f"there is no day {match.group()}", remedy="write one of the calendar"
                    ) from exc
        for word, days_ahead in _DAYS.items():
            if self._text.startswith(word, self._at):
                return self._today + timedelta(days=days_ahead), self._at + len(word)
        return None

    def _quantity(self) -> tuple[Amount, int] | None:
        if found := _share_zh(self._text, self._at):
            return found
        sign = sign_at(self._text, self._at)
        number = _number(self._text, sign[1] if sign else self._at)
        if number is None:
            return None
        value, end = number
        if sign:
            return Amount(value, sign[0]), end
        unit = _unit(self._text, end)
        if unit is None:
            return Amount(value), end
        name, end = unit
        if name == "year" and FIRST_YEAR <= value <= LAST_YEAR:
            raise InputError(
                f"{value} is a year of the calendar, no span of time", remedy="write a whole day, 2024-03-01"
            )
        return Amount(value, name), end


def _is_part(value: Value) -> bool:
    """Whether it is a share or a fraction, of which one can say: of."""
    return isinstance(value, Amount) and (value.is_share or (not value.unit and value.value.denominator > 1))


def _unit(text: str, at: int) -> tuple[str, int] | None:
    start = at + (text[at : at + 1] == " ")
    if found := unit_at(text, start):
        return found
    for name, pattern in _EXTRA_UNITS:
        if match := pattern.match(text, start):
            return name, match.end()
    return None


def _share_zh(text: str, at: int) -> tuple[Amount, int] | None:
    if match := _SHARE_ZH.match(text, at):
        value = _spoken_number(match[1])
        return (Amount(value, PERCENT), match.end()) if value is not None else None
    if match := _PART_ZH.match(text, at):
        bottom, top = _spoken_number(match[1]), _spoken_number(match[2])
        return (Amount(top / bottom), match.end()) if bottom and top is not None else None
    if match := _TENTHS.match(text, at):
        return Amount(_tenths(match), PERCENT), match.end()
    for words, part in _WORD_PARTS.items():
        if text.startswith(words, at) and not text[at + len(words) :][:1].isalpha():
            return Amount(part), at + len(words)
        if not words.isascii() and text.startswith(words, at):
            return Amount(part), at + len(words)
    return None


def _tenths(match: re.Match) -> Fraction:
    """三成 is 30 %, 三成五 35 %; 八折 leaves 80 %, 八五折 85 %."""
    if match[1]:
        return _spoken_number(match[1]) * 10 + (_spoken_number(match[2]) if match[2] else 0)
    digits = (
        [_spoken_number(char) for char in match[3]] if "." not in match[3] and not match[3].isascii() else []
    )
    if len(digits) == 2:
        return digits[0] * 10 + digits[1]
    return _spoken_number(match[3]) * 10


def _number(text: str, at: int) -> tuple[Fraction, int] | None:
    at += text[at : at + 1] == " "
    if match := _NUMBER.match(text, at):
        if len(match.group()) > MAX_DIGITS:
            raise InputError(f"a number has at most {MAX_DIGITS} digits", remedy="write a smaller one")
        return _scaled(text, Fraction(match.group()), match.end())
    if match := _NUMERAL.match(text, at):
        if len(match.group()) > MAX_DIGITS:
            raise InputError(f"a number has at most {MAX_DIGITS} digits", remedy="write a smaller one")
        value = _spoken_number(match.group())
        return (value, match.end()) if value is not None else None
    match = re.compile("[a-z]+").match(text, at)
    if match and match.group() in _WORD_NUMBERS:
        return _worded(text, match)
    return None


def _worded(text: str, match: re.Match) -> tuple[Fraction, int]:
    value, end = Fraction(_WORD_NUMBERS[match.group()]), match.end()
    ones = re.compile(r"[-\s](one|two|three|four|five|six|seven|eight|nine)\b").match(text, end)
    if value >= 20 and ones:
        value, end = value + _WORD_NUMBERS[ones[1]], ones.end()
    return _scaled(text, value, end)


def _scaled(text: str, value: Fraction, end: int) -> tuple[Fraction, int]:
    """With what stands behind a number: 1.2亿, 3万5千, 2.5 million."""
    total, last = Fraction(0), None
    while match := _SCALE.match(text, end):
        scale = _SCALES[match[1]]
        if last is not None and scale >= last:
            break
        total, last, end = total + value * scale, scale, match.end()
        more = _NUMBER.match(text, end)
        if more is None or match[1].isascii():
            return total, end
        if not _SCALE.match(text, more.end()):
            # 3万5 is said for 35,000, and written by nobody who reckons.
            return total, end
        value, end = Fraction(more.group()), more.end()
    return (total, end) if last is not None else (value, end)


def _spoken_number(text: str) -> Fraction | None:
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return Fraction(text)
    whole, _, tenths = text.partition("点")
    value = numeral_value(whole) if whole and not re.search(r"[\d.]", whole) else None
    if value is None:
        return None
    digits = "".join(str(int(numeral_value(char) or 0)) for char in tenths)
    return Fraction(int(value)) + (Fraction(int(digits), 10 ** len(digits)) if digits else 0)
