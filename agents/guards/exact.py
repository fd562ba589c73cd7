"""What must agree to the letter: numbers, codes, names, negation.

Cheap, and right nearly always when it objects. Knows nothing of vectors.
"""

from dataclasses import dataclass

from agents.quantities import crossed_numbers, differing_units
from agents.wording import codes, holds_code, missing_numbers, names, negations, squeeze
from core.text import detect_language, normalise
from core.types import Label, Verdict
from retrieval.lexical import split_terms

NEAR_COPY = 0.6


@dataclass(frozen=True, slots=True)
class Passage:
    """The evidence of one sentence: the quotes, the chunks (with headings) around them, and
    the single facts in the quotes."""

    quotes: tuple[str, ...]
    surroundings: tuple[str, ...]
    facts: tuple[str, ...] = ()

    @property
    def quoted(self) -> str:
        """The quotes as one text."""
        return "\n".join(self.quotes)


def _overlap(one: str, other: str) -> float:
    """Share of the terms of both that both hold."""
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
        if missing_codes := self._missing_codes(sentence, passage, question):
            return self._object(f"not in the evidence: {', '.join(sorted(missing_codes))}")
        if missing_names := self._missing_names(sentence, passage, question):
            return self._object(f"names not in the evidence: {', '.join(sorted(missing_names))}")
        return Verdict(Label.UNSURE, 0.5, self.name)

    def negation_differs(self, sentence: str, passage: Passage) -> bool:
        """Whether a quote says nearly the same words and just one of both is negated."""
        return any(
            _overlap(sentence, quote) >= NEAR_COPY and (negations(sentence) > 0) != (negations(quote) > 0)
            for quote in passage.quotes
        )

    def is_negated_otherwise(self, sentence: str, quote: str) -> bool:
        """Whether just one of both is negated, for texts whose words cannot be compared."""
        return (negations(sentence) > 0) != (negations(quote) > 0)

    def _missing_values(self, sentence: str, passage: Passage, question: str) -> set[float]:
        return missing_numbers(sentence, [*passage.quotes, question])

    def _missing_codes(self, sentence: str, passage: Passage, question: str) -> set[str]:
        """The sentence's codes, and the numbered ones that the question asks about: an
        answer about TM-20 is no answer about FS-85, whatever the sentence says."""
        near = [squeeze(text) for text in passage.surroundings]
        asked = {code for code in codes(question) if any(char.isdigit() for char in code)}
        wanted = (codes(sentence) - codes(question)) | {code for code in asked if not code.isdigit()}
        return {code for code in wanted if not any(holds_code(code, text) for text in near)}

    def _missing_names(self, sentence: str, passage: Passage, question: str) -> set[str]:
        if detect_language(sentence) != "en" or detect_language(passage.quoted) != "en":
            return set()
        near = normalise("\n".join([*passage.surroundings, question]))
        return {name for name in names(sentence) if name not in near}

    def _object(self, reason: str) -> Verdict:
        return Verdict(Label.UNSUPPORTED, 0.02, self.name, reason)
