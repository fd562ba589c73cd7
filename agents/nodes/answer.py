"""answer: a draft streams in, each sentence is checked while the next is being written,
and only what the evidence holds leaves, in order.

This is one node, or checking would begin only after the whole draft. Gate before, check
after, extractive answer behind, abstention last. Knows the chat model; knows nothing of
sessions.
"""

import asyncio
import time
from collections import Counter
from contextlib import aclosing
from dataclasses import asdict

from langgraph.runtime import Runtime

from agents.asking import BUDGETS, Effort
from agents.context import AskContext
from agents.draft_stream import DraftRequest, DraftStream
from agents.drafting import CheckedDraft, DraftChecker, is_refusal
from agents.events import SentenceReleased, SentenceRevised, StatusChanged
from agents.guards.evidence_screen import UNSCREENED
from agents.keywords import segment_cover
from agents.records import read_excerpt
from agents.state import AskState
from core.text import detect_language
from core.types import Sentence, Status, Usage
from retrieval.evidence import Excerpt

QUOTE_COVER = 0.6
QUOTE_SIMILARITY = 0.9
QUOTE_SIMILARITY_ACROSS = 0.86


async def answer(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Sets `outcome`: status, sentences, citations, withheld, usage, guarded."""
    context = runtime.context
    excerpts = [read_excerpt(record) for record in state["evidence"]]
    work = _AnswerWork(state, runtime, excerpts)
    if state["signals"].get("sufficiency", 0.0) < context.guards.sufficient_at:
        return work.outcome()
    if not await work.open_evidence():
        return work.outcome()
    await work.draft()
    if not work.checked.sentences and not work.refused:
        await work.extract()
    return work.outcome()


class _AnswerWork:
    """One answer being made."""

    def __init__(self, state: AskState, runtime: Runtime[AskContext], excerpts: list[Excerpt]) -> None:
        self._state = state
        self._context = runtime.context
        self._emit = runtime.stream_writer
        self._excerpts = excerpts
        self._checker: DraftChecker | None = None
        self._usage = Usage(**state["spent"])
        self._started = time.perf_counter()
        self._first_ms: float | None = None
        self._extracted = False
        self._guarded: Counter[str] = Counter()

    @property
    def checked(self) -> CheckedDraft:
        """What has passed so far."""
        return self._checker.draft if self._checker else CheckedDraft()

    @property
    def refused(self) -> bool:
        """Whether the model itself said that the evidence does not hold it, and nothing else."""
        withheld = self.checked.withheld
        return bool(withheld) and all(is_refusal(sentence.text) for sentence in withheld)

    async def open_evidence(self) -> bool:
        """Cuts the evidence into quotable spans and encodes them: of whole chunks, for what was
        left out of the prompt may still bear a sentence out. What speaks to a model is neither
        shown nor quoted; False when nothing else is there."""
        question = self._state["queries"][0]
        chunks = [excerpt.chunk for excerpt in self._excerpts]
        screened = UNSCREENED
        if self._context.guards.screen:
            screened = await asyncio.to_thread(self._context.screen.screen, question, chunks)
        if screened.passages:
            self._guarded["instructions_in_evidence"] = screened.passages
            self._emit(StatusChanged("screening", f"text that speaks to a model: {screened.passages}"))
        self._excerpts = screened.trim(self._excerpts)
        chunks = [excerpt.chunk for excerpt in self._excerpts]
        pool = await asyncio.to_thread(self._context.binder.pool, chunks, screened)
        self._checker = DraftChecker(pool, self._context.guard, question)
        return bool(chunks)

    async def draft(self) -> None:
        """Streams the draft and releases its sentences one by one."""
        self._emit(StatusChanged("answering"))
        effort, question = BUDGETS[Effort(self._state["effort"])], self._state["queries"][0]
        language = self._state["language"]
        request = DraftRequest(
            prompt=self._context.prompts.answer(question, self._excerpts, language),
            question=question,
            language=language,
            max_tokens=round(self._context.chat.max_answer_tokens * effort.answer),
            sampling=effort.sampling,
        )
        stream = DraftStream(self._context.chat_model, request)
        async with aclosing(stream.sentences(lambda: bool(self.checked.sentences))) as sentences:
            async for sentence in sentences:
                await self._check(sentence)
        self._usage = self._usage.plus(stream.usage)
        self._guarded.update(fault.value for fault in stream.faults)

    async def extract(self) -> None:
        """When no sentence of the draft held: the passage that speaks of the whole question,
        word for word, or nothing."""
        question = self._state["queries"][0]
        for bound in (await asyncio.to_thread(self._checker.rank_quotes))[:1]:
            covers = segment_cover(question, bound.quote)
            same = detect_language(question) == detect_language(bound.quote)
            full = same and covers and sum(covers) / len(covers) >= QUOTE_COVER
            needed = QUOTE_SIMILARITY if same else QUOTE_SIMILARITY_ACROSS
            if full or bound.similarity >= needed:
                self._extracted = True
                self._released(*self._checker.quote(bound))

    def outcome(self) -> dict:
        """What the next node needs, as plain values."""
        checked = self.checked
        status = Status.ABSTAINED
        if checked.sentences:
            lost = _lost_something(checked) and not self._extracted
            status = Status.PARTIAL if lost else Status.ANSWERED
        total = round((time.perf_counter() - self._started) * 1000, 1)
        return {
            "outcome": {
                "status": status.value,
                "text": checked.text,
                "sentences": [_sentence_record(s) for s in checked.sentences],
                "citations": [asdict(citation) for citation in checked.citations],
                "withheld": [_sentence_record(s) for s in checked.withheld],
                "usage": asdict(self._usage),
                "guarded": dict(self._guarded + checked.guarded),
            },
            "timings_ms": {
                **self._state["timings_ms"],
                "answer": total,
                **({"first_sentence": self._first_ms} if self._first_ms is not None else {}),
            },
        }

    async def _check(self, raw: str) -> None:
        before = len(self.checked.withheld)
        released = await asyncio.to_thread(self._checker.check, raw)
        if released is not None:
            self._released(*released)
        for sentence in self.checked.withheld[before:]:
            self._emit(SentenceRevised(sentence.text, sentence.verdict))

    def _released(self, sentence: Sentence, new: list) -> None:
        if self._first_ms is None:
            self._first_ms = round((time.time() - self._state["started"]) * 1000, 1)
        self._emit(SentenceReleased(sentence, tuple(new)))


def _lost_something(checked: CheckedDraft) -> bool:
    """A withheld refusal beside a supported sentence is no loss."""
    return any(not is_refusal(sentence.text) for sentence in checked.withheld)


def _sentence_record(sentence: Sentence) -> dict:
    record = asdict(sentence)
    record["verdict"]["label"] = sentence.verdict.label.value
    return record
