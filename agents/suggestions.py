"""Recurring questions, as proposals for curated answers.

Groups the questions of bad cases and of answers with a thumb up: those that are the same
question in other words are one. Pure but for the rule of sameness; whose questions they are
is decided by who calls.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.bad_cases import BadCase, CauseKind
from agents.kept_answers import KeptAnswer, Vote
from agents.question_form import form_of
from agents.same_question import SameQuestion
from core.types import Label, Status


@dataclass(frozen=True, slots=True)
class Asked:
    """One time that a question was asked. `kept` is the answer, while it is known."""

    question: str
    answer_id: str
    created: str
    case: BadCase | None = None
    kept: KeptAnswer | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question that was asked `count` times, in these wordings, the usual one first.
    `candidates` are answers that are verified throughout, the best first."""

    id: str
    questions: tuple[str, ...]
    asked: tuple[Asked, ...]
    candidates: tuple[KeptAnswer, ...]

    @property
    def count(self) -> int:
        """How often it was asked."""
        return len(self.asked)

    @property
    def thumbs(self) -> tuple[int, int]:
        """Thumbs up and thumbs down."""
        up = sum(asked.kept is not None and _vote(asked.kept) is Vote.UP for asked in self.asked)
        down = sum(
            asked.case is not None and any(c.kind is CauseKind.THUMB_DOWN for c in asked.case.causes)
            for asked in self.asked
        )
        return up, down

    @property
    def right_answers(self) -> tuple[str, ...]:
        """What askers said would have been right."""
        given = (asked.case.right_answer for asked in self.asked if asked.case is not None)
        return tuple(dict.fromkeys(text for text in given if text))


def suggest(
    liked: Iterable[KeptAnswer],
    cases: Iterable[BadCase],
    answers: Mapping[str, KeptAnswer],
    same: SameQuestion,
) -> list[Suggestion]:
    """Most asked first. `answers` are the kept answers of the cases, by id."""
    asked = [
        Asked(case.question, case.answer_id, case.created, case, answers.get(case.answer_id))
        for case in cases
    ]
    known = {one.answer_id for one in asked}
    asked += [
        Asked(kept.question, kept.answer.id, kept.created, None, kept)
        for kept in liked
        if kept.answer.id not in known
    ]
    groups = [_suggestion(group) for group in _grouped(asked, same)]
    return sorted(groups, key=lambda found: (-found.count, found.id))


def _grouped(asked: Sequence[Asked], same: SameQuestion) -> list[list[Asked]]:
    by_facts: dict[str, list[list[Asked]]] = defaultdict(list)
    for one in sorted(asked, key=lambda one: (one.created, one.answer_id)):
        groups = by_facts[form_of(one.question).facts]
        at = same.find(one.question, [group[0].question for group in groups])
        if at is None:
            groups.append([one])
        else:
            groups[at].append(one)
    return [group for groups in by_facts.values() for group in groups]


def _suggestion(group: Sequence[Asked]) -> Suggestion:
    wordings = Counter(one.question for one in group)
    questions = tuple(question for question, _ in wordings.most_common())
    # Of the first wording: the id stays while the question is asked on.
    identity = hashlib.sha256(form_of(group[0].question).key.encode("utf-8", "replace")).hexdigest()[:12]
    kept = [one.kept for one in reversed(group) if one.kept is not None and is_verified(one.kept)]
    kept.sort(key=lambda answer: _vote(answer) is not Vote.UP)
    return Suggestion(identity, questions, tuple(group), tuple(kept))


def is_verified(kept: KeptAnswer) -> bool:
    """Whether an answer holds throughout: all of it supported, nothing missing, no thumb down."""
    sentences = kept.answer.sentences
    return (
        kept.answer.status is Status.ANSWERED
        and _vote(kept) is not Vote.DOWN
        and bool(sentences)
        and all(
            s.citations and not s.conflicts and s.verdict.label is Label.SUPPORTED for s in sentences
        )
    )


def _vote(kept: KeptAnswer) -> Vote | None:
    return kept.rating.vote if kept.rating else None
