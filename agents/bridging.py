"""What a passage names where a question only describes: the company that makes the TM-20.

Rules over names, Chinese and English: a name that the question does not hold, in the sentence that speaks
most of it. Nothing is made up: what is found stands in the passage. Pure.
"""

import re
import unicodedata
from collections.abc import Sequence

from agents.keywords import segment_cover
from core.text import CJK, detect_language, split_sentences

LONGEST_SENTENCE = 160
_ENDINGS_ZH = (
    "有限责任公司|股份有限公司|有限公司|公司|集团|工厂|厂|事业部|研发部|部门?|中心|处|科|室|大学|学院|学校"
    "|医院|研究院|研究所|银行"
    "|委员会|协会|局|省|市|县|区|国|系统|平台|项目"
)
_NAMED_ZH = re.compile(
    r"(?:由|是|为|在|归|与|和|[:：，。、；\s（(]|^)(?:由|是|为|在|归|与|和)?"
    rf"(?P<name>[{CJK}A-Za-z0-9（）()·-]{{1,24}}?(?:{_ENDINGS_ZH}))(?=[{CJK}，。、；：:\s）)]|$)"
)
_PERSON_ZH = re.compile(
    "(?:由|是|为|[:：])\\s*(?P<name>[\u4e00-\u9fff·]{2,4}?)(?=负责|担任|主管|编写|签署|批准|审批|设计|，|。"
    "|；|\\s|$)"
)
_MARKED = re.compile(r"[《「“](?P<name>[^》」”]{2,40})[》」”]")
# What stands before a colon is a label: "Decided: the bench is bought", "Chair: Ann Lee". The group is
# atomic: of "Managing Director:" no half is a name.
_NAMED_EN = re.compile(
    r"(?P<name>(?>\b[A-Z][\w&.-]*(?:\s+(?:of\s+|&\s+|and\s+(?=[A-Z])|(?:de|del|der|den|da|di|la|van|von)\s+)*[A-Z0-9][\w&.-]*)*))"
    r"(?!\s*[:：])"
)
_OPENING = re.compile(
    r"^(?:The|An?|In|On|At|It|Its|This|That|These|Those|Which|Who|What|When|Where|Why|How|For|From|By|If|All"
    r"|Each|Our|We)\b\s*"
)


def find_entity(question: str, texts: Sequence[str]) -> str:
    """The name that answers `question`, taken from the texts, the best of which come first; the sentence
    that speaks most of the question where it names nothing new, and nothing where there is none."""
    rated = [(_cover(question, sentence), -at, sentence) for at, sentence in enumerate(_sentences(texts))]
    ranked = sorted((one for one in rated if one[0]), reverse=True)
    known = _folded(question)
    for _, _, sentence in ranked[:2]:
        for name in _names(sentence):
            if _folded(name) not in known:
                return name
    return ranked[0][2][:LONGEST_SENTENCE] if ranked else ""


def _sentences(texts: Sequence[str]) -> list[str]:
    return [span.of(text) for text in texts for span in split_sentences(text)]


def _cover(question: str, sentence: str) -> float:
    covers = segment_cover(question, sentence)
    return sum(covers) / len(covers) if covers else 0.0


def _names(sentence: str) -> list[str]:
    is_chinese = detect_language(sentence) == "zh"
    patterns = (_MARKED, _NAMED_ZH, _PERSON_ZH, _NAMED_EN) if is_chinese else (_NAMED_EN,)
    found = [match["name"] for pattern in patterns for match in pattern.finditer(sentence)]
    # What names it stands in front of it: 温度计由甲公司 is the company.
    names = [_OPENING.sub("", re.split("[由是为归]", name)[-1]).strip(" .") for name in found]
    return [name for name in names if len(name) > 1]


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
