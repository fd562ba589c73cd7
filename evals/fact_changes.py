"""Makes a statement false by changing one fact in it, in Chinese and English.

Each change gives the new text and the stretch of it that is wrong, or None where there is
nothing to change. Pure given its random source; knows nothing of guards. The changes of
`UNSEEN` are never learned from: they measure how far a guard reaches.
"""

import random
import re
from collections.abc import Callable, Sequence

from core.text import detect_language

Changed = tuple[str, tuple[int, int]] | None
_NUMBER = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_ZH_NUMERAL = re.compile(
    "(?<![一二三四五六七八九十百千万亿统单同])[一二两三四五六七八九十百千]{1,4}"
    "(?=[个名次年月天人位种岁座场家所部届万])"
)
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTH = re.compile(r"\b(?:" + "|".join(_MONTHS) + r")\b")
_ZH_DATE = re.compile(r"\d{1,4}(?=年)|\d{1,2}(?=[月日])")
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_NAME_EN = re.compile(r"(?<=[a-z,;:] )[A-Z][a-z]+(?: [A-Z][a-z]+)*")
_PAIRS: dict[str, Sequence[tuple[str, ...]]] = {
    "unit": (
        ("公里", "米", "英里"), ("公斤", "吨", "克"), ("小时", "分钟", "天"), ("个月", "年", "周"),
        ("平方公里", "公顷"),
        ("kilometers", "miles", "meters"), ("km", "m"), ("kg", "tons"), ("hours", "minutes", "days"),
        ("months", "weeks", "years"), ("percent", "points"), ("feet", "yards", "metres"),
        ("pounds", "ounces"),
        ("年", "个月"), ("天", "周"), ("秒", "分钟"), ("days", "months"), ("years", "decades"),
        ("seconds", "minutes"),
    ),
    "quantifier": (
        ("所有", "部分"), ("全部", "少数"), ("大多数", "少数"), ("许多", "极少"), ("每个", "个别"),
        ("都", "大多不"), ("只有", "不仅"),
        ("all", "some", "no"), ("most", "few"), ("many", "few"), ("every", "hardly any"),
        ("only", "not only"), ("both", "neither"),
        ("several", "no"), ("always", "sometimes"), ("usually", "never"), ("never", "often"),
        ("some", "all"), ("each", "one"),
    ),
    "opposite": (
        ("增加", "减少"), ("上升", "下降"), ("提高", "降低"), ("最高", "最低"), ("最大", "最小"),
        ("最多", "最少"), ("胜利", "失败"), ("成功", "失败"),
        ("支持", "反对"), ("之前", "之后"), ("允许", "禁止"), ("进口", "出口"), ("赢得", "失去"),
        ("开始", "结束"), ("长", "短"), ("内", "外"),
        ("同意", "拒绝"), ("高于", "低于"), ("超过", "不足"), ("早", "晚"), ("父亲", "母亲"),
        ("儿子", "女儿"), ("买", "卖"), ("攻击", "保护"),
        ("increase", "decrease"), ("increased", "decreased"), ("rose", "fell"), ("before", "after"),
        ("largest", "smallest"), ("highest", "lowest"),
        ("won", "lost"), ("win", "lose"), ("first", "last"), ("more", "fewer"), ("oldest", "youngest"),
        ("support", "oppose"), ("supported", "opposed"),
        ("above", "below"), ("long", "short"), ("large", "small"), ("high", "low"), ("began", "ended"),
        ("started", "ended"), ("son", "daughter"),
        ("father", "mother"), ("male", "female"), ("success", "failure"), ("positive", "negative"),
        ("accept", "reject"), ("buy", "sell"),
        ("public", "private"), ("strong", "weak"), ("early", "late"), ("good", "bad"), ("major", "minor"),
        ("inside", "outside"), ("longer", "shorter"),
    ),
    "direction": (
        ("东部", "西部"), ("南部", "北部"), ("东北", "西南"), ("东南", "西北"), ("东岸", "西岸"),
        ("上游", "下游"), ("左", "右"),
        ("north", "south"), ("east", "west"), ("northern", "southern"), ("eastern", "western"),
        ("North", "South"), ("East", "West"),
        ("Northern", "Southern"), ("Eastern", "Western"), ("left", "right"),
    ),
    "rank": (
        ("第一", "第三"), ("第二", "第五"), ("首次", "第三次"), ("首位", "第二位"), ("冠军", "亚军"),
        ("最后", "倒数第三"), ("首个", "第四个"),
        ("first", "third"), ("second", "fifth"), ("third", "eighth"), ("champion", "runner-up"),
        ("fourth", "ninth"), ("last", "second"),
    ),
    "money": (
        ("美元", "欧元"), ("人民币", "日元"), ("英镑", "美元"), ("港元", "新台币"), ("$", "€"),
        ("£", "$"), ("€", "£"),
        ("dollars", "pounds"), ("pounds", "euros"), ("元", "美元"),
    ),
    "scale": (("亿", "万"), ("万", "亿"), ("million", "billion"), ("billion", "million"),
    ("thousand", "million"), ("hundred", "thousand")),
    "modal": (
        ("可以", "必须"), ("必须", "可以"), ("可能", "一定"), ("会", "不会"), ("计划", "已经"),
        ("may", "must"), ("must", "may"), ("can", "must"),
        ("could", "would surely"), ("planned", "refused"), ("will", "will not"), ("should", "need not"),
        ("would", "would not"),
    ),
}  # fmt: skip
_EN_VERB = re.compile(
    r"\b(is|are|was|were|has|had|can|could|will|would|did|does|do|may|must|should)\b(?! not)"
)
_ZH_VERB = re.compile(
    "(?<![不没未])(?:是|为(?!了)|有(?!关)|在(?=[^，。]{2})|能够?|可以|会|属于|位于|成立|获得|担任|出生)"
)
_ADDED = {
    "zh": ("并因此获得政府嘉奖", "，随后被媒体广泛批评", "，这一点后来写入了公司年报", "，但在次年被取消",
    "，由其弟弟负责", "，费用由当地居民承担"),
    "en": (
        ", which was later cancelled", " together with his brother", " after a long court case",
        ", paid for by local residents",
        ", as the company's report confirms", ", which critics called a failure", " in secret",
    ),
}  # fmt: skip


