"""What a caller asks for. Knows nothing of HTTP or of the graph's inside."""

from dataclasses import dataclass
from enum import StrEnum

from core.types import Scope


class Effort(StrEnum):
    """How much work a question is worth."""

    QUICK = "quick"
    STANDARD = "standard"
    DEEP = "deep"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a level of effort may spend, as factors of the settings."""

    evidence: float
    answer: float


BUDGETS = {
    Effort.QUICK: Budget(evidence=0.5, answer=0.5),
    Effort.STANDARD: Budget(evidence=1.0, answer=1.0),
    Effort.DEEP: Budget(evidence=2.0, answer=2.0),
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `owner` is who asks: a session is found again only by its owner."""

    question: str
    scope: Scope
    owner: str
    session_id: str = ""
    effort: Effort = Effort.STANDARD
