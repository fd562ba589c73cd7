"""Text to the terms that the lexical leg matches.

Overlapping character pairs for Chinese, stems and exact forms of words elsewhere. Knows both
languages' function words; knows nothing of weights or statistics. Pure functions.
"""

import re
import threading
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import snowballstemmer

from core.text import CJK

_RUNS = re.compile(
    rf"(?P<cjk>[{CJK}\u3040-\u30ff\uac00-\ud7af]+)|(?P<word>[^\W_{CJK}\u3040-\u30ff\uac00-\ud7af]+)"
)
_COMPOUND = re.compile(r"[a-z0-9]+(?:[-._/#+][a-z0-9]+)+")
# A word with its apostrophe and its hyphens: "on-site" and "do-not-use" are no function words.
_WHOLE_WORD = re.compile(r"[^\W_]+(?:['’._/#+-][^\W_]+)*")
EXACT = "="
"""In front of a word as it stands, beside its stem; no other term begins with it."""

# Words that ask. They are rare in documents, so their idf would be among the highest.
_ENGLISH_FUNCTION = frozenset(
    re.findall(
        r"\w+",
        "a an the and or of to in on at by for from with as is are was were be been being do does did has "
        "have had can could will would shall should may might it its this that these those there what which "
        "who whom whose how when where why many much me tell give find list name i you we they he she his "
        "her their our your please about into over under after before between during within also than then "
        "if so such any some each per",
    )
)
# Longer ones first, so that 哪 does not take its part of 哪一年. What is part of another word is
# left alone: 吗啡, 呢子, 目的, 标的, 哪咤.
_CHINESE_FUNCTION = re.compile(
    "什么时候|为什么|什么样|怎么样|哪一个|哪一年|是什么|什么|怎么|怎样|如何|哪一|哪些|哪个|哪里|哪儿|哪位|哪种|哪年|哪(?![吒咤])|"
    f"多少|何时|何地|何处|何人|为何|是否|能否|可否|请问|谁|[吗呢](?![{CJK}])|(?<![目标])的"
)


def split_terms(text: str) -> list[str]:
    """The terms of a text, with repeats.

    Chinese runs give overlapping bigrams (a run of one character gives that character);
    words are stemmed; a compound such as `TM-20L` or `2.4.1` counts whole and in parts.
    Full width, case, and traditional characters are folded.
    """
    return _split(_fold(text))


def simplify(text: str) -> str:
    """Traditional characters as simplified ones, each by itself."""
    return text.translate(_simplified())


def exact_forms(text: str) -> list[str]:
    """The English words of a text as they stand, with repeats, marked as such: `=loans` tells
    a passage on loans from one on a loan, which share their stem."""
    return _exact(_fold(text))


def query_terms(text: str) -> frozenset[str]:
    """What a question looks for: its terms and exact forms without the words that only ask
    (which, how many, 哪些, 的). With nothing but those, it looks for them. Among small letters
    a word in capitals is a name: IT, WHO."""
    folded = _fold(_WHOLE_WORD.sub(_unless_asking(not text.isupper()), text))
    bare = _CHINESE_FUNCTION.sub(" ", folded)
    return frozenset([*_split(bare), *_exact(bare)]) or frozenset(_split(_fold(text)))


def _unless_asking(has_names: bool) -> Callable[[re.Match], str]:
    def replaced(match: re.Match) -> str:
        word = match[0]
        is_name = has_names and len(word) > 1 and word.isupper()
        return " " if word.casefold() in _ENGLISH_FUNCTION and not is_name else word

    return replaced


def _exact(folded: str) -> list[str]:
    words = (match["word"] for match in _RUNS.finditer(folded))
    return [f"{EXACT}{word}" for word in words if word and word.isascii() and word.isalpha()]


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().translate(_simplified())


def _split(folded: str) -> list[str]:
    terms = list(_COMPOUND.findall(folded))
    for match in _RUNS.finditer(folded):
        if run := match["cjk"]:
            terms.extend(run[i : i + 2] for i in range(max(len(run) - 1, 1)))
        else:
            terms.append(_stem(match["word"]))
    return terms


@lru_cache(maxsize=1)
def _simplified() -> dict[int, str]:
    """Each traditional character to its simplified form, by OpenCC's table. Character for
    character: bigrams need the same folding on both sides, not the best prose."""
    from opencc import OpenCC

    convert = OpenCC("t2s").convert
    blocks = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00))
    whole = "\n".join(chr(code) for first, end in blocks for code in range(first, end))
    pairs = zip(whole.split("\n"), convert(whole).split("\n"), strict=True)
    return {ord(old): new for old, new in pairs if new != old and len(new) == 1}


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    if not (word.isascii() and word.isalpha()):
        return word
    # A stemmer keeps the word in itself: two threads would get each other's stems, for good.
    with _STEMMING:
        return _stemmer().stemWord(word)


_STEMMING = threading.Lock()


@lru_cache(maxsize=1)
def _stemmer():
    return snowballstemmer.stemmer("english")
