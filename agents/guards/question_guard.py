"""Questions that are no questions about documents: orders to a model, fishing for secrets, and
characters that nobody sees.

A question *about* such things is a question. What is refused is told so; the rest is asked as
it stands: it meets a fenced prompt, and only what the evidence holds leaves. Pure.
"""

import re
import unicodedata
from enum import StrEnum

from core.instructions import find_instructions


class Refusal(StrEnum):
    """Why a question is not answered."""

    INSTRUCTIONS = "instructions"
    SECRETS = "secrets"


_OWN = r"(?:your|the\s+(?:server|system|assistant|model|backend)(?:'s|’s)?|attest(?:'s|’s)?)"
_SECRET = (
    r"(?:system\s+prompt|hidden\s+prompt|(?:system|hidden|initial|secret|internal)\s+(?:instructions?|message|rules?)|"
    r"api\s*[-_]?keys?|access\s+tokens?|secret\s+keys?|credentials?|environment\s+variables?|\.env(?:\s+file)?|private\s+keys?)"
)
_FISHING = re.compile(
    rf"\b(?:show|tell|give|print|reveal|output|repeat|leak|display|dump|list|send|write|what\s+(?:is|are|was|were))\b[^.?!\n]{{0,24}}"
    rf"\b{_OWN}\s+(?:[\w-]+\s+){{0,2}}{_SECRET}"
    r"|\brepeat\s+(?:everything|all|the\s+(?:words|text))\s+(?:above|before|that\s+(?:precedes?|came))\b"
    r"|\b(?:cat|type|open|read|print)\s+(?:/etc/(?:passwd|shadow)|\S*\.env\b|~/\.ssh\S*)",
    re.IGNORECASE,
)
_FISHING_ZH = re.compile(
    r"(?:输出|告诉我|显示|打印|透露|泄露|说出|复述|给我看?|列出|发给我)[^。！？\n]{0,8}"
    r"(?:你|系统|服务器|后台|助手|模型)(?:的|自己的)?[^。！？\n]{0,6}"
    r"(?:系统提示词?|提示词|初始指令|隐藏指令|系统指令|内部指令|API\s*(?:key|密钥)|密钥|访问令牌|环境变量|私钥|凭证)"
    r"|你的(?:系统)?提示词(?:是什么|是啥|内容)|(?:重复|复述|输出)(?:上面|以上|前面)(?:的)?(?:所有|全部)?(?:内容|文字|指令|话)",
    re.IGNORECASE,
)
_JAILBREAK = re.compile(
    r"\b(?:you\s+are|act\s+as|pretend\s+to\s+be|become)\s+(?:now\s+)?(?:DAN\b|an?\s+(?:unrestricted|uncensored|unfiltered|jailbroken|evil)\b)"
    r"|\b(?:without|no|free\s+of)\s+(?:any\s+)?(?:ethical|moral|content|safety)\s+(?:restrictions?|guidelines?|filters?|limits?|rules?)\b"
    r"|\bdo\s+anything\s+now\b|\b(?:developer|god|jailbreak)\s+mode\s+(?:on|enabled|activated)\b"
    r"|你(?:现在)?(?:是|扮演)(?:一个)?(?:没有|不受)(?:任何)?(?:限制|约束|道德)|(?:开启|进入|启用)(?:开发者|越狱|上帝|无限制)模式",
    re.IGNORECASE,
)
# Marks of quoting and words of talking about: then an order is what is asked about.
_QUOTES = re.compile(
    r"“[^”]*”|\"[^\"]*\"|「[^」]*」|『[^』]*』|‘[^’]*’|`[^`]*`|《[^》]*》|(?<!\w)'[^'\n]{4,}'(?!\w)"
)
_ABOUT = re.compile(
    r"\bhow\s+(?:do|does|can|could|should|to|may|must)\b"
    r"|\b(?:what|how|why|which|who|when|where|does|do|is|are|can|should|may|must)\b[^.!\n]{0,80}"
    r"\b(?:attacks?|injections?|jailbreaks?|handbook|manual|polic(?:y|ies)|guidelines?|documents?|rules?|mean(?:s|t)?|say|says|"
    r"called|protect|prevent|detect|defend|handle|report|example|examples|employees?|staff|someone|user|users|customer|suppliers?)\b"
    r"|(?:什么是|是什么|何为|如何|怎么|怎样|为什么|哪些|哪种|是否|能否|可否|应该|应当|规定|制度|手册|文档|防范|防止|检测|识别|举例|案例|攻击|员工|用户|客户)",
    re.IGNORECASE,
)
_UNSEEN = frozenset("\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u061c\u200e\u200f")


def clean_question(question: str) -> str:
    """The question without what nobody sees: control characters, marks that turn the direction
    of writing, characters without width, copies of ASCII that nothing draws. Joiners of scripts
    and pictures stay."""
    kept = (char for char in question if char in "\n\t" or not _is_unseen(char))
    return "".join(kept).strip()


def refusal_of(question: str) -> Refusal | None:
    """Why a question is not answered; None when it is."""
    bare = _QUOTES.sub(" ", unicodedata.normalize("NFKC", question))
    if _FISHING.search(bare) or _FISHING_ZH.search(bare):
        return Refusal.SECRETS
    ordered = next(find_instructions(bare), None) is not None or _JAILBREAK.search(bare)
    if ordered and not _ABOUT.search(_without_orders(bare)):
        return Refusal.INSTRUCTIONS
    return None


def _without_orders(text: str) -> str:
    """The sentences that give no order: a plain question beside an order is still an order's
    company, unless it is about the order."""
    spans = [(found.start, found.end) for found in find_instructions(text)]
    spans += [match.span() for match in _JAILBREAK.finditer(text)]
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    return text


def _is_unseen(char: str) -> bool:
    if char in _UNSEEN or "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069":
        return True
    return "\U000e0000" <= char <= "\U000e007f" or unicodedata.category(char) == "Cc"
