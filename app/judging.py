"""The grounding guard of the settings for work that runs in a thread without an event loop:
curating, and measuring the guard.

Knows how a chat model is connected; knows nothing of what is judged.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from anyio.from_thread import start_blocking_portal

from agents.guards.building import GuardModels, assemble_guard, build_judge
from agents.guards.grounding import GroundingGuard
from agents.prompt_library import PromptLibrary
from core.seams import Guard
from core.settings import GuardSettings

if TYPE_CHECKING:
    from core.chat_fallback import ConnectedChatModel


@contextmanager
def opened_guard(
    models: GuardModels,
    settings: GuardSettings,
    further: Sequence[Guard],
    find_chat: "Callable[[], ConnectedChatModel]",
) -> Iterator[GroundingGuard]:
    """The cascade with these readers and bigger models and, where the settings say so, the chat model that
    `find_chat` gives as a judge: asked in a loop of its own, which ends with this.

    Raises:
        ModelFileError: the embedded model's weights are not there.
        ChatModelError: the embedded model does not start.
    """
    if not settings.judge:
        yield assemble_guard(models.pairs, settings, further, models.probes)
        return
    from app.chat_models import connect_chat

    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(connect_chat(find_chat)) as chat_model,
    ):
        loop = portal.call(_running_loop)
        judge = build_judge(chat_model, PromptLibrary(), loop, settings)
        yield assemble_guard(models.pairs, settings, [*further, judge], models.probes)


async def _running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()
