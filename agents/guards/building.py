"""Builds the grounding guard that the settings describe. Knows every stage; judges nothing."""

import asyncio
from dataclasses import dataclass

from agents.guards.grounding import GroundingGuard
from agents.prompt_library import PromptLibrary
from core.seams import ChatModel, Guard, PairReader, TokenEmbedder
from core.settings import GuardSettings


@dataclass(frozen=True, slots=True)
class GuardModels:
    """The small models that guards read with: token vectors, and pairs of texts. Both are built in,
    whatever the index is made with: the guards were fitted to them."""

    tokens: TokenEmbedder
    pairs: PairReader


async def build_guard(
    reader: PairReader, chat_model: ChatModel, prompts: PromptLibrary, settings: GuardSettings
) -> GroundingGuard:
    """Called in the loop that the chat model belongs to; a bigger model is loaded in a thread.

    Raises:
        SettingsError, ModelFileError: a bigger model is named that cannot be used.
    """
    further: list[Guard] = []
    if settings.model:
        from agents.guards.pair_model import PairModelGuard

        further.append(await asyncio.to_thread(PairModelGuard, settings))
    if settings.judge:
        from agents.guards.judge import ChatJudge

        loop = asyncio.get_running_loop()
        further.append(ChatJudge(chat_model, prompts, loop, settings.judge_timeout_s))
    return GroundingGuard(reader, settings.supported_at, settings.unsure_at, further=further)
