"""Which question of a chain a sentence answers. Rules over its words and names; pure."""

import re
from collections.abc import Sequence
from itertools import groupby

from agents.keywords import segment_cover
from core.wording import numbers
from retrieval.terms import split_terms

_STOPS = re.compile(r"[,;:()]\s*")
_MARKS = "\"'“‘"


def is_of_the_first(text: str, parts: Sequence[str], then: str) -> bool:
    """Whether an English sentence has more of the first question of a chain than of what is asked behind it
    (`then`), and brings nothing that may answer that in other words: a number or a name that no part has."""
    if numbers(text) - numbers(" ".join(parts)) or _names_more(text, parts):
        return False
    step, asked = segment_cover(parts[0], text), segment_cover(then.replace("{}", " "), text)
    return bool(step and asked) and sum(step) / len(step) > sum(asked) / len(asked)


def _names_more(text: str, parts: Sequence[str]) -> bool:
    """Whether words with capitals that stand together name what no part does; the first word of a sentence
    has one anyway."""
    known = set(split_terms(" ".join(parts)))
    for at, stretch in enumerate(_STOPS.split(text)):
        is_start = at == 0
        for is_name, run in groupby(stretch.split(), lambda word: word.lstrip(_MARKS)[:1].isupper()):
            named = list(run)
            terms = set() if is_start and len(named) == 1 else set(split_terms(" ".join(named)))
            if is_name and terms and not terms & known:
                return True
            is_start = False
    return False
