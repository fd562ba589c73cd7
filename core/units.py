"""Numbers with their units of measure, as texts in Chinese and English write them.

Each unit knows its dimension and its size there, so that 1.5 km and 1,500 metres are one.
Pure functions; knows nothing of evidence or of claims.
"""

import re
import unicodedata
from fractions import Fraction

from core.text import detect_language
from core.wording import fold, numbers, numeral_value, without_codes

# name: (dimension, size in it, how it is written). Of units of one beginning the longer stands first.
_TABLE: dict[str, tuple[str, float | Fraction, str]] = {
    "square kilometre": ("area", 1e6, "平方公里|平方千米|km²|km2|sq km|square kilomet(?:re|er)s?"),
    "square metre": ("area", 1, r"平方米|平米|m²|m2(?![a-z\d])|sqm|square met(?:re|er)s?"),
    "hectare": ("area", 1e4, "公顷|hectares?"),
    "mu": ("area", Fraction(2000, 3), "亩"),
    "acre": ("area", 4046.8564224, "英亩|acres?"),
    "cubic metre": ("volume", 1000, "立方米|m³|cubic met(?:re|er)s?"),
    "millilitre": ("volume", 0.001, r"毫升|ml(?![a-z])|millilit(?:re|er)s?"),
    "litre": ("volume", 1, "升(?![级高至到为降])|lit(?:re|er)s?|l(?![a-z/.])"),
    "gallon": ("volume", 3.785411784, "加仑|gallons?"),
    "day": ("time", 1, "天(?!然|津)|日(?!元|本|圆)|days?|(?:working|business) days?|个?工作日"),
    "week": ("time", 7, "个?星期(?![一二三四五六日天])|周(?![一二三四五六日年岁])|weeks?"),
    "month": ("months", 1, "个?个月|(?<=0.5)月|months?"),
    "quarter": ("months", 3, "个?季度|quarters?(?! of)"),
    "year": ("months", 12, "年(?![级代])|years?|yrs?(?![a-z])"),
    "decade": ("months", 120, "decades?"),
    "century": ("centuries", 1, "世纪|centur(?:y|ies)"),
    "hour": ("time", Fraction(1, 24), "个?小时|hours?|hrs?(?![a-z])|h(?![a-z])"),
    "minute": ("time", Fraction(1, 1440), "分钟|minutes?|mins?(?![a-z])"),
    "second": ("time", Fraction(1, 86400), "秒|seconds?|secs?(?![a-z])|s(?![a-z])"),
    "percentage point": ("points", 1, "个?百分点|percentage points?"),
    "percent": ("share", 0.01, "%|percent|per cent"),
    "per mille": ("share", 0.001, "‰|per mille"),
    "kelvin": ("kelvin", 1, "kelvin"),
    "fahrenheit": ("fahrenheit", 1, "°f|华氏度|degrees? fahrenheit"),
    "degree": ("degree", 1, "°c|℃|°|摄氏度|度(?![假过量])|degrees?"),
    "millimetre": ("length", 0.001, r"毫米|mm(?![a-z])|millimet(?:re|er)s?"),
    "centimetre": ("length", 0.01, r"厘米|公分|cm(?![a-z])|centimet(?:re|er)s?"),
    "kilometre": ("length", 1000, r"公里|千米|km(?![a-z/²2])|kilomet(?:re|er)s?"),
    "mile": ("length", 1609.344, "英里|miles?"),
    "foot": ("length", 0.3048, r"英尺|ft(?![a-z])|feet|foot"),
    "inch": ("length", 0.0254, "英寸|inch(?:es)?"),
    "metre": ("length", 1, r"米|met(?:re|er)s?|m(?![a-z²³/\d])"),
    "milligram": ("mass", 1e-6, r"毫克|mg(?![a-z])|milligrams?"),
    "kg": ("mass", 1, r"公斤|千克|kg(?![a-z])|kilograms?|kilos?(?![a-z])"),
    "jin": ("mass", 0.5, "斤"),
    "tonne": ("mass", 1000, "公吨|吨|tonnes?|tons?(?![a-z])"),
    "gram": ("mass", 0.001, r"克(?![拉隆服里])|grams?|(?<=\s)g(?![a-z])"),
    "pound": ("mass", 0.45359237, r"磅|pounds?(?! sterling)|lbs?(?![a-z])"),
    "ounce": ("mass", 0.028349523125, r"盎司|ounces?|oz(?![a-z])"),
    "kilowatt hour": ("energy", 1, "千瓦时|kwh"),
    "megawatt": ("power", 1e6, r"兆瓦|mw(?![a-z])|megawatts?"),
    "kilowatt": ("power", 1000, r"千瓦|kw(?![a-z])|kilowatts?"),
    "watt": ("power", 1, r"瓦(?![斯特尔])|watts?|w(?![a-z])"),
    "volt": ("voltage", 1, r"伏特?|volts?|v(?![a-z\d])"),
    "gigabyte": ("data", 1e9, r"gb(?![a-z])|gigabytes?"),
    "megabyte": ("data", 1e6, r"mb(?![a-z])|megabytes?"),
    "terabyte": ("data", 1e12, r"tb(?![a-z])|terabytes?"),
    "hertz": ("frequency", 1, "赫兹|hz(?![a-z])"),
    "us dollar": ("us dollar", 1, "美元|美金|us dollars?|usd|dollars?"),
    "euro": ("euro", 1, "欧元|euros?|eur(?![a-z])"),
    "pound sterling": ("pound sterling", 1, "英镑|pounds? sterling|gbp"),
    "yen": ("yen", 1, "日元|日圆|yen|jpy"),
    "hk dollar": ("hk dollar", 1, "港元|港币|hkd"),
    "yuan": ("yuan", 1, "人民币|元(?!素|旦|老|年)|块钱|yuan|rmb|cny"),
}  # fmt: skip
_SIGNS = {
    "us dollar": r"us\$|\$|usd\s?", "euro": r"€|eur\s?", "pound sterling": r"£|gbp\s?",
    "yuan": r"¥|￥|rmb\s?|cny\s?|人民币", "hk dollar": r"hk\$|hkd\s?",
}  # fmt: skip
_SCALES = {
    "million": 1e6, "billion": 1e9, "trillion": 1e12, "thousand": 1e3,
    "千": 1e3, "百万": 1e6, "万": 1e4, "亿": 1e8, "万亿": 1e12,
}  # fmt: skip
_NUMBER = r"(?<![a-z\d.])(?P<number>\d+(?:\.\d+)?)"
_SCALE = r"\s*(?P<scale>million|billion|trillion|thousand|百万|万亿|万|亿|千(?![米克瓦卡]))?"

