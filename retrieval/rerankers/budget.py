"""A time limit around any reranker: an order that is late is no order.

Knows threads and the clock; knows nothing of models or servers.

A model call cannot be stopped from outside. So it runs in a thread of its own, the question
stops waiting when the budget is spent, and the call ends when it ends. What must not happen
is that later questions queue behind it: they find all slots taken by calls that are late
already, and go on at once without.
"""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError

from core.seams import Reranker
from core.types import Hit

logger = logging.getLogger(__name__)

# Longer in the queue, and what is left of the budget is not worth starting for.
QUEUE_SHARE = 0.5
# Of the time that is left, so that an estimate may err by the rest.
PLANNED_SHARE = 0.8
FEWEST_HITS = 2


class BudgetedReranker:
    """`Reranker` that answers within `budget_ms`, give or take a thread switch. Thread-safe.

    What it could not order in time keeps its place behind what it could, with the stage that
    it came with, FUSED. So the result is the whole list reranked, or a reranked head and a
    fused tail, or the list as given. How many hits fit is learnt from earlier calls.

    At most `slots` calls run at once, those included that nobody waits for any more.
    """

    def __init__(self, reranker: Reranker, budget_ms: float, slots: int = 1) -> None:
        self._reranker = reranker
        self._budget_s = budget_ms / 1000
        self._slots = slots
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="rerank")
        self._changed = threading.Condition()
        self._running: set[Future] = set()
        self._starting = 0
        self._late: set[Future] = set()
        self._hit_s = 0.0

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits; those with stage RERANKED first, best first, the rest as given.

        Raises:
            Whatever the reranker raises within the budget. Later faults are logged.
        """
        ends_at = time.monotonic() + self._budget_s
        if not hits:
            return []
        if not self._take_slot():
            logger.warning("reranking skipped: earlier calls still run past their budget")
            return list(hits)
        reach = self._plan(len(hits), ends_at - time.monotonic())
        call = self._start(question, hits[:reach])
        try:
            head = call.result(max(ends_at - time.monotonic(), 0.0))
        except FutureTimeoutError:
            if call.done():
                return list(call.result()) + list(hits[reach:])
            self._abandon(call)
            return list(hits)
        return [*head, *hits[reach:]]

    def close(self) -> None:
        """Takes no more calls; one that runs may end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _take_slot(self) -> bool:
        """Waits for a slot while one may still become free in time; False if none did."""

        def decided() -> bool:
            return self._used() < self._slots or len(self._late) >= self._slots

        with self._changed:
            self._changed.wait_for(decided, self._budget_s * QUEUE_SHARE)
            if self._used() >= self._slots:
                return False
            self._starting += 1
            return True

    def _used(self) -> int:
        return len(self._running) + self._starting

    def _plan(self, count: int, left_s: float) -> int:
        """How many of the hits to rerank, by what a hit has cost so far."""
        if not self._hit_s:
            return count
        fitting = int(left_s * PLANNED_SHARE / self._hit_s)
        return min(count, max(fitting, FEWEST_HITS))

    def _start(self, question: str, hits: Sequence[Hit]) -> "Future[list[Hit]]":
        call = self._threads.submit(self._timed, question, hits)
        with self._changed:
            self._starting -= 1
            self._running.add(call)
        call.add_done_callback(self._ended)
        return call

    def _timed(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        begun = time.monotonic()
        head = self._reranker.rerank(question, hits)
        cost = (time.monotonic() - begun) / len(hits)
        with self._changed:
            self._hit_s = (self._hit_s + cost) / 2 if self._hit_s else cost
        return head

    def _ended(self, call: Future) -> None:
        with self._changed:
            was_late = call in self._late
            self._running.discard(call)
            self._late.discard(call)
            self._changed.notify_all()
        if was_late and not call.cancelled() and (fault := call.exception()) is not None:
            logger.warning("a reranking past its budget failed: %s", fault)

    def _abandon(self, call: Future) -> None:
        with self._changed:
            if call in self._running:
                self._late.add(call)
            self._changed.notify_all()
        logger.warning("reranking took longer than its %g ms; the fused order stays", self._budget_s * 1000)
