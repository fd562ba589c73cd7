"""One answer in the making, which the nodes answer, revise and extract hand on.

What has been checked so far, what it took, and how a sentence leaves: released as an event at
once, or withheld. Between nodes it is plain values; the evidence is cut anew in each, for its
vectors are kept. Knows drafts and verdicts; knows nothing of the graph's order.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import asdict

from langgraph.runtime import Runtime

from agents.asking import BUDGETS, Budget, Effort
from agents.context import AskContext
from agents.draft_stream import DraftRequest, DraftStream, Fault
from agents.drafting import CheckedDraft, DraftChecker, Released
from agents.events import SentenceReleased, SentenceRevised, StatusChanged
from agents.guards.evidence_screen import UNSCREENED
from agents.policy import Policy
from agents.records import read_checked, read_excerpt, sentence_record
from agents.several_facts import asks_several_facts
from agents.state import AskState
from core.seams import Message, SpendingGuard
from core.types import Sentence, Status, Usage, Verdict

BROKEN_OFF = (Fault.CUT_OFF, Fault.ENDLESS, Fault.OFF_LANGUAGE, Fault.CUT_SHORT)
"""Faults behind which something was left unsaid; what loops said all there was."""
INSTRUCTIONS = "instructions_in_evidence"
FIRST_DRAFTED, FIRST_SENTENCE = "first_drafted", "first_sentence"
"""Until the first sentence was written, and until the first one left."""


class AnswerWork:
    """Goes on from the outcome in the state; `update` gives the next one."""

    def __init__(self, state: AskState, runtime: Runtime[AskContext]) -> None:
        outcome = state["outcome"]
        self._state = state
        self._emit = runtime.stream_writer
        self._usage = Usage(**outcome["usage"]) if outcome else Usage(**state["spent"])
        self._guarded: Counter[str] = Counter(outcome.get("guarded", {}))
        self._started = time.perf_counter()
        times = state["timings_ms"]
        self._firsts = {name: times[name] for name in (FIRST_DRAFTED, FIRST_SENTENCE) if name in times}
        self.checker: DraftChecker | None = None
        self.context = runtime.context
        self.excerpts = [read_excerpt(record) for record in state["evidence"]]
        self.question = state["queries"][0]
        self.language = state["language"]
        self.recalled, self.wishes = state.get("recalled", ""), state.get("wishes", "")
        self.checked = read_checked(outcome) if outcome else CheckedDraft()
        self.draft_text: str = outcome.get("draft", "")
        self.written: list[str] = []
        self.is_drafted: bool = outcome.get("drafted", False)
        self._is_broken_off: bool = outcome.get("broken_off", False)
        self.is_extracted = False

    @property
    def usage(self) -> Usage:
        """What the chat model was asked for so far."""
        return self._usage

    @property
    def budget(self) -> Budget:
        """What the effort allows."""
        return BUDGETS[Effort(self._state["effort"])]

    @property
    def policy(self) -> Policy:
        """How sure a sentence must be to leave."""
        return Policy(self._state["policy"])

    def prompt(self) -> list[Message]:
        """The messages that ask for the draft; the same each time: a revision goes on from them."""
        asking = self.context.prompts.answer
        return asking(self.question, self.excerpts, self.language, self.recalled, self.wishes)

    async def open_evidence(self) -> bool:
        """Cuts the evidence into quotable spans and encodes them: of whole chunks, for what was
        left out of the prompt may still bear a sentence out. What speaks to a model is neither
        shown nor quoted; False when nothing else is there."""
        chunks = [excerpt.chunk for excerpt in self.excerpts]
        screened = UNSCREENED
        if self.context.guards.screen:
            screen, hostile = self.context.screen.screen, self._state["hostile"]
            screened = await asyncio.to_thread(screen, self.question, chunks, hostile)
        if screened.passages and INSTRUCTIONS not in self._guarded:
            self._guarded[INSTRUCTIONS] = screened.passages
            self._emit(StatusChanged("screening", f"text that speaks to a model: {screened.passages}"))
        self.excerpts = screened.trim(self.excerpts)
        chunks = [excerpt.chunk for excerpt in self.excerpts]
        pool = await asyncio.to_thread(self.context.binder.pool, chunks, screened)
        guard = self.context.guard
        if isinstance(guard, SpendingGuard):
            guard = guard.spending(self.spend, self.context.chat_model)
        self.checker = DraftChecker(pool, guard, self.question, self.policy, self.checked, self.answering)
        # Of a chain the last is what was asked: a bare name answers that one, and not the step before it.
        parts, is_chain = self._state.get("parts", ()), bool(self._state.get("apart", {}).get("then"))
        self.checker.parts = tuple(reversed(parts) if is_chain else parts)
        if self.answering is not None:
            self.checker.weigh = self._weigh
        return bool(chunks)

    @property
    def answering(self) -> frozenset[str] | None:
        """The chunks that answer by themselves; None where a question asks for several facts, which may
        stand apart."""
        if asks_several_facts(self.question):
            return None
        least = self.context.guards.answered_at
        return frozenset(name for name, share in self._state["answering"].items() if share >= least)

    def _weigh(self, question: str, sentence: str, texts: Sequence[str], verdict: Verdict) -> Verdict:
        sufficiency = self._state["signals"].get("sufficiency", 0.0)
        return self.context.answers.weigh(question, sentence, texts, sufficiency, verdict)

    def spend(self, usage: Usage) -> None:
        """Counts what the chat model was asked for."""
        self._usage = self._usage.plus(usage)

    async def drafted(self, prompt: list[Message]) -> AsyncIterator[str]:
        """The sentences of a draft as the model writes them; `written` holds those of the last
        attempt. The draft is asked for once more after a fault, unless a sentence of it has left."""
        request = DraftRequest(
            prompt=prompt,
            question=self.question,
            language=self.language,
            max_tokens=round(self.context.chat.max_answer_tokens * self.budget.answer),
            sampling=self.budget.sampling,
        )
        before, withheld, attempt = len(self.checked.sentences), len(self.checked.withheld), 1
        self.written = []
        stream = DraftStream(self.context.chat_model, request)
        try:
            async with aclosing(stream.sentences(lambda: len(self.checked.sentences) > before)) as sentences:
                async for sentence in sentences:
                    if stream.attempts > attempt:
                        attempt, self.written = stream.attempts, []
                        self.checked.abandon(withheld)
                    self._note_first(FIRST_DRAFTED)
                    self.written.append(sentence)
                    yield sentence
        finally:
            self.spend(stream.usage)
            self._guarded.update(fault.value for fault in stream.faults)
            self._is_broken_off = self._is_broken_off or stream.last_fault in BROKEN_OFF

    async def check(self, raw: str, *, is_rewritten: bool = False) -> None:
        """Judges a drafted sentence and lets it go or not; a rewritten one takes the place of
        one that was withheld."""
        before = len(self.checked.withheld)
        for released in await asyncio.to_thread(self.checker.check, raw):
            old = self.checker.mend(released.sentence) if is_rewritten else None
            self.release(released, old)
        for sentence in self.checked.withheld[before:]:
            self._emit(SentenceRevised(sentence.text, sentence.verdict))

    def release(self, released: Released, in_place_of: Sentence | None = None) -> None:
        """Tells of a sentence that may be shown."""
        self._note_first(FIRST_SENTENCE)
        if in_place_of is None:
            self._emit(SentenceReleased(released.sentence, released.citations))
            return
        old = in_place_of
        self._emit(SentenceRevised(old.text, old.verdict, released.sentence, released.citations))

    def update(self, node: str) -> dict:
        """What the next node needs, as plain values; `node` names this one's time."""
        checked = self.checked
        status = Status.ABSTAINED
        if checked.sentences:
            is_whole = self.is_extracted or not (checked.lost or self._is_broken_off)
            status = Status.ANSWERED if is_whole else Status.PARTIAL
        spent = round((time.perf_counter() - self._started) * 1000, 1)
        return {
            "outcome": {
                "status": status.value,
                "text": checked.text,
                "sentences": [sentence_record(s) for s in checked.sentences],
                "citations": [asdict(citation) for citation in checked.citations],
                "withheld": [sentence_record(s) for s in checked.withheld],
                "mended": checked.mended,
                "abandoned": checked.abandoned,
                "draft": self.draft_text,
                "drafted": self.is_drafted,
                "broken_off": self._is_broken_off,
                "usage": asdict(self._usage),
                "guarded": dict(self._guarded + checked.guarded),
            },
            "timings_ms": {**self._state["timings_ms"], node: spent, **self._firsts},
        }

    def _note_first(self, what: str) -> None:
        """Milliseconds since the question came."""
        self._firsts.setdefault(what, round((time.time() - self._state["started"]) * 1000, 1))