_SHARE = re.compile(r"百分之\s*([\d.零一二三四五六七八九十百]+)")
_HALF = re.compile("(?<![个年月天时])半个?(年|小时|天|月)")


def _group(name: str) -> str:
    return name.replace(" ", "_")


_BEHIND = "|".join(f"(?P<{_group(name)}>{pattern})" for name, (_, _, pattern) in _TABLE.items())
_UNIT = re.compile(_BEHIND)
_SIGN = re.compile("|".join(f"(?P<{_group(name)}>{sign})" for name, sign in _SIGNS.items()))
_QUANTITY = re.compile(
    rf"{_NUMBER}{_SCALE}(?P<half>个?半)?[余多]?[\s-]*(?:(?:full|whole|consecutive|calendar)\s+)?(?:{_BEHIND})(?P<half2>半(?!天|年))?"
)
_PRICE = re.compile(
    "(?:"
    + "|".join(f"(?P<{_group(name)}>{sign})" for name, sign in _SIGNS.items())
    + r")\s?(?P<number>\d+(?:\.\d+)?)" + _SCALE
)


def quantities(text: str) -> set[tuple[float, str]]:
    """(value, unit) for every number with a known unit of measure: behind it, or a sign of money
    before it."""
    text = _SHARE.sub(lambda match: f"{_value(match[1]) or 0:.10g}%", without_codes(text))
    folded = _HALF.sub(lambda match: f"0.5{match[1]}", fold(_spell_digits(text)))
    return {*_found(_QUANTITY, _TABLE, folded), *_found(_PRICE, _SIGNS, folded)}


