"""HyDE (Gao et al. 2022): the chat model writes a passage that might answer the question,
and the search looks for what resembles it.

The passage is searched with and goes no further: what it says may be made up. Knows the
prompt and the model; knows nothing of searching.
"""

from contextlib import aclosing
from dataclasses import dataclass

from agents.asking import Effort
from agents.prompt_library import PromptLibrary
from core.seams import ChatModel, ChatOptions
from core.types import Usage

MAX_TOKENS = 80
_EFFORTS = {
    "off": frozenset[Effort](),
    "deep": frozenset({Effort.DEEP}),
    "standard": frozenset({Effort.STANDARD, Effort.DEEP}),
}


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A hypothetical passage and what it cost."""

    passage: str
    usage: Usage


def is_wanted(setting: str, effort: Effort) -> bool:
    """Whether `retrieval.hyde` asks for a passage at this effort."""
    return effort in _EFFORTS[setting]


async def write_passage(
    chat_model: ChatModel, prompts: PromptLibrary, question: str, language: str
) -> Hypothesis:
    """A passage in `language` that might answer the question; greedy.

    Raises:
        ChatModelError: the model failed.
    """
    text, usage = "", Usage()
    options = ChatOptions(max_tokens=MAX_TOKENS)
    async with aclosing(chat_model.stream(prompts.hyde(question, language), options)) as deltas:
        async for delta in deltas:
            text += delta.text
            usage = usage.plus(delta.usage) if delta.usage else usage
    return Hypothesis(" ".join(text.split()), usage)
