"""Values as people read them, in Chinese and English."""

from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from agents.reckoning.amounts import Value

MAX_PLACES = 15
"""A value with more decimal places is rounded, and marked ≈."""
SIGNIFICANT = 12
MAX_WHOLE_DIGITS = 60
_ZH = {
    "square kilometre": "平方公里", "square metre": "平方米", "hectare": "公顷", "mu": "亩", "acre": "英亩",
    "cubic metre": "立方米", "millilitre": "毫升", "litre": "升", "gallon": "加仑", "day": "天", "week": "周",
    "month": "个月", "quarter": "个季度", "year": "年", "decade": "个十年", "century": "个世纪",
    "hour": "小时", "minute": "分钟", "second": "秒", "percentage point": "个百分点", "per mille": "‰",
    "kelvin": "K",
    "fahrenheit": "°F", "degree": "°C", "millimetre": "毫米", "centimetre": "厘米", "kilometre": "公里",
    "mile": "英里", "foot": "英尺", "inch": "英寸", "metre": "米", "milligram": "毫克", "kg": "公斤",
    "jin": "斤", "tonne": "吨", "gram": "克", "pound": "磅", "ounce": "盎司", "kilowatt hour": "千瓦时",
    "megawatt": "兆瓦", "kilowatt": "千瓦", "watt": "瓦", "volt": "伏", "gigabyte": "GB", "megabyte": "MB",
    "terabyte": "TB", "hertz": "赫兹", "us dollar": "美元", "euro": "欧元", "pound sterling": "英镑",
    "yen": "日元", "hk dollar": "港元", "yuan": "元",
}  # fmt: skip
_EN = {
    "square kilometre": "km²", "square metre": "m²", "cubic metre": "m³", "per mille": "‰", "kelvin": "K",
    "fahrenheit": "°F", "degree": "°C", "kg": "kg", "gigabyte": "GB", "megabyte": "MB", "terabyte": "TB",
    "foot": "feet", "inch": "inches", "century": "centuries", "us dollar": "US dollars", "euro": "euros",
    "pound sterling": "pounds sterling", "yen": "yen", "hk dollar": "Hong Kong dollars", "yuan": "yuan",
    "mu": "mu", "jin": "jin", "hertz": "hertz",
}  # fmt: skip
_EN_ONE = {"foot": "foot", "inch": "inch", "century": "century", "us dollar": "US dollar", "euro": "euro",
           "pound sterling": "pound sterling", "hk dollar": "Hong Kong dollar"}  # fmt: skip
_WEEKDAYS = {
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


def show(value: Value, language: str) -> str:
    """A value with its unit; a day as 2024-03-01."""
    if isinstance(value, date):
        return value.isoformat()
    number = show_number(value.value)
    if value.is_share:
        return f"{number}%"
    if not value.unit:
        return number
    return f"{number} {unit_name(value.unit, value.value, language)}"


def is_shown_exactly(value: Value) -> bool:
    """Whether nothing is lost in what is shown."""
    return isinstance(value, date) or (
        value.is_exact and _places(value.value) is not None and _is_short(value.value)
    )


def unit_name(unit: str, count: Fraction, language: str) -> str:
    """The name of a unit behind a count."""
    if language == "zh":
        return _ZH.get(unit, unit)
    if abs(count) == 1:
        return _EN_ONE.get(unit, _EN.get(unit, unit))
    return _EN.get(unit, f"{unit}s")


def weekday(day: date, language: str) -> str:
    """Its name."""
    return _WEEKDAYS[language][day.weekday()]


def show_number(value: Fraction) -> str:
    """With commas; rounded to twelve significant digits where it does not end."""
    places = _places(value)
    if places is not None and _is_short(value):
        shifted = abs(value) * 10**places
        digits = str(shifted.numerator).rjust(places + 1, "0")
        whole, tail = (digits[:-places], digits[-places:]) if places else (digits, "")
        return f"{'-' if value < 0 else ''}{int(whole):,}{'.' + tail if tail else ''}"
    rounded = Context(prec=SIGNIFICANT, rounding=ROUND_HALF_EVEN).divide(
        Decimal(value.numerator), Decimal(value.denominator)
    )
    if not -6 <= rounded.adjusted() < MAX_WHOLE_DIGITS // 4:
        return f"{rounded.normalize():e}"
    return f"{rounded.normalize():,f}"


def number_of(value: Value) -> str:
    """Without commas and unit, for scripts."""
    return value.isoformat() if isinstance(value, date) else show_number(value.value).replace(",", "")


def _is_short(value: Fraction) -> bool:
    return abs(value) < 10**MAX_WHOLE_DIGITS


def _places(value: Fraction) -> int | None:
    """How many decimal places it has; None where it has no end, or one that is far off."""
    rest, places = value.denominator, 0
    while rest % 10 == 0:
        rest, places = rest // 10, places + 1
    for prime in (2, 5):
        while rest % prime == 0:
            rest, places = rest // prime, places + 1
    return places if rest == 1 and places <= MAX_PLACES else None
