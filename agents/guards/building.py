"""Builds the grounding guard that the settings describe. Knows every stage; judges nothing."""

import asyncio

from agents.guards.grounding import GroundingGuard
from agents.prompt_library import PromptLibrary
from core.seams import ChatModel, Guard, TokenEmbedder
from core.settings import GuardSettings


async def build_guard(
    embedder: TokenEmbedder, chat_model: ChatModel, prompts: PromptLibrary, settings: GuardSettings
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
    return GroundingGuard(embedder, settings.supported_at, settings.unsure_at, further=further)
