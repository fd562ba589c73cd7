"""How two names of a sentence belong together: by the words between them. By rules.

A rule that tells gives the relation its kind and its direction; without one it is no more than
that the sentence names both. Pure.
"""

import re
from collections.abc import Sequence

from core.entities import WITH, FoundRelation, Mention
from core.text import CJK, Span
from retrieval.terms import simplify

FARTHEST = 5
"""A name is related to so many that follow it in the sentence."""
MAX_WORDS_CHARS = 80
MAX_A_SENTENCE = 40

# Kind, the words between A and B that say so, whether B is the source.
_RULES: tuple[tuple[str, re.Pattern, bool], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE), turned)
    for kind, pattern, turned in (
        ("acquired", r"\b(?:is|was|were|been|being) (?:acquired|bought|taken over|purchased) by\b|被.{0,6}收购|由.{0,6}收购", True),
        ("acquired", r"\b(?:acquired|acquires|bought|took over|purchased|takeover of|acquisition of)\b|收购|并购", False),
        ("supplies", r"\b(?:supplied|delivered|manufactured|made|produced|provided) by\b|由.{0,8}(?:供应|供货|提供|生产|制造)", True),
        ("supplies", r"\b(?:suppl(?:y|ies|ied)|delivers?|manufactures?|makes|produces|provides)\b|供应|供货|提供|生产|制造", False),
        ("founded", r"\b(?:founded|established|created|set up|built|designed|written|composed|invented|discovered) by\b|由.{0,8}(?:创[立办建]|成立|设计|发明|建造)", True),
        ("founded", r"\b(?:founded|founder of|established|created|set up|invented|discovered|co-founded)\b|创[立办建]|发明|发现", False),
        ("leads", r"\b(?:led|headed|run|managed|ruled) by\b|由.{0,8}(?:领导|主持|管理|负责)", True),
        ("leads", r"\b(?:leads?|heads?|head of|president of|ceo of|director of|manager of|manages|king of|queen of|emperor of|chairman of|capital of)\b|担任|出任|领导|主持|负责|管理", False),
        ("belongs to", r"\b(?:part of|belongs? to|belonged to|subsidiary of|owned by|member of|division of|branch of|a province of|a city in)\b|属于|隶属|子公司|旗下|的一部分|归.{0,4}管", False),
        ("located in", r"\b(?:(?:is|are|was|lies|situated|located|based|headquartered) (?:in|at|on|near)|lies (?:in|at|on))\b|位于|坐落|地处|设在|总部", False),
        ("born in", r"\bborn (?:in|at|on)\b|生于|出生", False),
        ("studied at", r"\b(?:studied|graduated|educated) (?:at|from|in)\b|毕业于|就读|留学", False),
        ("works for", r"\b(?:works? for|worked for|employed by|joined)\b|任职|就职|加入|效力", False),
        ("married", r"\b(?:married|wife of|husband of)\b|结婚|娶|嫁", False),
        ("child of", r"\b(?:son|daughter|child) of\b|之子|的儿子|的女儿", False),
        ("called", r"\b(?:also known as|also called|known as|renamed|called|named)\b|又称|也称|亦称|简称|改名|更名|别名", False),
    )
)  # fmt: skip
KINDS = (*dict.fromkeys(kind for kind, _, _ in _RULES), "is", WITH)
"""All kinds of relations."""
_ROLE = re.compile(rf"的([{CJK}]{{2,6}})")
_IS_OF = re.compile(rf"^\s?(?:,\s)?(?:is|was|are|were|the|a|an)\b.{{0,40}}\bof(?: the)?\s?$|^是[{CJK}]{{0,8}}$")
_COMMA = re.compile("[,，]")
_IS = re.compile("[是为為]$")
_LEADS = ("经理", "总裁", "董事长", "主席", "主任", "部长", "市长", "院长", "校长", "首都", "首府", "负责人", "总理", "总统", "厂长")


def relate(text: str, sentence: Span, mentions: Sequence[Mention]) -> list[FoundRelation]:
    """The relations of the names that a sentence holds, in their order; of a sentence with very many
    names, such as a list, those of the first."""
    inside = [mention for mention in mentions if sentence.start <= mention.start and mention.end <= sentence.end]
    found = []
    for at, left in enumerate(inside):
        for step, right in enumerate(inside[at + 1 : at + 1 + FARTHEST]):
            if left.name == right.name:
                continue
            words = text[left.end : right.start]
            # Jane, the head of Acme, was born in Oslo: what comes behind a comma is told of the first.
            last = text[inside[at + step].end : right.start]
            tells = at == 0 or not (step or _COMMA.search(last))
            behind = simplify(text[right.end : sentence.end])
            kind, is_turned = _kind(simplify(last), behind) if tells else (WITH, False)
            source, target = (right, left) if is_turned else (left, right)
            shown = " ".join(_with_role(words, behind).split())[:MAX_WORDS_CHARS]
            found.append(FoundRelation(source.name, target.name, kind, shown, sentence.start, sentence.end))
    return found[:MAX_A_SENTENCE]


def _kind(between: str, behind: str) -> tuple[str, bool]:
    """The kind that the words between two names and those behind the second tell, and whether the
    second is its source."""
    if len(between) > MAX_WORDS_CHARS:
        return WITH, False
    if _IS.search(between) and (role := _ROLE.match(behind)) is not None:
        office = re.search("|".join(_LEADS), role[1])
        return ("leads" if office else "is"), False
    best, told = -1, (WITH, False)
    for kind, pattern, is_turned in _RULES:
        # In Chinese the verb of a passive stands behind the second name: 由华盛公司供应.
        read = f"{between}{behind[:8]}" if is_turned else between
        for match in pattern.finditer(read):
            # What stands nearest to the second name is told of it.
            if match.end() > best:
                best, told = match.end(), (kind, is_turned)
    return ("is", False) if told[0] == WITH and _IS_OF.search(between) else told


def _with_role(words: str, behind: str) -> str:
    """张伟是华盛公司的总经理: what is said stands behind the second name."""
    role = _ROLE.match(behind) if _IS.search(words) else None
    return f"{words}…的{role[1]}" if role else words
