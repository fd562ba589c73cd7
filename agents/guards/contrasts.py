"""Words that cannot both be true of one thing: opposites, and how much is meant (all, some, none).

Short lists in Chinese and English. Pure; what is made of a contrast is not decided here.
"""

import re
from collections.abc import Iterable

from core.text import CJK

Pair = tuple[re.Pattern, re.Pattern]


def _pairs(*written: tuple[str, str]) -> tuple[Pair, ...]:
    return tuple((re.compile(one, re.IGNORECASE), re.compile(other, re.IGNORECASE)) for one, other in written)


OPPOSITES = _pairs(
    ("最高|上限|最多|最大|至多", "最低|下限|最少|最小|至少"),
    ("以上|(?<!不)高于|(?<!不)超过|(?<!不)大于|不低于", "以下|(?<!不)低于|不超过|(?<!不)小于|不高于"),
    ("之前|以前|提前", "之后|以后|推迟|延后"),
    ("增加|上升|提高|上涨|增长", "减少|下降|降低|下跌|缩减"),
    ("(?<!不)允许|(?<!不)可以|准许", "禁止|不得|不允许|不可以|严禁"),
    ("开始|开门|开放|打开", "结束|关门|关闭"),
    ("胜利|获胜|赢得|战胜|击败", "失败|落败|输掉|败给|失利"),
    ("(?<!不)支持|赞成|(?<!不)同意", "反对|不同意|拒绝|不支持"),
    ("进口", "出口"),
    ("买入|购买|收购", "卖出|出售|售出"),
    ("成功", "失败"),
    ("东部|东侧|东岸|东北|东南", "西部|西侧|西岸|西北|西南"),
    ("南部|南侧|南岸|东南|西南", "北部|北侧|北岸|东北|西北"),
    ("上午", "下午"),
    ("冠军|第一", "亚军|第二|季军|第三"),
    ("年长|最老|最长", "年轻|最短"),
    ("必须|应当|务必", "可选|自愿|无需|不必"),
    (
        r"\bmax(?:imum)?\b|\bat most\b|\bhighest\b|\blargest\b|\bmost\b",
        r"\bmin(?:imum)?\b|\bat least\b|\blowest\b|\bsmallest\b|\bleast\b",
    ),
    (r"\bbefore\b|\bearlier\b", r"\bafter\b|\blater\b"),
    (
        r"\bopen(?:s|ed|ing)?\b|\bstart(?:s|ed)?\b|\bbeg[aiu]n\w*",
        r"\bclos(?:e|es|ed|ing)\b|\bend(?:s|ed)?\b|\bfinish\w*"),
    (
        r"\bincreas\w+|\brose\b|\brises?\b|\bgrew\b|\bgrow(?:s|th)?\b",
        r"\bdecreas\w+|\bfell\b|\bfalls?\b|\breduc\w+|\bdeclin\w+|\bshr[aiu]nk\w*"),
    (r"\babove\b|\bmore than\b|\bover\b", r"\bbelow\b|\bless than\b|\bfewer than\b|\bunder\b"),
    (r"\bincluded\b|\bincluding\b", r"\bexcluded\b|\bexcluding\b"),
    (r"\bw[io]n(?:s|ning)?\b|\bbeat\b|\bdefeat(?:s|ed|ing)\b", r"\blos(?:t|e|es|ing)\b"),
    (
        r"\bsupport\w*|\bin favou?r of\b|\bagree[ds]?\b|\baccept\w*|\bapprov\w+",
        r"\boppos\w+|\bagainst\b|\bdisagree\w*|\breject\w*|\brefus\w+"),
    (r"\bnorth(?:ern)?\b", r"\bsouth(?:ern)?\b"),
    (r"\beast(?:ern)?\b", r"\bwest(?:ern)?\b"),
    (r"\ballow\w*|\bpermit\w*", r"\bforb[ai]d\w*|\bprohibit\w*|\bbanned\b"),
    (r"\bimport\w*", r"\bexport\w*"),
    (r"\bbuy\w*|\bbought\b|\bpurchas\w+", r"\bsell\w*|\bsold\b"),
    (r"\boldest\b|\bolder\b", r"\byoungest\b|\byounger\b"),
    (r"\blong(?:er|est)?\b", r"\bshort(?:er|est)?\b"),
    (r"\bsucceed\w*|\bsuccess\w*", r"\bfail\w*"),
    (r"\bfirst\b", r"\blast\b|\bfinal\b"),
    (r"\bmandatory\b|\brequired\b|\bobligatory\b", r"\boptional\b|\bvoluntary\b"),
)  # fmt: skip
_AMOUNTS = (
    (
        "所有|全部|全体|一切|每[个位次年]|均|all|every|each|always|both|entire",
        "部分|有些|某些|少数|个别|some|few|several|sometimes|partly",
    ),
    ("只有|仅|唯一|only|solely|exclusively", "不仅|不只|not only"),
    ("大多数|大部分|多数|most|many|许多|often|usually", "没有|无人|none|no|never|neither|hardly|rarely|极少"),
)
QUANTIFIERS = _pairs(
    *(
        (rf"\b(?:{one})\b|(?:{one})(?<=[{CJK}])", rf"\b(?:{other})\b|(?:{other})(?<=[{CJK}])")
        for one, other in _AMOUNTS
    )
)


def contrast(sentence: str, quote: str, pairs: Iterable[Pair]) -> str:
    """A pair of which the sentence has one side alone and the quote the other alone, as they
    are written; empty when there is none."""
    for one, other in pairs:
        mine = (one.search(sentence), other.search(sentence))
        theirs = (one.search(quote), other.search(quote))
        if bool(mine[0]) != bool(mine[1]) and [bool(m) for m in theirs] == [not m for m in mine]:
            return f"{(mine[0] or mine[1]).group()} / {(theirs[0] or theirs[1]).group()}"
    return ""
