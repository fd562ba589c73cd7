"""Headings by their number: `1.2 Scope`, `第三章 总则`, `一、范围`. Pure; knows no fonts."""

import re

_CHINESE = "一二三四五六七八九十百零〇"
_DECIMAL = re.compile(r"^(\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+[^\W\d_]")
_PART = re.compile(f"^第\\s*(?:[{_CHINESE}]{{1,4}}|\\d{{1,3}})\\s*([编篇部章节])(?:$|[^{_CHINESE}\\d])")
_ITEM = re.compile(f"^[（(]?[{_CHINESE}]{{1,3}}[）)、．.]\\s*\\S")
_WORD = re.compile(
    r"^(?:chapter|part|appendix|annex)\s+[A-Z\d]{1,4}\b|"
    r"^(?:abstract|references|introduction|摘\s*要|参考文献|目\s*录|附录\s*\w?)\s*$",
    re.I,
)
_DEPTHS = {"编": 1, "篇": 1, "部": 1, "章": 1, "节": 2}
_MAX_CHARS = 60
_ENDS = "。.;；,，:：!！?？"


def numbered_depth(text: str) -> int:
    """1 for `3 Scope` and `第三章`, 2 for `3.1 Scope` and `第二节`; 0 when no number opens it, or it
    is as long as a sentence or ends like one."""
    text = text.strip()
    if not text or len(text) > _MAX_CHARS or text[-1] in _ENDS or text.count("  ") > 3:
        return 0
    if match := _DECIMAL.match(text):
        return match[1].count(".") + 1
    if match := _PART.match(text):
        return _DEPTHS[match[1]]
    if _ITEM.match(text):
        return 1 if text[0] not in "（(" else 2
    return 1 if _WORD.match(text) else 0


def stands_for_itself(text: str) -> bool:
    """Whether the number alone makes it a heading, without a heavier or larger font."""
    return bool(_PART.match(text)) and numbered_depth(text) > 0