def change_number(text: str, rng: random.Random) -> Changed:
    """One number, whichever way it is written, becomes another of its size."""
    found = [m for m in _NUMBER.finditer(text) if not _looks_like_date(text, m)] or list(
        _NUMBER.finditer(text)
    )
    if found:
        match = rng.choice(found)
        return _put(text, match.span(), _other_number(match.group(), rng))
    if found := list(_ZH_NUMERAL.finditer(text)):
        match = rng.choice(found)
        choices = [n for n in ("三", "五", "六", "七", "八", "九", "十二", "十五") if n != match.group()]
        return _put(text, match.span(), rng.choice(choices))
    return None


def change_date(text: str, rng: random.Random) -> Changed:
    """A year, month or day becomes another."""
    zh = detect_language(text) == "zh"
    found = list(_ZH_DATE.finditer(text)) if zh else [*_YEAR.finditer(text), *_MONTH.finditer(text)]
    if not found:
        return None
    match = rng.choice(found)
    word = match.group()
    if word in _MONTHS:
        return _put(text, match.span(), rng.choice([m for m in _MONTHS if m != word]))
    value = int(word)
    others = [value + d for d in (-11, -7, -3, -2, -1, 1, 2, 3, 5, 8)] if value > 31 else list(range(1, 13))
    return _put(text, match.span(), str(rng.choice([n for n in others if n != value and n > 0])))


def change_negation(text: str, rng: random.Random) -> Changed:
    """A negation is taken out, or else put in."""
    zh = detect_language(text) == "zh"
    for pattern, instead in (
        (r"\b(?:not|never)\s", ""),
        (r"n't\b", ""),
        ("没有", "有"),
        ("不(?=[会能是可])|未(?=[能曾])", ""),
    ):
        if match := re.search(pattern, text):
            changed = text[: match.start()] + instead + text[match.end() :]
            return changed, (max(0, match.start() - 2), min(len(changed), match.start() + 4))
    found = list((_ZH_VERB if zh else _EN_VERB).finditer(text))
    if not found:
        return None
    match = rng.choice(found)
    if zh:
        word = match.group()
        negated = {"有": "没有", "获得": "未获得", "成立": "并未成立", "出生": "并非出生"}.get(
            word, f"不{word}"
        )
        return _put(text, match.span(), negated)
    return _put(text, match.span(), f"{match.group()} not")


def replace_name(text: str, rng: random.Random, pool: Sequence[str]) -> Changed:
    """A capitalised English name becomes another of the pool."""
    found = list(_NAME_EN.finditer(text))
    others = [name for name in pool if name not in text]
    if not found or not others:
        return None
    return _put(text, rng.choice(found).span(), rng.choice(others))


