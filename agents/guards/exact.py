"""What must agree to the letter: numbers, codes, names, negation.

Cheap, and right nearly always when it objects. Knows nothing of vectors.
"""

import re

from agents.guards.contrasts import OPPOSITES, QUANTIFIERS, contrast
from agents.keywords import segments
from agents.quantities import crossed_numbers, differing_units, explained_numbers, split_facts
from core.dates import CalendarDate, find_dates
from core.seams import Passage
from core.text import detect_language, normalise
from core.types import Label, Verdict
from core.units import quantities
from core.wording import (
    chinese_names,
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
ALIKE = 0.25
MOST_VALUES = 2
COUNTED = 10
"""A number up to this that is written as a word, without a unit, may count what the evidence lists."""
CROSSED = "said of something else"
NEARLY_ALL = 0.8
"""Share of a fact's words that another one holds with another number, from which that is an objection."""
SHORTEST_WORD = 3
"""Of an English word that says something by itself."""
_BRACKETS = re.compile(r"[（(][^（）()]*[）)]")
_SPEAKING = re.compile(
    r"资料显示|据介绍|据了解|据悉|文中提到|消息说|可以看到|根据(?:资料|文档|文件|证据)|综上|因此|所以|也就是说"
    r"|\b(?:yes|yeah|yep|well|according to|the (?:text|document|source|evidence)s?|stated?|states|says?|said"
    r"|therefore|thus|however|whereas|while|because|also|only|both|that is|as far as is known)\b",
    re.IGNORECASE,
)


def overlap(one: str, other: str) -> float:
    """Share (0…1) of the terms of either text that both hold."""
    left, right = set(split_terms(one)), set(split_terms(other))
    return len(left & right) / len(left | right) if left | right else 0.0


def negation_differs(sentence: str, quote: str) -> bool:
    """Whether just one of both is negated."""
    return (negations(sentence) > 0) != (negations(quote) > 0)


def _is_copied(sentence: str, passage: Passage) -> bool:
    """Whether a quote is the sentence letter by letter. A part of a quote is not enough: what
    stands before it may deny it."""
    letters = _letters(sentence)
    return bool(letters) and any(letters == _letters(quote) for quote in passage.quotes)


def _letters(text: str) -> str:
    return re.sub(r"[^\w.]+", "", normalise(text)).rstrip(".")


class ExactGuard:
    """Objects when the sentence names what its evidence does not; else it is unsure."""

    name = "exact"

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """`unsupported` or `contradicted` with a reason, or `unsure` when nothing is amiss."""
        if not passage.quotes:
            return Verdict(Label.UNSUPPORTED, 0.0, self.name, "no evidence")
        if missing_codes := self._missing_codes(sentence, passage, question):
            return self._object(f"not in the evidence: {', '.join(sorted(missing_codes))}")
        if _is_copied(sentence, passage):
            return Verdict(Label.UNSURE, 0.5, self.name)
        missing = self._missing_values(sentence, passage, question)
        counted = {value for value in missing if value <= COUNTED} - _written(sentence)
        if find_dates(sentence) or plain_numbers(passage.quoted):  # a number is told there, nothing counted
            counted = set()
        if missing - counted:
            return self._object(f"numbers not in the evidence: {_listed(missing - counted)}")
        if differing := differing_units(sentence, passage.quotes):
            listed = ", ".join(f"{value:g} {unit}" for value, unit in sorted(differing))
            return self._object(f"another unit in the evidence than: {listed}")
        if dates := self._missing_dates(sentence, passage):
            return Verdict(Label.CONTRADICTED, 0.02, self.name, f"another date in the evidence than: {dates}")
        if crossed := self._crossed_values(sentence, passage, NEARLY_ALL):
            return Verdict(Label.CONTRADICTED, 0.02, self.name, f"{CROSSED}: {_listed(crossed)}")
        if pair := self.reversed_words(sentence, passage):
            return Verdict(Label.CONTRADICTED, 0.02, self.name, f"the opposite: {pair}")
        if self._is_negated_otherwise(sentence, passage):
            return Verdict(Label.CONTRADICTED, 0.05, self.name, "negated on one side only")
        return Verdict(Label.UNSURE, 0.5, self.name, self._doubt(sentence, passage, counted))

    def _doubt(self, sentence: str, passage: Passage, counted: set[float]) -> str:
        """What the model must be surer of. Another word may say the same, what begins with a capital
        need not be a name, three things may be listed and not counted, and a number may be told of two
        things in other words: on public sets objections for these hit true claims as often."""
        strange = [*self._replaced_words(sentence, passage), *sorted(self._missing_names(sentence, passage))]
        doubts = [f"not in the evidence: {', '.join(strange)}"] if strange else []
        doubts += [f"not counted in the evidence: {_listed(counted)}"] if counted else []
        if crossed := self._crossed_values(sentence, passage):
            doubts.append(f"{CROSSED}: {_listed(crossed)}")
        return "; ".join(doubts)

    def _crossed_values(self, sentence: str, passage: Passage, least: float = 0.0) -> set[float]:
        """Numbers of the sentence that stand in the evidence in a fact about something else: each
        of its own facts by itself, since a sentence may rightly join several. Not those of dates,
        which stand where the sentence is told, nor those of a list."""
        if not any(overlap(sentence, quote) >= ALIKE for quote in passage.quotes):
            return set()
        dated = {float(part) for d in find_dates(sentence) for part in (d.year, d.month, d.day) if part}
        own = [fact for fact in split_facts(sentence) if len(plain_numbers(fact)) <= MOST_VALUES]
        crossed = set().union(*(crossed_numbers(fact, passage.facts, least) for fact in own))
        return {value for value in crossed if value not in dated and not 1000 <= value <= 2100}

    def _is_negated_otherwise(self, sentence: str, passage: Passage) -> bool:
        """Whether the quote that says nearly the same words is negated and the sentence not, or
        the other way round."""
        nearest = max(passage.quotes, key=lambda quote: overlap(sentence, quote))
        return overlap(sentence, nearest) >= NEAR_COPY and negation_differs(sentence, nearest)

    def reversed_words(self, sentence: str, passage: Passage) -> str:
        """A pair of opposites, or of words for how many, one in the sentence and the other in a
        quote that says nearly the same; empty when there is none."""
        for quote in passage.quotes:
            likeness = overlap(sentence, quote)
            if likeness >= SIMILAR and (pair := contrast(sentence, quote, OPPOSITES)):
                return pair
            if likeness >= NEAR_COPY and (pair := contrast(sentence, quote, QUANTIFIERS)):
                return pair
        return ""

    def _replaced_words(self, sentence: str, passage: Passage) -> list[str]:
        """Content words that stand nowhere near, in a sentence that is otherwise copied: there
        a strange word is a changed fact, not another way to say it."""
        if not any(overlap(sentence, quote) >= NEAR_COPY for quote in passage.quotes):
            return []
        sentence = _SPEAKING.sub(" ", sentence)
        near = {term for text in passage.surroundings for term in split_terms(text)}
        strange = [part for part in segments(sentence) if not near & set(split_terms(part))]
        return [
            part for part in strange if not part.isascii() or len(part.replace(".", "")) >= SHORTEST_WORD
        ]

    def _missing_values(self, sentence: str, passage: Passage, question: str) -> set[float]:
        """A number of the question is no evidence: `is the period 30 days?` must not make 30
        days true. It is let pass only where the evidence has no number that it could replace."""
        near = [*passage.quotes, *passage.headings]
        missing = missing_numbers(sentence, near)
        missing -= explained_numbers(sentence, missing, near)
        rivals = {unit for _, unit in quantities(passage.quoted)}
        own = quantities(sentence)
        return {
            value
            for value in missing
            if value not in plain_numbers(question)
            or any(unit in rivals for number, unit in own if number == value)
            or (not any(number == value for number, _ in own) and plain_numbers(passage.quoted))
        }

    def _missing_dates(self, sentence: str, passage: Passage) -> str:
        """Dates of the sentence with which none of the evidence agrees, where that has dates: each
        of their numbers may stand there in another date."""
        held = find_dates("\n".join([*passage.quotes, *passage.headings]))
        said = find_dates(sentence)
        right = [own for own in said if any(own.agrees(other) for other in held)]
        # Of 3/6/2019 one reading is enough.
        right += [CalendarDate(d.year, d.day, d.month) for d in right]
        wrong = [own for own in said if own not in right]
        listed = ("-".join(str(part) for part in (d.year, d.month, d.day) if part is not None) for d in wrong)
        return ", ".join(listed) if held else ""

    def _missing_codes(self, sentence: str, passage: Passage, question: str) -> set[str]:
        """The sentence's codes, and the numbered ones that the question asks about: an
        answer about TM-20 is no answer about FS-85, whatever the sentence says."""
        near = [squeeze(text) for text in passage.surroundings]
        asked = {code for code in codes(question) if any(char.isdigit() for char in code)}
        own = codes(_BRACKETS.sub(" ", sentence))
        wanted = (own - codes(question)) | {code for code in asked if not code.isdigit()}
        return {code for code in wanted if not any(holds_code(code, text) for text in near)}

    def _missing_names(self, sentence: str, passage: Passage) -> set[str]:
        language = detect_language(sentence)
        if language != detect_language(passage.quoted):
            return set()
        near = normalise("\n".join(passage.surroundings))
        if language == "zh":
            return {name for name in chinese_names(sentence) if normalise(name) not in near}
        return {name for name in names(sentence) if name not in near}

    def _object(self, reason: str) -> Verdict:
        return Verdict(Label.UNSUPPORTED, 0.02, self.name, reason)


def _listed(values: set[float]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(values))


def _written(text: str) -> set[float]:
    """The values that a text writes in digits, or with a unit."""
    digits = re.findall(r"\d+(?:\.\d+)?", normalise(text))
    return {float(value) for value in digits} | {value for value, _ in quantities(text)}
