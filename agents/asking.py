"""What a caller asks for. Knows nothing of HTTP or of the graph's inside."""

from dataclasses import dataclass
from enum import StrEnum

from agents.allowance import Limits
from agents.policy import Policy
from agents.routing import Route
from core.settings_effort import EffortSettings
from core.types import Scope, Turn


class Effort(StrEnum):
    """How much work a question is worth."""

    QUICK = "quick"
    STANDARD = "standard"
    DEEP = "deep"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a draft is sampled: first greedily, as what is copied should be exact. After a draft
    that looped, broke off, was empty or in another language, at most `retries` more, warmer
    and with a penalty on what was said already."""

    retries: int
    temperature: float = 0.0
    retry_temperature: float = 0.3
    retry_penalty: float = 0.6


@dataclass(frozen=True, slots=True)
class Budget:
    """What a level of effort may spend: `evidence` and `answer` as factors of the settings, how it samples,
    where it ends, and which nodes run."""

    evidence: float
    answer: float
    sampling: Sampling
    limits: Limits
    hops: int
    """Searches for parts of one question."""
    revises: bool = True
    """Whether what was withheld is rewritten."""
    routes: frozenset[Route] = frozenset({Route.RELATED, Route.TABLE, Route.TOOL, Route.HOPS})
    """The ways beside the search that are open; a question of another is searched for."""


BUDGETS = {
    Effort.QUICK: Budget(
        evidence=0.5,
        answer=0.5,
        sampling=Sampling(retries=1),
        limits=Limits(model_calls=4, tokens=20_000, seconds=90),
        hops=0,
        revises=False,
        routes=frozenset({Route.RELATED, Route.TABLE, Route.TOOL}),
    ),
    Effort.STANDARD: Budget(
        evidence=1.0,
        answer=1.0,
        sampling=Sampling(retries=1),
        limits=Limits(model_calls=24, tokens=80_000, seconds=240),
        hops=3,
    ),
    Effort.DEEP: Budget(
        evidence=2.0,
        answer=2.0,
        sampling=Sampling(retries=2),
        limits=Limits(model_calls=96, tokens=320_000, seconds=900),
        hops=6,
        routes=frozenset({Route.RELATED, Route.TABLE, Route.TOOL, Route.HOPS, Route.RESEARCH}),
    ),
}


def limits_of(effort: Effort, settings: EffortSettings) -> Limits:
    """Where a question of that effort ends: what the settings say goes before the table above."""
    limits, name = BUDGETS[effort].limits, effort.value
    return Limits(
        settings.model_calls.get(name, limits.model_calls),
        settings.tokens.get(name, limits.tokens),
        settings.seconds.get(name, limits.seconds),
    )


@dataclass(frozen=True, slots=True)
class Guidance:
    """How an answer shall be, by the assistant of the session and by who asks: `assistant` is its id,
    `wishes` are instructions that were screened, `language` is what is answered in where the question
    names none (empty: it is left open), `tools` are those that may be used (None: all)."""

    assistant: str = ""
    wishes: tuple[str, ...] = ()
    language: str = ""
    tools: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `owner` is who asks: a session is found again only by its owner. `policy` may
    be stricter than that of the collection; a looser one has no effect. `keep`: whether the
    answer may be rated later and count as a bad case, and what is said of the user may be remembered;
    a measurement says no. `memory` is the strategy of the session from now on; empty: as it was. `role`
    says which tools may be used. `history` are turns that the caller brings along, as if the session had
    begun with them; they are not stored with it. `run` is the id that the answer shall have, 32 hexadecimal
    digits; empty: a new one."""

    question: str
    scope: Scope
    owner: str
    session_id: str = ""
    effort: Effort = Effort.STANDARD
    policy: Policy | None = None
    keep: bool = True
    memory: str = ""
    guidance: Guidance = Guidance()
    role: str = "reader"
    history: tuple[Turn, ...] = ()
    run: str = ""