def same_amount(one: tuple[float, str], other: tuple[float, str]) -> bool:
    """Whether two quantities are one: of one dimension, and equal there within half a percent."""
    (value, unit), (held, held_unit) = one, other
    dimension, size, _ = _TABLE[unit]
    if dimension != _TABLE[held_unit][0]:
        return False
    mine, theirs = value * size, held * _TABLE[held_unit][1]
    return abs(mine - theirs) <= 0.005 * max(abs(mine), abs(theirs))


def same_dimension(unit: str, other: str) -> bool:
    """Whether two units measure the same; each currency is alone."""
    return _TABLE[unit][0] == _TABLE[other][0]


def dimension_of(unit: str) -> str:
    """What the unit measures; each currency is alone."""
    return _TABLE[unit][0]


def size_of(unit: str) -> Fraction:
    """How large the unit is in its dimension, exactly."""
    size = _TABLE[unit][1]
    return size if isinstance(size, Fraction) else Fraction(str(size))


def unit_at(folded: str, at: int) -> tuple[str, int] | None:
    """The unit that is written at a place of a folded text, and where it ends."""
    match = _UNIT.match(folded, at)
    return (next(name for name in _TABLE if match[_group(name)]), match.end()) if match else None


def sign_at(folded: str, at: int) -> tuple[str, int] | None:
    """The currency whose sign is written at a place of a folded text, and where that ends."""
    match = _SIGN.match(folded, at)
    return (next(name for name in _SIGNS if match[_group(name)]), match.end()) if match else None


def _found(pattern: re.Pattern, named: dict, folded: str) -> set[tuple[float, str]]:
    found = set()
    for match in pattern.finditer(folded):
        unit = next(name for name in named if match[_group(name)])
        value = float(match["number"]) * _SCALES.get(match["scale"] or "", 1)
        groups = match.groupdict()
        value += 0.5 * bool(groups.get("half") or groups.get("half2"))
        if not (unit == "year" and 1000 <= value <= 2200):  # a year of the calendar is no span of time
            found.add((value, unit))
    return found


def _value(written: str) -> float | None:
    """Of one number, in digits or in words of either language."""
    folded = fold(written)
    if re.fullmatch(r"[\d.]*\d", folded):
        return float(folded)
    if folded.isascii():
        return max(numbers(folded), default=None)
    return numeral_value(folded) if _NUMERAL.fullmatch(folded) else None


def _spell_digits(text: str) -> str:
    """Numerals before a unit as digits: 十八个月 as 18个月, twelve months as 12 months."""
    def spell(match: re.Match) -> str:
        value = _value(match.group())
        return match.group() if value is None else f"{value:.10g}"

    text = unicodedata.normalize("NFKC", text)
    if detect_language(text) != "zh":
        return _ENGLISH_NUMBER.sub(spell, text)
    return _CHINESE_NUMBER.sub(spell, text)


_CHINESE_NUMBER = re.compile(
    "[零一二两兩三四五六七八九十百千万萬亿億壹贰叁肆伍陆柒捌玖拾佰仟]+(?=个?[工月年天日小分周星季世半]|公|千克|毫|厘|米|吨|克|斤|平方|亩|升|美元|欧元|英镑|日元|港|元|度|英|磅|秒)"
)
_NUMERAL = re.compile("[零〇一二两兩三四五六七八九十百千万亿]+")
_ENGLISH_NUMBER = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)\b(?=[\s-])",
    re.IGNORECASE,
)
