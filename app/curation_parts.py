"""How the parts of curation are made of others. Knows builders; holds no logic."""

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.curating import EvidenceFinder
    from agents.question_loop import QuestionLoop
    from agents.same_question import SameQuestion
    from app.services import Services


def build_same_question(services: "Services") -> "SameQuestion":
    """The rule by the settings."""
    from agents.same_question import SameQuestion
    from retrieval.token_cache import CachedTokenEmbedder

    made: list[CachedTokenEmbedder] = []

    def embedder() -> CachedTokenEmbedder:
        if not made:
            made.append(CachedTokenEmbedder(services.token_embedder()))
        return made[0]

    return SameQuestion(embedder, services.settings.faq.near_at)


def build_loop(services: "Services") -> "QuestionLoop":
    """The tables, made where they are not there yet."""
    from agents.bad_cases import BadCases
    from agents.faq import Faq
    from agents.kept_answers import KeptAnswers
    from agents.memory.user_memory import UserMemory, build_recaller
    from agents.question_loop import QuestionLoop
    from app.late_embedder import LateEmbedder

    memory = services.settings.memory
    engine, settings = services.engine(), services.settings.feedback
    return QuestionLoop(
        Faq(engine, services.store(), services.same_question()),
        KeptAnswers(engine, settings.keep_answers_days),
        BadCases(engine, settings.keep_cases_days),
        UserMemory(services.facts(), memory),
        build_recaller(memory, LateEmbedder(services.embedder)),
    )


def build_evidence_finder(services: "Services") -> "EvidenceFinder":
    """By the same binder and guard as answers."""
    from agents.binding import EvidenceBinder
    from agents.curating import EvidenceFinder
    from agents.guards.building import load_models
    from agents.guards.evidence_screen import EvidenceScreen
    from app.judging import opened_guard

    embedder = services.token_embedder()
    settings = services.settings.guard
    models = services.guard_models()
    open_guard = partial(opened_guard, models, settings, load_models(settings), services.chat_model)
    screen = EvidenceScreen(embedder) if settings.screen else None
    return EvidenceFinder(services.retriever(), EvidenceBinder(embedder), open_guard, screen)
