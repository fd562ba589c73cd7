"""Claims of real drafts, beside the passages that they were drafted from.

A draft that holds the known answer is a true claim; the same with a fact changed, or beside a near passage
that does not answer, is a false one; so is a draft that says something else in words of its own. Which of
the others are true nobody knows: they are left out. Pure; knows nothing of the model that drafted.
"""

import random
from collections.abc import Iterable, Iterator

from agents.binding import strip_markers
from agents.drafting import is_refusal
from agents.guards.exact import overlap
from agents.keywords import segments
from core.text import split_sentences
from evals.answers import matches
from evals.draft_cases import DraftCase
from evals.drafts import Drafted
from evals.fact_changes import CHANGES, borrow
from evals.pair_rows import CLAIM, PairRow
from retrieval.terms import simplify, split_terms

SOURCE, WRONG = "draft", "draft-wrong"
READ_SENTENCES = 2
CHANGED_CLAIMS = 2
COPIED = 0.6
"""Share of common terms from which a sentence repeats one of the passage and may well be true."""
LONG_ANSWER, SAID_OF_IT = 15, 0.8
"""Characters from which an answer need not be repeated in full, and the share of a sentence's own terms
that must come from it."""


def claims_on_drafts(drafts: Iterable[Drafted], rng: random.Random) -> Iterator[PairRow]:
    """The claims of the drafts' first sentences."""
    for drafted in drafts:
        text = drafted.draft.strip()
        for span in split_sentences(text)[:READ_SENTENCES]:
            said, _ = strip_markers(span.of(text))
            if not said or is_refusal(said):
                continue
            if is_right(said, drafted.case):
                yield from _true_and_changed(said, drafted.case, rng)
            elif _is_wrong(said, drafted.case):
                yield PairRow(CLAIM, said, most_like(said, drafted.case.passages)[1], 0, None, WRONG)


def is_right(said: str, case: DraftCase) -> bool:
    """Whether a sentence holds the known answer, in either script; of a long answer a part is enough."""
    if not case.groups:
        return False
    groups = [[simplify(form.casefold()) for form in group] for group in case.groups]
    if matches(simplify(said.casefold()), groups):
        return True
    new, known = _own_terms(said, case), _answer_terms(case)
    is_long = len(" ".join(form for group in case.groups for form in group)) > LONG_ANSWER
    return is_long and len(new) > 1 and len(new & known) / len(new) >= SAID_OF_IT


def _is_wrong(said: str, case: DraftCase) -> bool:
    return most_like(said, case.passages)[0] < COPIED and not _own_terms(said, case) & _answer_terms(case)


def _true_and_changed(said: str, case: DraftCase, rng: random.Random) -> Iterator[PairRow]:
    own, *near = case.passages
    yield PairRow(CLAIM, said, own, 1, (), SOURCE)
    changes = [borrow(said, own, rng)]
    changes += [CHANGES[kind](said, rng) for kind in rng.sample(sorted(CHANGES), len(CHANGES))]
    for changed in list(filter(None, changes))[:CHANGED_CLAIMS]:
        yield PairRow(CLAIM, changed[0], own, 0, (changed[1],), SOURCE)
    if near and rng.random() < 0.5:
        yield PairRow(CLAIM, said, near[0], 0, None, SOURCE)


def _own_terms(said: str, case: DraftCase) -> set[str]:
    terms = {term for segment in segments(said) for term in split_terms(segment)}
    return terms - set(split_terms(case.question))


def _answer_terms(case: DraftCase) -> set[str]:
    return set(split_terms(" ".join(form for group in case.groups for form in group)))


def most_like(said: str, passages: Iterable[str]) -> tuple[float, str]:
    """The passage with the sentence that is most alike, and how alike it is."""
    return max(
        (max((overlap(said, span.of(text)) for span in split_sentences(text)), default=0.0), text)
        for text in passages
    )
