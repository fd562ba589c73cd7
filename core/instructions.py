"""Text that speaks to a language model instead of a reader: orders to drop its instructions,
imitations of its system prompt, the marks of chat and tool calls.

A finding is a hint and no proof: a manual on such attacks quotes them. Text stays data whatever
it says (docs/guards.md). Pure; in Chinese and English.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.types import ElementKind

_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|do\s+not\s+follow|don'?t\s+follow|stop\s+following)\s+"
    r"(?:(?:all|any|every|each|of|the|your|these|those|my|previous(?:ly)?|prior|above|earlier|preceding|foregoing|"
    r"following|original|initial|existing|current|system|other|given|security|safety|everything|and)\s+){0,6}"
    r"(?:instructions?|prompts?|guidelines?|directives?|system\s+messages?|programming|security\s+protocols?|access\s+codes?)\b"
    r"|\b(?:ignore|disregard|forget)\s+(?:everything|all|anything)\s+(?:that\s+(?:was|is)\s+)?(?:above|before|previously|prior)\b"
    r"|\b(?:reveal|print|repeat|output|leak|display|show\s+me)\s+(?:me\s+)?(?:all\s+of\s+)?(?:your|the)\s+"
    r"(?:full\s+|entire\s+|exact\s+|original\s+)?(?:system|initial|hidden|secret)\s+(?:prompt|instructions?|message)\b"
    r"|\b(?:do\s+not|don'?t|never)\s+(?:tell|inform|mention\s+(?:this|it)\s+to|alert|notify|reveal\s+(?:this|it)\s+to)\s+the\s+user\b"
    r"|\byou\s+are\s+now\s+(?:DAN\b|in\s+(?:developer|debug|admin|maintenance|god)\s+mode|an?\s+(?:unrestricted|uncensored|jailbroken)\b)"
    r"|\b(?:enter|enable|activate)\s+(?:developer|debug|god|jailbreak)\s+mode\b"
    r"|(?m:^)\s*(?:new|updated|real|actual)\s+(?:system\s+)?(?:instructions?|prompt)\s*:",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"(?:忽略|无视|忘记|忘掉|抛开|不要理会|不用理会|不要遵循|不要遵守|停止遵循|覆盖)(?:掉|你)?"
    r"(?:[^。！？；\n]{0,8}?)(?:以上|之前|前面|先前|上述|此前|上面|所有|全部|一切|任何|原有|原来|系统|安全)"
    r"[^。！？；，\n]{0,8}?(?:指令|提示词|系统提示|提示语|指示|设定|命令)"
    r"|(?:输出|泄露|透露|打印|显示|复述|告诉我)(?:出)?你?的?(?:完整的?|全部的?|原始的?)?(?:系统提示词?|系统指令|初始指令|隐藏指令)"
    r"|(?:不要|不得|切勿|禁止)(?:告诉|告知|提醒|通知)用户"
    r"|你现在(?:是|处于|进入)(?:了)?(?:DAN|开发者模式|调试模式|越狱|不受(?:任何)?限制)"
    r"|(?m:^)\s*(?:新的?)?系统(?:提示词?|指令|消息)\s*[:：]"
)
_MARKS = re.compile(
    r"<\|(?:im_start|im_end|system|user|assistant|start_header_id|eot_id|endoftext|begin_of_text)\|>"
    r"|\[/?INST\]|<<SYS>>|</?(?:tool_call|tool_response|function_call|function_calls|invoke|system_prompt|tool_use)\b[^>\n]{0,80}>"
    r"|\"tool_calls\"\s*:\s*\[|(?m:^)###\s*(?:system|instruction)s?\s*:",
    re.IGNORECASE,
)
_BEFORE = 20
_EXCERPT = 120
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Instruction:
    """Where it stands in a text, and whether it is an order or a mark."""

    kind: str
    start: int
    end: int


def find_instructions(text: str, kind: ElementKind = ElementKind.TEXT) -> Iterator[Instruction]:
    """What of a text is aimed at a model. In code only orders count: there the marks of chat
    are what the code is about."""
    chinese = () if text.isascii() else (("order", _CHINESE),)
    for name, pattern in (("order", _ORDERS), *chinese, ("mark", _MARKS)):
        if name == "order" or kind is not ElementKind.CODE:
            for match in pattern.finditer(text):
                yield Instruction(name, match.start(), match.end())


def excerpt(text: str, start: int = 0) -> str:
    """A short stretch of a text on one line, from a little before a place on."""
    begin = max(0, start - _BEFORE)
    part = _SPACE.sub(" ", text[begin : begin + _EXCERPT]).strip()
    return f"{'…' if begin else ''}{part}{'…' if begin + _EXCERPT < len(text) else ''}"
