"""Builds the grounding guard that the settings describe. Knows every stage; judges nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from agents.guards.grounding import GroundingGuard
from agents.prompt_library import PromptLibrary
from core.readers import PairReader, ProbeReader
from core.seams import ChatModel, Guard, TokenEmbedder
from core.settings import GuardSettings


@dataclass(frozen=True, slots=True)
class GuardModels:
    """The models that guards read with: token vectors, pairs of texts, and where they are wanted the states
    of a language model. All are built in, whatever the index is made with and whoever answers: the guards
    were fitted to them."""

    tokens: TokenEmbedder
    pairs: PairReader
    probes: ProbeReader | None = None


async def build_guard(
    models: GuardModels, chat_model: ChatModel, prompts: PromptLibrary, settings: GuardSettings
) -> GroundingGuard:
    """Called in the loop that the chat model belongs to; a bigger model is loaded in a thread.

    Raises:
        SettingsError, ModelFileError: a bigger model is named that cannot be used.
    """
    further = await asyncio.to_thread(load_models, settings)
    if settings.judge:
        further.append(build_judge(chat_model, prompts, asyncio.get_running_loop(), settings))
    return assemble_guard(models.pairs, settings, further, models.probes)


def load_models(settings: GuardSettings) -> list[Guard]:
    """The bigger model that is asked about unsure sentences, where one is named. Raises as
    `build_guard`."""
    if not settings.model:
        return []
    from agents.guards.pair_model import PairModelGuard

    return [PairModelGuard(settings)]


def build_judge(
    chat_model: ChatModel, prompts: PromptLibrary, loop: asyncio.AbstractEventLoop, settings: GuardSettings
) -> Guard:
    """The chat model as the last one asked; it belongs to `loop`, which runs elsewhere."""
    from agents.guards.judge import ChatJudge

    return ChatJudge(chat_model, prompts, loop, settings.judge_timeout_s)


def assemble_guard(
    reader: PairReader, settings: GuardSettings, further: Sequence[Guard], probes: ProbeReader | None = None
) -> GroundingGuard:
    """The whole cascade with these behind the readers."""
    return GroundingGuard(
        reader, settings.supported_at, settings.unsure_at, further=further, probes=probes
    )
