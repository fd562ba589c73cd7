"""The content words of a question: what an answer must be about.

Interrogatives and function words are cut away; what is left between them are segments:
`公司员工的婚假有多少天` gives 公司员工, 婚假. Pure functions.
"""

import re
import unicodedata

from core.text import CJK
from retrieval.terms import simplify, split_terms

_ZH_FUNCTION = re.compile(
    "请问|请|多少|什么|怎么样|怎么|怎样|如何|为何|为什么|哪些|哪个|哪里|哪一|哪|谁|几|是否|能否|可否|是不是|有没有|"
    "可以|能够|应该|需要|必须|分别|以及|或者|和|与|及|或|的|地|得|了|着|过|是|有|在|于|从|到|对|把|被|由|按|为|"
    "多长|多久|多大|多高|最多|最少|至少|吗|呢|吧|啊|它|其|这|那|我们|你们|他们|我|你|他|时|天|个|份|家|次|名|日"
)
_EN_FUNCTION = frozenset(
    re.findall(
        r"\w+",
        "a an the and or of in on at to for from by with as is are was were be been being do does did "
        "can could may might must shall should will would have has had what which who whom whose when "
        "where why how many much long often soon there this that these those it its they them their "
        "we our you your i my me he she his her not no if then than so such any some each per about "
        "into over under after before between during within up down out name tell give please ",
    )
)
_ZH_RUN = re.compile(f"[{CJK}]+")
_LETTER = f"(?![{CJK}])[^\\W_]"
_OTHER_WORD = re.compile(f"{_LETTER}(?:(?:{_LETTER}|[./_-])*{_LETTER})?")


def segments(question: str) -> list[str]:
    """Content segments in order, folded: Chinese stretches of two or more characters in simplified
    ones, and the words of other scripts."""
    folded = simplify(unicodedata.normalize("NFKC", question).casefold())
    found = [part for run in _ZH_RUN.findall(folded) for part in _ZH_FUNCTION.split(run) if len(part) >= 2]
    found += [word for word in _OTHER_WORD.findall(folded) if word not in _EN_FUNCTION and len(word) > 1]
    return found


def segment_cover(question: str, text: str) -> list[float]:
    """For each content segment the share (0…1) of its terms that the text holds."""
    held = set(split_terms(text))
    covers = []
    for segment in segments(question):
        terms = set(split_terms(segment))
        covers.append(len(terms & held) / len(terms) if terms else 0.0)
    return covers
