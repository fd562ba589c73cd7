"""What the words of a claim and of its evidence tell: cover, numbers, names, negation.

Each signal is a number the model weighs; none decides alone. Pure; knows nothing of vectors.
"""

import re

from agents.guards.contrasts import QUANTIFIERS, contrast
from agents.guards.exact import ExactGuard, overlap
from agents.keywords import segment_cover
from agents.quantities import crossed_numbers, differing_units
from core.seams import Passage
from core.text import CJK, detect_language, normalise
from core.wording import codes, holds_code, missing_numbers, names, negations, plain_numbers, squeeze
from retrieval.terms import split_terms

_RUN = re.compile(f"[{CJK}]+|[A-Za-z][A-Za-z'-]+")
_ZH_COMMON = re.compile("[的了是在和与及或也就都而其这那有为于被把对从到由以并中]")
SIGNALS = (
    "cover_quoted", "cover_around", "segment_mean", "segment_least", "missing_run", "missing_words",
    "missing_share",
    "numbers", "numbers_missing", "numbers_unquoted", "units_differ", "crossed", "names_missing",
    "codes_missing",
    "negated_otherwise", "negated", "opposite", "quantifier", "likeness", "across", "chinese", "length",
)  # fmt: skip


def text_signals(sentence: str, passage: Passage, question: str) -> dict[str, float]:
    """The signals of one sentence, by name. Across languages those of words are 0."""
    language = detect_language(sentence)
    around = "\n".join(passage.surroundings)
    across = float(detect_language(around) != language)
    found = dict.fromkeys(SIGNALS, 0.0)
    found |= {
        "across": across,
        "chinese": float(language == "zh"),
        "length": min(len(split_terms(sentence)), 80) / 80,
    }
    found |= _value_signals(sentence, passage)
    found["negated"] = float(negations(sentence) > 0)
    if not passage.quotes:
        return found
    nearest = max(passage.quotes, key=lambda quote: overlap(sentence, quote))
    found["negated_otherwise"] = float(
        (negations(sentence) > 0) != (negations(nearest if not across else passage.quotes[0]) > 0)
    )
    if across:
        return found
    return (
        found
        | _word_signals(sentence, passage, around)
        | {
            "likeness": overlap(sentence, nearest),
            "opposite": float(bool(ExactGuard().reversed_words(sentence, passage))),
            "quantifier": float(bool(contrast(sentence, nearest, QUANTIFIERS))),
        }
    )


def _word_signals(sentence: str, passage: Passage, around: str) -> dict[str, float]:
    terms, held = set(split_terms(sentence)), set(split_terms(around))
    quoted = set(split_terms("\n".join(passage.readable or passage.quotes)))
    covers = segment_cover(sentence, around) or [1.0]
    runs = missing_runs(sentence, held)
    known = normalise(around)
    strange = names(sentence)
    return {
        "cover_quoted": len(terms & quoted) / max(1, len(terms)),
        "cover_around": len(terms & held) / max(1, len(terms)),
        "segment_mean": sum(covers) / len(covers),
        "segment_least": min(covers),
        "missing_run": min(max((len(run) for run in runs), default=0), 20) / 20,
        "missing_words": min(len(runs), 10) / 10,
        "missing_share": sum(map(len, runs)) / max(1, len(sentence)),
        "names_missing": sum(name not in known for name in strange) / max(1, len(strange)),
    }


def _value_signals(sentence: str, passage: Passage) -> dict[str, float]:
    values = plain_numbers(sentence)
    near = [squeeze(text) for text in passage.surroundings]
    strange = codes(sentence)
    return {
        "numbers": min(len(values), 6) / 6,
        "numbers_missing": min(len(missing_numbers(sentence, passage.surroundings)), 3) / 3,
        "numbers_unquoted": min(len(missing_numbers(sentence, [*passage.quotes, *passage.headings])), 3) / 3,
        "units_differ": float(bool(differing_units(sentence, passage.quotes))),
        "crossed": float(bool(crossed_numbers(sentence, passage.facts))),
        "codes_missing": sum(not any(holds_code(c, text) for text in near) for c in strange)
        / max(1, len(strange)),
    }


def missing_runs(sentence: str, held: set[str]) -> list[str]:
    """Stretches of the sentence of which no pair of characters, and words of which no form, is held;
    function words aside."""
    found = []
    for run in _RUN.findall(sentence):
        if run.isascii():
            if len(run) > 3 and not held & set(split_terms(run)):
                found.append(run)
            continue
        found += _missing_stretches(run, held)
    return found


def _missing_stretches(run: str, held: set[str]) -> list[str]:
    pairs = split_terms(run)
    if len(run) < 2 or len(pairs) != len(run) - 1:
        return []
    known = [False] * len(run)
    for at, pair in enumerate(pairs):
        if pair in held:
            known[at] = known[at + 1] = True
    marked = "".join(" " if known[at] or _ZH_COMMON.match(char) else char for at, char in enumerate(run))
    return [part for part in marked.split() if len(part) >= 2]
