"""Which part of a question an answer leaves open although the library may well hold it: the draft forgot it,
or its sentence was withheld. Rules over words, numbers and the passages that were found for each part; pure.

Told only where nothing speaks against it: another part is answered in its own words, no sentence has the
words that set this one apart, and either nothing that was found for it is cited, or there are fewer numbers
than parts that ask for one.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from agents.chains import is_of_the_first
from agents.guards.demands import DATE, NUMBER, demanded_kinds
from agents.keywords import segment_cover, segments
from core.text import detect_language
from core.wording import plain_numbers
from retrieval.terms import split_terms

HELD = 0.5
"""Share of the terms of a segment from which a text has it."""
# One of them is the answer, and says nothing of the others.
_CHOICE = re.compile(r"还是|哪[一]?[个款种家台]|谁[更较最]|\bwhich\b|\bor\b", re.IGNORECASE)
_ASKS = re.compile(
    r"多[少久长大高远重快宽深]|什么|谁|几|怎|何|哪|\b(?:who|whom|whose|what|when|where|why|how)\b",
    re.IGNORECASE,
)
# Such a sentence may answer more than the part that it names.
_OF_SEVERAL = re.compile(
    r"(?<![首成古])都|(?<!平)均|皆|一样|相同|同样|一致|分别|各|\b(?:both|same|each|all|either|neither|respectively|equal\w*|too|also"
    r"|likewise)\b",
    re.IGNORECASE,
)


def unanswered_parts(
    question: str, parts: Sequence[str], found: Sequence[Collection[str]], outcome: Mapping[str, Any]
) -> list[str]:
    """The parts without a sentence of their own, in their order; none where that cannot be told. `found` are
    the ids of the chunks that may answer each part."""
    sentences = outcome["sentences"]
    texts = [sentence["text"] for sentence in sentences]
    is_open = _CHOICE.search(question) or any(map(_OF_SEVERAL.search, texts))
    if len(parts) < 2 or len(found) != len(parts) or is_open or not texts:
        return []
    own = _own_segments(parts)
    quotes = {one["marker"]: one for one in outcome["citations"]}
    cited = [[quotes[m] for m in sentence["citations"] if m in quotes] for sentence in sentences]
    spoken = [any(_has(part, own[at], text) for text in texts) for at, part in enumerate(parts)]
    if not any(spoken):
        return []
    silent = [
        at for at, part in enumerate(parts) if own[at] and not spoken[at] and _ASKS.search(part)
    ]  # fmt: skip
    counted = [at for at in silent if _asks_for_number(parts[at])]
    asked = sum(map(_asks_for_number, parts))
    numbers = set[float]().union(*map(plain_numbers, texts)) - plain_numbers(" ".join([question, *parts]))
    is_short = len(counted) <= asked - len(numbers)
    used = {one["chunk_id"] for of_sentence in cited for one in of_sentence}
    shown = [f"{text}\n{_of(of)}" for text, of in zip(texts, cited, strict=True)]
    return [
        parts[at]
        for at in silent
        if (is_short and at in counted)
        or (not used & {*found[at]} and not any(_has(parts[at], own[at], text) for text in shown))
    ]


def _own_segments(parts: Sequence[str]) -> list[set[str]]:
    """The segments of each part that not all of the others have, too."""
    terms = [set(split_terms(part)) for part in parts]
    shared = set.intersection(*terms)
    return [{one for one in segments(part) if not set(split_terms(one)) <= shared} for part in parts]


def _has(part: str, own: set[str], text: str) -> bool:
    """Whether a text has all words that set a part apart. Across languages codes and names alone can be
    compared, so there it has them as soon as it has one."""
    covers = dict(zip(segments(part), segment_cover(part, text), strict=True))
    held = [covers[one] >= HELD for one in own]
    if detect_language(part) != detect_language(text):
        return any(held)
    return bool(held) and all(held)


def _asks_for_number(part: str) -> bool:
    return bool(demanded_kinds(part)) and demanded_kinds(part) <= {NUMBER, DATE}


def _of(citations: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(f"{one['title']}\n{one['quote']}" for one in citations)


def still_missing(outcome: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """The parts that evidence was too thin for, without those that a sentence answers all the same: one that
    holds more of the part than of any other. None where an answer of the whole names no part. Of a chain the
    last, where every sentence answers only what had to be found out before it."""
    answered, parts = set(), state.get("parts", ())
    then = state.get("apart", {}).get("then")
    if then and parts:
        said = [sentence["text"] for sentence in outcome["sentences"]]
        # What a Chinese sentence brings of its own cannot be told by form: there nothing is called missing.
        is_first = detect_language(parts[0]) != "zh" and all(is_of_the_first(t, parts, then) for t in said)
        return parts[-1:] if is_first else []
    for sentence in outcome["sentences"]:
        covers = {part: sum(segment_cover(part, sentence["text"])) for part in parts}
        most = [part for part, cover in covers.items() if cover and cover == max(covers.values())]
        answered |= set(most) if len(most) == 1 else set()
    left = [part for part in state.get("missing", ()) if part not in answered]
    return [] if parts and len(left) == len(parts) else left
