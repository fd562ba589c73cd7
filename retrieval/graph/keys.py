"""Names in the form they are compared in, and the names that a question may hold.

Two names are one entity when their keys are equal: case, width, script, hyphens, articles, blanks beside
Chinese characters and the legal form of a company do not count, anything else does. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.text import CJK
from core.wording import squeeze
from retrieval.lexical import term_id
from retrieval.terms import query_terms, simplify

MAX_TOKENS = 200
"""Of a longer question the first are looked at."""
LONGEST_NAME = 12
"""In Chinese characters and words."""
_TOKEN = re.compile(rf"[{CJK}]|[^\W_{CJK}]+(?:['’._/&-][^\W_{CJK}]+)*")
_MARKS = re.compile(r"[《》“”「」『』\"'’.,:;!?，。、；：！？·•・‧&()（）-]+")
_BLANKS = re.compile(rf"\s+|(?<=[{CJK}])(?=[a-z0-9])|(?<=[a-z0-9])(?=[{CJK}])")
_BLANK_BY_CHINESE = re.compile(rf"(?<=[{CJK}]) | (?=[{CJK}])")
_ARTICLE = re.compile(r"^(?:the|a|an) (?=\w)")
# 苏州市 is 苏州, Acme Ltd is Acme, 华盛有限公司 is 华盛.
_SUFFIX = re.compile(
    rf"(?<=[{CJK}]{{2}})(?:市|省|股份有限公司|有限责任公司|有限公司)$"
    r"|(?<=\w) (?:inc|ltd|llc|gmbh|corp|plc|limited)$"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch of a question that may be a name: `tokens` words or Chinese characters, from the one
    at `first` on."""

    key: str
    first: int
    tokens: int


def entity_key(name: str) -> str:
    """The key of a name; empty when nothing in it is a letter or a digit."""
    plain = simplify(squeeze(re.sub(r"['’]s\b", "", name)))
    words = _BLANKS.sub(" ", _MARKS.sub(" ", plain)).strip()
    key = _BLANK_BY_CHINESE.sub("", _ARTICLE.sub("", words))
    return _SUFFIX.sub("", key)


def key_term(key: str) -> int:
    """The dimension of a key in the sparse vectors of entities and relations."""
    return term_id(f"entity {key}")


def chunk_term(order: int) -> int:
    """The dimension of a chunk, by its order in its document."""
    return term_id(f"chunk {order}")


def candidates(question: str) -> list[Candidate]:
    """Every stretch of a question that may be a name, each key once, where it first stands."""
    found: dict[str, Candidate] = {}
    for candidate in _stretches(question):
        found.setdefault(candidate.key, candidate)
    return list(found.values())


def _stretches(question: str) -> Iterator[Candidate]:
    tokens = list(_TOKEN.finditer(question))[:MAX_TOKENS]
    asked = query_terms(question)
    for first, token in enumerate(tokens):
        for size in range(1, min(LONGEST_NAME, len(tokens) - first) + 1):
            stretch = question[token.start() : tokens[first + size - 1].end()]
            if "\n" in stretch:
                break
            key = entity_key(stretch)
            # Alone a Chinese character is no name, nor is a word that only asks.
            is_word = size > 1 or (len(key) > 1 and not query_terms(stretch).isdisjoint(asked))
            if is_word and len(key) > 1:
                yield Candidate(key, first, size)
