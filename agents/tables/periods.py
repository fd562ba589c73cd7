"""Years, moments and periods by one name, in questions as in labels.

期初 and 期末 are the beginning and the end of a period, 本期 and 上期 this one and the one before; English
words for them become these, so that both languages go one way. Pure.
"""

import re

from core.text import CJK, normalise
from retrieval.terms import simplify

_ANY = r"(?:the |this |that )?(?:current |reporting |accounting |fiscal )?"
_LAST = r"(?:the |this )?(?:last|previous|prior|preceding) (?:fiscal )?"
_SPAN = r"(?:period|year)\b"
_SAME = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\b(?:fy|cy|fiscal(?: year)?)\s*['’]?(?=(?:19|20)\d\d\b)", " "),
        (r"\b(?:fy|cy|f)\s*['’]?(?=\d\d\b)", " 20"),
        (r"\b([12]) ([09]) (\d) (\d)\b", r"\1\2\3\4"),
        (r"((?:19|20)\d\d)\s*年(?:度|底|末)?(?!\s*\d{1,2}\s*月)", r" \1 "),
        ("上年年?末", "期初"),
        ("年初", "期初"),
        ("年末|年底", "期末"),
        ("上年同期|去年同期|上年度|上一年度?|去年|上年|前期", "上期"),
        ("本年度|本年|今年|当年|本报告期|报告期(?!末|初)|当期", "本期"),
        ("期末数|期末的时候|期末时", "期末"),
        ("期初数|期初的时候|期初时", "期初"),
        ("百分比|占比", "比例"),
        (r"\b(common|preferred|ordinary) stocks?\b", r"\1 share"),
        (
            rf"\b(?:at |in |from )?(?:the )?beginning (?:and|to) (?:at )?(?:the )?end of {_ANY}{_SPAN}",
            " 期初 期末 ",
        ),
        (rf"\b(?:at |by |from )?(?:the )?(?:beginning|start) of {_ANY}{_SPAN}", " 期初 "),
        (rf"\b(?:at |by )?(?:the )?end of {_LAST}{_SPAN}", " 期初 "),
        (rf"\b(?:at |by )?(?:the )?end of {_ANY}{_SPAN}", " 期末 "),
        (r"\bopening\b|\bbeginning(?= (?:and |balance|position))", " 期初 "),
        (r"\bclosing\b|\bending(?= (?:and |balance|position))", " 期末 "),
        (rf"\b(?:the )?same period (?:of |in )?{_LAST}year\b|\b{_LAST}{_SPAN}", " 上期 "),
        (rf"\b(?:(?:the |this )(?:current |reporting )|current |this ){_SPAN}", " current 本期 "),
        (r"\bcurrent(?= amounts?\b)", " current 本期 "),
    )
)
# 合 计: letters set apart.
_SPACED = re.compile(rf"(?<![{CJK}])[{CJK}](?: [{CJK}])+(?![{CJK}])")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_MOMENT = re.compile("期初|期末")
_PERIOD = re.compile("本期|上期")


def same_words(text: str) -> str:
    """The text in its normal form, periods and moments by one name."""
    text = _SPACED.sub(lambda match: match[0].replace(" ", ""), simplify(normalise(text)))
    for pattern, replacement in _SAME:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def years_of(text: str) -> frozenset[str]:
    """The years that a label names."""
    return frozenset(years_in(same_words(text)))


def years_in(text: str) -> tuple[str, ...]:
    """The years that a text in its normal form names, in its order."""
    return tuple(dict.fromkeys(_YEAR.findall(text)))


def periods_in(text: str) -> tuple[str, ...]:
    """The moments that a text in its normal form names, in its order; the periods where it names none: the
    end of this period is a moment."""
    return tuple(dict.fromkeys(_MOMENT.findall(text) or _PERIOD.findall(text)))
