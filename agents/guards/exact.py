"""What must agree to the letter: numbers, codes, names, negation.

Cheap, and right nearly always when it objects. Knows nothing of vectors.
"""

import re

from agents.keywords import segments
from agents.quantities import crossed_numbers, differing_units
from core.seams import Passage
from core.text import detect_language, normalise
from core.types import Label, Verdict
from core.units import quantities
from core.wording import (
    codes,
    holds_code,
    missing_numbers,
    names,
    negations,
    plain_numbers,
    squeeze,
)
from retrieval.terms import split_terms

NEAR_COPY = 0.6
SIMILAR = 0.4
OPPOSITES = tuple(
    (re.compile(one, re.IGNORECASE), re.compile(other, re.IGNORECASE))
    for one, other in (
        ("最高|上限|最多|最大|至多", "最低|下限|最少|最小|至少"),
        ("以上|(?<!不)高于|(?<!不)超过|(?<!不)大于|不低于", "以下|(?<!不)低于|不超过|(?<!不)小于|不高于"),
        ("之前|以前|提前", "之后|以后|推迟|延后"),
        ("增加|上升|提高|上涨", "减少|下降|降低|下跌"),
        ("(?<!不)允许|(?<!不)可以|准许", "禁止|不得|不允许|不可以|严禁"),
        ("开始|开门|开放|打开", "结束|关门|关闭"),
        (r"\bmax(?:imum)?\b|\bat most\b|\bhighest\b", r"\bmin(?:imum)?\b|\bat least\b|\blowest\b"),
        (r"\bbefore\b|\bearlier\b", r"\bafter\b|\blater\b"),
        (r"\bopen(?:s|ed|ing)?\b|\bstart(?:s|ed)?\b", r"\bclos(?:e|es|ed|ing)\b|\bend(?:s|ed)?\b"),
        (r"\bincreas\w+|\brose\b|\brises?\b", r"\bdecreas\w+|\bfell\b|\bfalls?\b|\breduc\w+"),
        (r"\babove\b|\bmore than\b|\bover\b", r"\bbelow\b|\bless than\b|\bunder\b"),
        (r"\bincluded\b|\bincluding\b", r"\bexcluded\b|\bexcluding\b"),
    )
)


def overlap(one: str, other: str) -> float:
    """Share (0…1) of the terms of either text that both hold."""
    left, right = set(split_terms(one)), set(split_terms(other))
    return len(left & right) / len(left | right) if left | right else 0.0


class ExactGuard:
    """Objects when the sentence names what its evidence does not; else it is unsure."""

    name = "exact"

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """`unsupported` or `contradicted` with a reason, or `unsure` when nothing is amiss."""
        if missing := self._missing_values(sentence, passage, question):
            listed = ", ".join(f"{value:g}" for value in sorted(missing))
            return self._object(f"numbers not in the evidence: {listed}")
        if differing := differing_units(sentence, passage.quotes):
            listed = ", ".join(f"{value:g} {unit}" for value, unit in sorted(differing))
            return self._object(f"another unit in the evidence than: {listed}")
        if crossed := crossed_numbers(sentence, passage.facts):
            listed = ", ".join(f"{value:g}" for value in sorted(crossed))
            return Verdict(Label.CONTRADICTED, 0.02, self.name, f"said of something else: {listed}")
        if pair := self._reversed_words(sentence, passage):
            return Verdict(Label.CONTRADICTED, 0.02, self.name, f"the opposite: {pair}")
        if replaced := self._replaced_words(sentence, passage):
            return self._object(f"not in the evidence: {', '.join(replaced)}")
        if missing_codes := self._missing_codes(sentence, passage, question):
            return self._object(f"not in the evidence: {', '.join(sorted(missing_codes))}")
        if missing_names := self._missing_names(sentence, passage):
            return self._object(f"names not in the evidence: {', '.join(sorted(missing_names))}")
        return Verdict(Label.UNSURE, 0.5, self.name)

    def negation_differs(self, sentence: str, passage: Passage) -> bool:
        """Whether a quote says nearly the same words and just one of both is negated."""
        return any(
            overlap(sentence, quote) >= NEAR_COPY and (negations(sentence) > 0) != (negations(quote) > 0)
            for quote in passage.quotes
        )

    def is_negated_otherwise(self, sentence: str, quote: str) -> bool:
        """Whether just one of both is negated, for texts whose words cannot be compared."""
        return (negations(sentence) > 0) != (negations(quote) > 0)

    def _reversed_words(self, sentence: str, passage: Passage) -> str:
        """A pair of opposites, one in the sentence and the other in a quote that says nearly
        the same; empty when there is none."""
        for quote in (quote for quote in passage.quotes if overlap(sentence, quote) >= SIMILAR):
            for one, other in OPPOSITES:
                mine = (bool(one.search(sentence)), bool(other.search(sentence)))
                theirs = (bool(one.search(quote)), bool(other.search(quote)))
                if mine in ((True, False), (False, True)) and theirs == mine[::-1]:
                    said = (one if mine[0] else other).search(sentence).group()
                    return f"{said} / {(other if mine[0] else one).search(quote).group()}"
        return ""

    def _replaced_words(self, sentence: str, passage: Passage) -> list[str]:
        """Content words that stand nowhere near, in a sentence that is otherwise copied: there
        a strange word is a changed fact, not another way to say it."""
        if not any(overlap(sentence, quote) >= NEAR_COPY for quote in passage.quotes):
            return []
        near = {term for text in passage.surroundings for term in split_terms(text)}
        return [part for part in segments(sentence) if not near & set(split_terms(part))]

    def _missing_values(self, sentence: str, passage: Passage, question: str) -> set[float]:
        """A number of the question is no evidence: `is the period 30 days?` must not make 30
        days true. It is let pass only where the evidence has no number that it could replace."""
        missing = missing_numbers(sentence, [*passage.quotes, *passage.headings])
        rivals = {unit for _, unit in quantities(passage.quoted)}
        own = quantities(sentence)
        return {
            value
            for value in missing
            if value not in plain_numbers(question)
            or any(unit in rivals for number, unit in own if number == value)
            or (not any(number == value for number, _ in own) and plain_numbers(passage.quoted))
        }

    def _missing_codes(self, sentence: str, passage: Passage, question: str) -> set[str]:
        """The sentence's codes, and the numbered ones that the question asks about: an
        answer about TM-20 is no answer about FS-85, whatever the sentence says."""
        near = [squeeze(text) for text in passage.surroundings]
        asked = {code for code in codes(question) if any(char.isdigit() for char in code)}
        wanted = (codes(sentence) - codes(question)) | {code for code in asked if not code.isdigit()}
        return {code for code in wanted if not any(holds_code(code, text) for text in near)}

    def _missing_names(self, sentence: str, passage: Passage) -> set[str]:
        if detect_language(sentence) != "en" or detect_language(passage.quoted) != "en":
            return set()
        near = normalise("\n".join(passage.surroundings))
        return {name for name in names(sentence) if name not in near}

    def _object(self, reason: str) -> Verdict:
        return Verdict(Label.UNSUPPORTED, 0.02, self.name, reason)
