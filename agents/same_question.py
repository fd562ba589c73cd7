"""Whether two questions are one, in other words.

Equal facts are demanded letter by letter (`question_form`), and then token vectors that
agree nearly everywhere: every token of either question must find its like in the other one.
Knows nothing of answers.
"""

from collections.abc import Callable, Sequence

import numpy as np

from agents.question_form import QuestionForm, form_of, keeps_order
from core.seams import TokenEmbedder


class SameQuestion:
    """The rule at one threshold. Thread-safe."""

    def __init__(self, embedder: Callable[[], TokenEmbedder], near_at: float) -> None:
        """`embedder` gives it when it is first needed. `near_at` is the least `likeness` of two
        wordings; at 1 only equal keys are one."""
        self._embedder = embedder
        self._near_at = near_at

    def find(self, question: str, others: Sequence[str]) -> int | None:
        """Which of the others is the same question, the likest; None when none is."""
        form = form_of(question)
        forms = [form_of(other) for other in others]
        for at, other in enumerate(forms):
            if other.key == form.key:
                return at
        near = [at for at, other in enumerate(forms) if self._near_at < 1 and is_comparable(form, other)]
        if not near:
            return None
        own, *tables = self._embedder().embed_tokens([form.key, *(forms[at].key for at in near)])
        scores = [likeness(own, table) for table in tables]
        best = int(np.argmax(scores))
        return near[best] if scores[best] >= self._near_at else None


def is_comparable(one: QuestionForm, other: QuestionForm) -> bool:
    """Whether two questions share all their facts, in their order."""
    return one.facts == other.facts and keeps_order(one, other)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The cosine of the token that finds its like least, of either question: one word is what
    tells two questions apart. -1…1; 0 for nothing."""
    if not len(one) or not len(other):
        return 0.0
    cosines = one @ other.T
    return float(min(cosines.max(axis=1).min(), cosines.max(axis=0).min()))
