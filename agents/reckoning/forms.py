"""The forms of questions that ask for reckoning, and how each is answered.

A form is a pattern that must fit the whole question, and what is worked out of its parts. Pure.
"""

import re
from collections.abc import Callable
from datetime import date
from fractions import Fraction

from agents.reckoning.amounts import (
    PERCENT,
    TEMPERATURES,
    Amount,
    Value,
    add,
    convert,
    divide,
    months_between,
)
from agents.reckoning.calculation import Calculation, calculation
from agents.reckoning.expression import mean, total, work_out
from agents.reckoning.showing import show, weekday
from core.errors import InputError
from core.units import unit_at


class NotSo(Exception):
    """The words of a form are there, and mean something else."""


def _value(text: str, today: date) -> Value:
    return work_out(text, today).value


def _amount(text: str, today: date) -> Amount:
    value = _value(text, today)
    if isinstance(value, date):
        raise InputError("an amount is needed here, not a day", remedy="write a number")
    return value


def _day(text: str, today: date) -> date:
    value = _value(text, today)
    if not isinstance(value, date):
        raise InputError("a day is needed here", remedy="write it as 2024-03-01")
    return value


def _span(match: re.Match, today: date, language: str) -> Calculation:
    """Days, weeks, months or years from one day to another."""
    first, last = _day(match["first"], today), _day(match["last"], today)
    asked = f"{first} → {last}"
    days = Amount(Fraction((last - first).days), "day")
    unit = match.groupdict().get("unit") or "days"
    if re.search("week|周|星期", unit):
        return calculation(asked, convert(days, "week"), 1, language)
    if not re.search("month|月|year|年", unit):
        return calculation(asked, days, 1, language)
    (early, late), sign = ((first, last), "") if first <= last else ((last, first), "-")
    months, rest = months_between(early, late)
    is_years = bool(re.search("year|年", unit))
    count, months = (months // 12, months % 12) if is_years else (months, 0)
    parts = [Amount(Fraction(count), "year" if is_years else "month")]
    parts += [Amount(Fraction(months), "month")] if months else []
    parts += [Amount(Fraction(rest), "day")] if rest else []
    shown = " ".join(show(part, language) for part in parts)
    return Calculation(asked, f"{sign}{shown}", f"{sign}{count}", parts[0].unit, True, 1)


def _weekday(match: re.Match, today: date, language: str) -> Calculation:
    day = _day(match["day"], today)
    name = weekday(day, language)
    return Calculation(day.isoformat(), name, name, "", True, 1)


def _shift(match: re.Match, today: date, language: str) -> Calculation:
    """The day so long after or before another one."""
    day, span = _day(match["day"], today), _amount(match["span"], today)
    sign = -1 if re.match("before|前|以前|之前|ago", match["way"]) else 1
    value = add(day, span, sign)
    return calculation(f"{day} {'+' if sign > 0 else '-'} {show(span, language)}", value, 1, language)


def _converted(match: re.Match, today: date, language: str) -> Calculation:
    """An amount in another unit."""
    one = _amount(match["one"], today)
    unit = _unit_named(match["unit"])
    if unit is None or not one.unit:
        raise NotSo
    if one.unit not in TEMPERATURES and unit in TEMPERATURES and unit != "kelvin":
        raise InputError(f"{one.unit} is no temperature", remedy="choose a unit that measures the same")
    value = convert(one, unit)
    return calculation(show(one, language), value, 1, language)


def _unit_named(text: str) -> str | None:
    words = {
        "celsius": "degree", "degrees celsius": "degree", "c": "degree", "f": "fahrenheit", "g": "gram",
        "percent": PERCENT, "百分比": PERCENT, "百分数": PERCENT,
    }  # fmt: skip
    if text.strip() in words:
        return words[text.strip()]
    found = unit_at(text.strip(), 0)
    return found[0] if found and found[1] == len(text.strip()) else None


def _percent_of(match: re.Match, today: date, language: str) -> Calculation:
    """Which share the part is of the whole."""
    part, whole = _amount(match["part"], today), _amount(match["whole"], today)
    value = convert(divide(part, whole), PERCENT)
    return calculation(f"{show(part, language)} / {show(whole, language)}", value, 1, language)


def _growth(match: re.Match, today: date, language: str) -> Calculation:
    """By how much per cent something grew; what fell grew by less than nothing."""
    first, last = _amount(match["first"], today), _amount(match["last"], today)
    value = convert(divide(add(last, first, -1), first), PERCENT)
    asked = f"({show(last, language)} - {show(first, language)}) / {show(first, language)}"
    return calculation(asked, value, 2, language)


def _listed(work: Callable[[list[Value]], Value], sign: str) -> Callable[[re.Match, date, str], Calculation]:
    def answer(match: re.Match, today: date, language: str) -> Calculation:
        parts = [part.strip() for part in re.split(r",|、|\band\b|和|与|及", match["list"]) if part.strip()]
        if len(parts) < 2:
            raise NotSo
        values = [_value(part, today) for part in parts]
        shown = f" {sign} ".join(show(value, language) for value in values)
        asked = (
            f"({shown}) / {len(values)}" if work is mean else f"|{shown}|" if work is _difference else shown
        )
        return calculation(asked, work(values), len(values) - 1, language)

    return answer


def _difference(values: list[Value]) -> Value:
    if len(values) != 2:
        raise NotSo
    found = add(values[0], values[1], -1)
    return Amount(abs(found.value), found.unit, found.is_exact) if isinstance(found, Amount) else found


def _less(match: re.Match, today: date, language: str) -> Calculation:
    one, other = _amount(match["one"], today), _amount(match["other"], today)
    if match.groupdict().get("percent"):
        value = convert(divide(add(one, other, -1), other), PERCENT)
        value = Amount(abs(value.value), PERCENT, value.is_exact)
        return calculation(
            f"({show(one, language)} - {show(other, language)}) / {show(other, language)}", value, 2, language
        )
    value = add(one, other, -1)
    if isinstance(value, date):
        raise NotSo
    sign = -1 if re.search("少|低|less|smaller", match["way"]) else 1
    return calculation(
        f"{show(one, language)} - {show(other, language)}",
        Amount(sign * value.value, value.unit, value.is_exact),
        1,
        language,
    )


def _times(match: re.Match, today: date, language: str) -> Calculation:
    one, other = _amount(match["one"], today), _amount(match["other"], today)
    return calculation(f"{show(one, language)} / {show(other, language)}", divide(one, other), 1, language)


_ASK = r"(?:请问|请|计算|算一下|算算)?(?:一下)?\s*"
_ASK_EN = (
    r"(?:please )?(?:(?:tell me|calculate|compute|work out|find) )?(?:what(?:'s| is) |how much is )?(?:the )?"
)
_ANY = r".{1,120}?"


def _forms(*forms: tuple[str, Callable[[re.Match, date, str], Calculation]]) -> tuple:
    return tuple((re.compile(pattern), answer) for pattern, answer in forms)


_DAYS_ZH = "(?P<unit>天|日|周|个?星期|个?月|年)"
FORMS = _forms(
    (
        rf"{_ASK}(?:从|自)?(?P<first>{_ANY})(?:到|至|和|与|距离?)(?P<last>{_ANY})(?:一共|总共|之间"
        rf"|间|相隔|相差|隔了?|差|过了?|共|有|是|[,\s])*(?:多少|几)个?{_DAYS_ZH}",
        _span,
    ),
    (
        rf"{_ASK}(?:从|自)?(?P<first>{_ANY})(?:到|至)(?P<last>{_ANY})(?:一共|总共|相隔|有|是|过了?"
        rf"|[,\s])*(?:多久|多长时间)",
        _span,
    ),
    (
        rf"{_ASK_EN}(?:how many |number of )(?P<unit>days?|weeks?|months?|years?)(?: are there| are"
        rf"| is it| lie| is there)? (?:between|from) (?P<first>{_ANY}) (?:and|to|until|till) "
        rf"(?P<last>{_ANY})",
        _span,
    ),
    (
        rf"(?:how long is it|{_ASK_EN}time) (?:between|from) (?P<first>{_ANY}) (?:and|to|until) "
        rf"(?P<last>{_ANY})",
        _span,
    ),
    (rf"{_ASK}(?P<day>{_ANY})(?:那天)?(?:是|为)?(?:星期几|周几|礼拜几)", _weekday),
    (
        rf"{_ASK_EN}(?:(?:what|which) )?(?:day of the week|weekday) (?:is|was|of|on) "
        rf"(?P<day>{_ANY})",
        _weekday,
    ),
    (rf"(?:what|which) (?:day of the week|weekday) (?:is|was|will) (?P<day>{_ANY})(?: be)?", _weekday),
    (
        rf"{_ASK}(?P<day>{_ANY})(?:再过|过|加上|之?后的?)?"
        rf"(?P<span>[\d一二三四五六七八九十百千两]+ ?(?:天|日|周|个?星期|个月|年))(?P<way>以后|之后"
        rf"|后|以前|之前|前)(?:是|为)?(?:哪一?天|几月几[日号]|几号|什么日期|哪一?日)?",
        _shift,
    ),
    (
        rf"{_ASK_EN}(?:(?:what|which) )?(?:date |day )?(?:is |comes |was )?(?P<span>{_ANY}) "
        rf"(?P<way>after|before|from) (?P<day>{_ANY})",
        _shift,
    ),
    (
        rf"{_ASK_EN}(?:convert |change |express )?(?P<one>{_ANY}) (?:to|into|in|as) "
        rf"(?P<unit>[^\d]{{1,30}}?)",
        _converted,
    ),
    (
        rf"how many (?P<unit>[^\d]{{1,30}}?) (?:are |is )?(?:there )?(?:in|make(?: up)?) "
        rf"(?P<one>{_ANY})",
        _converted,
    ),
    (rf"(?:how much|what) is (?P<one>{_ANY}) (?:in|as) (?P<unit>[^\d]{{1,30}}?)", _converted),
    (
        rf"(?:请问|请|把|将|计算|换算)*(?P<one>{_ANY})(?:换算|折合|转换|化)?(?:成|为|是|等于|合|有)"
        rf"(?:多少|几)?(?P<unit>[^\d多少几]{{1,8}}?)(?:是多少)?",
        _converted,
    ),
    (
        rf"{_ASK_EN}(?:what )?(?:percent|percentage|per cent) (?:of )(?P<whole>{_ANY}) (?:is|are) "
        rf"(?P<part>{_ANY})",
        _percent_of,
    ),
    (
        rf"(?P<part>{_ANY}) (?:is|are) what (?:percent|percentage|per cent|share) of "
        rf"(?P<whole>{_ANY})",
        _percent_of,
    ),
    (
        rf"{_ASK}(?P<part>{_ANY})(?:占|是)(?P<whole>{_ANY})的(?:百分之几|百分之多少|百分比|比例"
        rf"|几分之几)(?:是多少)?",
        _percent_of,
    ),
    (
        rf"{_ASK_EN}(?:percent(?:age)? )?(?:growth|increase|decrease|change|rise|drop)(?: rate)?"
        rf"(?: in percent)? from (?P<first>{_ANY}) to (?P<last>{_ANY})",
        _growth,
    ),
    (
        rf"{_ASK}(?:从|由)(?P<first>{_ANY})(?:增长|增加|上升|下降|减少|降|涨|升|变)?(?:到|至|为)"
        rf"(?:了)?(?P<last>{_ANY})[,\s]*(?:的)?(?:增长|增加|上升|下降|减少|降|涨|变化|增|增幅|涨幅"
        rf"|降幅|增长率|变化率)了?(?:是)?(?:百分之几|百分之多少|多少百分比|率?是?多少|几个百分比)",
        _growth,
    ),
    (
        rf"{_ASK}(?P<one>{_ANY})比(?P<other>{_ANY})(?P<way>多|少|大|小|高|低)了?"
        rf"(?P<percent>百分之几|百分之多少)",
        _less,
    ),
    (rf"{_ASK}(?P<one>{_ANY})比(?P<other>{_ANY})(?P<way>多|少|大|小|高|低)了?多?少?", _less),
    (rf"how much (?P<way>more|less|larger|smaller) is (?P<one>{_ANY}) than (?P<other>{_ANY})", _less),
    (rf"{_ASK}(?P<one>{_ANY})是(?P<other>{_ANY})的(?:多少|几)倍", _times),
    (rf"how many times (?:is )?(?P<other>{_ANY}) (?:in|goes into) (?P<one>{_ANY})", _times),
    (rf"{_ASK_EN}(?:sum|total) of (?P<list>.{{1,200}})", _listed(total, "+")),
    (rf"{_ASK}(?P<list>.{{1,200}}?)(?:的|之)(?:总和|和|总数)(?:是|为|等于)?(?:多少)?", _listed(total, "+")),
    (rf"{_ASK_EN}(?:average|mean) of (?P<list>.{{1,200}})", _listed(mean, "+")),
    (rf"{_ASK}(?P<list>.{{1,200}}?)的平均(?:值|数)?(?:是|为|等于)?(?:多少)?", _listed(mean, "+")),
    (rf"{_ASK_EN}difference (?:between|of) (?P<list>.{{1,200}})", _listed(_difference, "-")),
    (
        rf"{_ASK}(?P<list>.{{1,200}}?)(?:的|之)?(?:差|相差)(?:是|为|等于)?(?:多少)?",
        _listed(_difference, "-"),
    ),
)  # fmt: skip
"""Each is tried until one fits in full and its parts can be worked out as what they stand for."""