def borrow(text: str, evidence: str, rng: random.Random) -> Changed:
    """A number, a year or an English name becomes another one of the evidence that stands before the same
    sign: each word of the claim then stands in it, and the claim is false all the same."""
    found = [(m, _kind_of_number(text, m)) for m in _NUMBER.finditer(text)]
    found += [(m, "name") for m in _NAME_EN.finditer(text)]
    held: dict[str, set[str]] = {"name": set(_NAME_EN.findall(evidence))}
    for match in _NUMBER.finditer(evidence):
        held.setdefault(_kind_of_number(evidence, match), set()).add(match.group())
    choices = [
        (match, other)
        for match, kind in found
        for other in sorted(held.get(kind, ()))
        if other not in text and match.group() not in other
    ]
    if not choices:
        return None
    match, other = rng.choice(choices)
    return _put(text, match.span(), other)


def _kind_of_number(text: str, match: re.Match) -> str:
    """Years are of one kind; other numbers are of that of the sign or word behind them."""
    if _YEAR.fullmatch(match.group()):
        return "year"
    behind = text[match.end() :].lstrip()
    word = re.match(r"[A-Za-z%°]+", behind)
    return f"number {word.group() if word else behind[:1]}"


def names_of(text: str) -> list[str]:
    """Capitalised English names."""
    return _NAME_EN.findall(text)


def swap_names(text: str, rng: random.Random) -> Changed:
    """Two names of a sentence change places: who did what to whom."""
    found = list(_NAME_EN.finditer(text))
    if len({m.group() for m in found}) < 2:
        return None
    one, other = sorted(rng.sample(found, 2), key=lambda m: m.start())
    if one.group() == other.group():
        return None
    middle = text[one.end() : other.start()]
    changed = text[: one.start()] + other.group() + middle + one.group() + text[other.end() :]
    return changed, (one.start(), one.start() + len(other.group()))


def add_detail(text: str, rng: random.Random) -> Changed:
    """A detail that nobody stated is put to the end."""
    body = text.rstrip("。.")
    added = rng.choice(_ADDED[detect_language(text)])
    return body + added + text[len(body) :], (len(body), len(body) + len(added))


def _word_change(kind: str, part: slice = slice(None)) -> Callable[[str, random.Random], Changed]:
    def change(text: str, rng: random.Random) -> Changed:
        found = []
        for group in _PAIRS[kind][part]:
            for word in group:
                letters = word.isascii() and word.isalpha()
                pattern = rf"\b{word}\b" if letters else re.escape(word)
                if kind == "unit":
                    pattern = rf"(?<=[\d一二两三四五六七八九十百千万亿]){pattern}|(?<=\d )\b{pattern}"
                found += [(m.span(), word, group) for m in re.finditer(pattern, text)]
        if not found:
            return None
        span, word, group = rng.choice(found)
        return _put(text, span, rng.choice([other for other in group if other != word]))

    return change


CHANGES: dict[str, Callable[[str, random.Random], Changed]] = {
    "number": change_number,
    "date": change_date,
    "unit": _word_change("unit"),
    "negation": change_negation,
    "quantifier": _word_change("quantifier"),
    "opposite": _word_change("opposite", slice(0, None, 2)),
}
"""Kinds that guards learn from; names and answers are changed by who has others at hand."""
UNSEEN: dict[str, Callable[[str, random.Random], Changed]] = {
    "other opposite": _word_change("opposite", slice(1, None, 2)),
    "direction": _word_change("direction"),
    "rank": _word_change("rank"),
    "money": _word_change("money"),
    "scale": _word_change("scale"),
    "modal": _word_change("modal"),
    "detail": add_detail,
}
"""Kinds that are kept for measuring."""


def _put(text: str, span: tuple[int, int], new: str) -> Changed:
    start, end = span
    return text[:start] + new + text[end:], (start, start + len(new))


def _looks_like_date(text: str, match: re.Match) -> bool:
    return text[match.end() : match.end() + 1] in ("年", "月", "日") or bool(_YEAR.fullmatch(match.group()))


def _other_number(word: str, rng: random.Random) -> str:
    plain = word.replace(",", "")
    if "." in plain:
        whole, _, part = plain.partition(".")
        return f"{int(whole) + rng.choice([1, 2, 3, 5])}.{part}"
    value = int(plain)
    factor = rng.choice([0.5, 0.8, 1.1, 1.3, 1.5, 2, 3])
    new = int(round(value * factor)) if value > 20 else value + rng.choice([1, 2, 3, 4])
    new += new == value
    return f"{new:,}" if "," in word else str(new)
