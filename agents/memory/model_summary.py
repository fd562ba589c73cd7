"""A rolling summary in the chat model's words: each block of remarks that has left the window is
taken into the summary of all before it, once.

What a model writes may be wrong, so it is a note for understanding questions like all memory, and
without the model the extractive summary stands in. Knows a writer and the extractive summary;
knows nothing of sessions.
"""

import asyncio
import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from agents.memory.places import take_latest
from agents.memory.rendering import Budget, as_said, render
from agents.memory.summary import RollingSummary, summarise
from agents.prompt_library import PromptLibrary
from core.errors import ChatModelError
from core.seams import ChatModel, ChatOptions
from core.text import detect_language, split_sentences
from core.types import Recollection, Remark

BLOCK = 10
"""So many remarks are taken into the summary with one call."""
KEPT = 512
"""Summaries that are not asked for again; after a restart they are."""
MAX_TOKENS = 200
_log = logging.getLogger(__name__)


class ModelSummary:
    """A `Memory` as `RollingSummary`, whose older part is written by `write`: from the summary so
    far and what was said since, the new summary. `write` raises ChatModelError."""

    name = "summary"

    def __init__(self, write: Callable[[str, str], str]) -> None:
        self._write = write
        self._extractive = RollingSummary()
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, history: Sequence[Remark], question: str, budget: int) -> list[Recollection]:
        """See `Memory.recall`."""
        recent = Budget(budget * self._extractive.latest)
        window = take_latest(history, recent)
        older = history[: len(history) - len(window)]
        taken = len(older) - len(older) % BLOCK
        if not taken:
            return self._extractive.recall(history, question, budget)
        try:
            text = self._summary(older[:taken])
        except ChatModelError as exc:
            _log.warning("summarised without the model: %s", exc)
            return self._extractive.recall(history, question, budget)
        left = Budget(budget - budget * self._extractive.latest + recent.left)
        note = _fitting(text, tuple(remark.id for remark in older[:taken]), left)
        return [*note, *summarise(older[taken:], left), *window]

    def _summary(self, older: Sequence[Remark]) -> str:
        """Of whole blocks. Each is written once: a longer conversation begins with the same ones."""
        summary, digest = "", hashlib.sha256()
        for start in range(0, len(older), BLOCK):
            talk = render(map(as_said, older[start : start + BLOCK]))
            digest.update(talk.encode("utf-8", "replace"))
            summary = self._once(digest.hexdigest(), summary, talk)
        return summary

    def _once(self, key: str, summary: str, talk: str) -> str:
        with self._lock:
            known = self._kept.get(key)
        written = self._write(summary, talk) if known is None else known
        with self._lock:
            self._kept[key] = written
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return written


class ChatSummaryWriter:
    """Asks the chat model. Called from a worker thread while `loop` runs; the model belongs to it."""

    def __init__(
        self, chat_model: ChatModel, prompts: PromptLibrary, loop: asyncio.AbstractEventLoop, timeout_s: float
    ) -> None:
        self._chat_model = chat_model
        self._prompts = prompts
        self._loop = loop
        self._timeout_s = timeout_s

    def __call__(self, summary: str, talk: str) -> str:
        """The new summary. Raises ChatModelError when the model fails, says nothing or is late."""
        asked = asyncio.run_coroutine_threadsafe(self._ask(summary, talk), self._loop)
        try:
            text = asked.result(self._timeout_s)
        except TimeoutError as exc:
            asked.cancel()
            raise ChatModelError(
                f"no summary within {self._timeout_s:g} s", remedy="raise ATTEST_CHAT__TIMEOUT_S"
            ) from exc
        if not text.strip():
            raise ChatModelError("the model wrote no summary", remedy="set ATTEST_MEMORY__SUMMARY=extractive")
        return text.strip()

    async def _ask(self, summary: str, talk: str) -> str:
        messages = self._prompts.summary(summary, talk, detect_language(talk))
        deltas = self._chat_model.stream(messages, ChatOptions(max_tokens=MAX_TOKENS))
        return "".join([delta.text async for delta in deltas])


def _fitting(text: str, sources: tuple[str, ...], budget: Budget) -> list[Recollection]:
    """The whole sentences of a summary that fit, as one note."""
    flat = " ".join(text.split())
    ends = [span.end for span in split_sentences(flat)]
    for end in reversed(ends):
        note = Recollection(flat[:end], sources)
        if budget.take(note):
            return [note]
    return []
