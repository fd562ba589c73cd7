"""The chat model as a judge of what the small guard is not sure of.

Knows the prompt, the JSON schema and how long to wait; knows nothing of HTTP. The evidence is
fenced, so that nothing in it can speak as the user.
"""

import asyncio
from collections.abc import Callable
from copy import copy

from agents.prompt_library import PromptLibrary
from core.errors import ChatModelError
from core.seams import ChatModel, ChatOptions, Message, Passage
from core.text import detect_language
from core.types import Label, Usage, Verdict
from retrieval.evidence import estimate_tokens

SCHEMA = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": ["supported", "contradicted", "not_stated"]},
        "reason": {"type": "string", "maxLength": 160},
    },
    "required": ["verdict", "reason"],
    "additionalProperties": False,
}
_LABELS = {
    "supported": (Label.SUPPORTED, 0.9),
    "contradicted": (Label.CONTRADICTED, 0.05),
    "not_stated": (Label.UNSUPPORTED, 0.1),
}
MAX_TOKENS = 120


class ChatJudge:
    """A `Guard` that asks the chat model. Called from a worker thread while `loop` runs; the model belongs
    to that loop. An outage is `unsure`, and the reason says so."""

    name = "judge"

    def __init__(
        self, chat_model: ChatModel, prompts: PromptLibrary, loop: asyncio.AbstractEventLoop, timeout_s: float
    ) -> None:
        self._chat_model = chat_model
        self._prompts = prompts
        self._loop = loop
        self._timeout_s = timeout_s
        self._spend: Callable[[Usage], None] = lambda usage: None

    def spending(
        self, spend: Callable[[Usage], None], chat_model: ChatModel | None = None
    ) -> "ChatJudge":
        """See `SpendingGuard.spending`."""
        counted = copy(self)
        counted._spend, counted._chat_model = spend, chat_model or self._chat_model
        return counted

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """See `Guard.check`; the score stands for the model's word, it does not say a number itself."""
        if not passage.quotes:
            return Verdict(Label.UNSUPPORTED, 0.0, self.name, "no evidence")
        quotes = "\n".join(passage.readable or passage.quotes)
        messages = self._prompts.judge(sentence, quotes, detect_language(sentence))
        asked = asyncio.run_coroutine_threadsafe(self._ask(messages), self._loop)
        try:
            reply, usage = asked.result(self._timeout_s)
        except TimeoutError:
            asked.cancel()
            # The server has read it, and does not say any more how much that was.
            self._spend(Usage(round(sum(estimate_tokens(m.content) for m in messages)), 0, 1))
            return self._not_judged(f"no reply within {self._timeout_s:g} s")
        except ChatModelError as exc:
            return self._not_judged(exc.message)
        self._spend(usage)
        label, score = _LABELS.get(str(reply.get("verdict")), (Label.UNSURE, 0.5))
        if label is Label.UNSURE:
            return self._not_judged(f"its reply has no verdict: {str(reply)[:80]}")
        return Verdict(label, score, self.name, str(reply.get("reason", ""))[:160])

    async def _ask(self, messages: list[Message]) -> tuple[dict, Usage]:
        return await self._chat_model.structured(messages, SCHEMA, ChatOptions(max_tokens=MAX_TOKENS))

    def _not_judged(self, why: str) -> Verdict:
        return Verdict(Label.UNSURE, 0.5, self.name, f"the judge could not be asked: {why}")
