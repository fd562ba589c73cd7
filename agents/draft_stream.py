"""A draft as complete sentences, while the chat model writes it.

Stops a model that loops, runs on, breaks off, says nothing or changes the language, and asks
once more with other sampling. Every call ends within limits of its own, whatever the server
sends. Knows the chat model and text; knows nothing of evidence or verdicts.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum

from agents.asking import Sampling
from agents.binding import strip_markers
from agents.guards.answer_language import is_off_language
from agents.guards.repetition import RepetitionWatch
from core.errors import BudgetSpentError
from core.seams import ChatDelta, ChatModel, ChatOptions, Message
from core.text import SentenceCutter
from core.types import Usage
from retrieval.evidence import estimate_tokens

CHARS_PER_TOKEN = 16
"""No tokenizer makes longer ones on average: a server that sends more does not count."""
TOTAL_FACTOR = 3
"""All attempts together may take so many times the longest draft."""
LONGEST_LOOSE_END = 200
_ENDS = ("。", "！", "？", ".", "!", "?", "”", "」", ")", "）", "]", "】", "|")


class Fault(StrEnum):
    """Why a draft was stopped or is of no use."""

    REPETITION = "repetition"
    ENDLESS = "endless"
    EMPTY = "empty"
    CUT_OFF = "cut_off"
    OFF_LANGUAGE = "off_language"
    CUT_SHORT = "cut_short"
    """The question may ask no more of the model."""


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """What is drafted: `language` is zh or en, `max_tokens` the longest draft of one attempt."""

    prompt: Sequence[Message]
    question: str
    language: str
    max_tokens: int
    sampling: Sampling


class DraftStream:
    """The attempts at one draft, `attempts` so far. `faults` tell what went wrong, in order,
    `last_fault` what went wrong with the last attempt; `usage` what all attempts took, estimated
    for those that were stopped."""

    def __init__(self, chat_model: ChatModel, request: DraftRequest) -> None:
        self._model = chat_model
        self._request = request
        self.faults: list[Fault] = []
        self.last_fault: Fault | None = None
        self.attempts = 0
        self.usage = Usage()

    async def sentences(self, is_answered: Callable[[], bool]) -> AsyncIterator[str]:
        """Complete sentences with their markers. Asked once more after a fault, unless
        `is_answered()` then: what has left is not said again. The same fault twice is enough."""
        left = self._request.max_tokens * TOTAL_FACTOR
        retries = self._request.sampling.retries
        for number in range(1 + retries):
            options = self._options(left)
            attempt = _Attempt(self._request, options, is_last=number == retries)
            self.attempts += 1
            try:
                async with aclosing(attempt.sentences(self._model)) as sentences:
                    async for sentence in sentences:
                        yield sentence
            finally:
                self.usage = self.usage.plus(attempt.usage)
                repeated = attempt.fault in self.faults
                self.faults += [attempt.fault] if attempt.fault else []
                self.last_fault = attempt.fault
            left -= options.max_tokens
            is_enough = attempt.fault in (None, Fault.CUT_SHORT) or repeated
            if is_enough or left <= 0 or is_answered():
                return

    def _options(self, left: int) -> ChatOptions:
        sampling, longest = self._request.sampling, self._request.max_tokens
        if not self.faults:
            return ChatOptions(max_tokens=longest, temperature=sampling.temperature)
        if self.faults[-1] is Fault.CUT_OFF:
            longest *= 2
        return ChatOptions(
            max_tokens=min(longest, left),
            temperature=sampling.retry_temperature,
            frequency_penalty=sampling.retry_penalty,
        )


class _Attempt:
    """One reply of the model. On the last one a sentence in another language is passed over;
    before, it ends the attempt."""

    def __init__(self, request: DraftRequest, options: ChatOptions, *, is_last: bool) -> None:
        self._request = request
        self._options = options
        self._is_last = is_last
        self._watch = RepetitionWatch()
        self._finish_reason: str | None = None
        self._told: Usage | None = None
        self._is_refused = False
        self._written: list[str] = []
        self._yielded = 0
        self.fault: Fault | None = None

    @property
    def usage(self) -> Usage:
        """As the server counts it, or an estimate when it was stopped before it could."""
        if self._told is not None:
            return self._told
        if self._is_refused:
            return Usage()
        asked = sum(estimate_tokens(message.content) for message in self._request.prompt)
        return Usage(round(asked), round(estimate_tokens("".join(self._written))), 1)

    async def sentences(self, model: ChatModel) -> AsyncIterator[str]:
        """The sentences of the reply up to its fault, if it has one."""
        cutter, room = SentenceCutter(), self._options.max_tokens * CHARS_PER_TOKEN
        try:
            async with aclosing(model.stream(self._request.prompt, self._options)) as deltas:
                async for delta in deltas:
                    self._note(delta)
                    room -= max(1, len(delta.text))
                    for sentence in cutter.feed(delta.text):
                        if self._is_fit(sentence):
                            yield sentence
                    # Also behind a sentence in another language that was passed over.
                    if not self._is_over and self._watch.feed(delta.text):
                        self.fault = Fault.REPETITION
                    if not self._is_over and room < 0:
                        self.fault = Fault.ENDLESS
                    if self._is_over:
                        return
        except BudgetSpentError as exc:
            self.fault, self._is_refused = Fault.CUT_SHORT, exc.refused
            return
        rest = cutter.rest.strip()
        if rest and self._is_loose(rest):
            self.fault = Fault.CUT_OFF
        elif rest and self._is_fit(rest):
            yield rest
        if not self._yielded and self.fault is None:
            self.fault = Fault.EMPTY

    @property
    def _is_over(self) -> bool:
        return self.fault is not None and not (self._is_last and self.fault is Fault.OFF_LANGUAGE)

    def _note(self, delta: ChatDelta) -> None:
        self._written.append(delta.text)
        if delta.usage is not None:
            self._told = delta.usage if self._told is None else self._told.plus(delta.usage)
        self._finish_reason = delta.finish_reason or self._finish_reason

    def _is_fit(self, sentence: str) -> bool:
        if self._is_over:
            return False
        text, _ = strip_markers(sentence)
        if self._watch.feed_sentence(text):
            self.fault = Fault.REPETITION
            return False
        if is_off_language(text, self._request.language, self._request.question):
            self.fault = Fault.OFF_LANGUAGE
            return False
        self._yielded += any(char.isalnum() for char in text)
        return True

    def _is_loose(self, rest: str) -> bool:
        """Whether the last piece has no end of its own."""
        if self._finish_reason == "length":
            return not rest.endswith(_ENDS)
        text, hints = strip_markers(rest)
        return not hints and len(text) > LONGEST_LOOSE_END
