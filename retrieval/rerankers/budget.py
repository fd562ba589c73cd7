"""A time limit around any reranker: an order that is late is no order.

Knows threads and the clock; knows nothing of models or servers.

A model call cannot be stopped from outside. So it runs in a thread of its own, in parts that
grow as long as the next one should fit, and the question stops waiting when the budget is
spent; what was ordered by then counts. What must not happen is that later questions queue
behind a call that is late: they go on at once without.
"""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError

from core.seams import Reranker
from core.types import Hit, Stage
from retrieval.rerankers.ranking import rank_hits

logger = logging.getLogger(__name__)

# Longer in the queue, and what is left of the budget is not worth starting for.
QUEUE_SHARE = 0.5
FIRST_HITS = 2


class BudgetedReranker:
    """`Reranker` that answers within `budget_ms`, give or take a thread switch. Thread-safe.

    What it could not order in time keeps its place behind what it could, with the stage that
    it came with, FUSED. So the result is the whole list reranked, or a reranked head and a
    fused tail, or the list as given.

    `in_parts` is for rerankers whose scores do not depend on what else is in a call, which is
    so for models that score pairs. At most `slots` calls run at once, those included that
    nobody waits for any more.
    """

    def __init__(self, reranker: Reranker, budget_ms: float, slots: int = 1, in_parts: bool = True) -> None:
        self._reranker = reranker
        self._budget_s = budget_ms / 1000
        self._slots = slots
        self._in_parts = in_parts
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="rerank")
        self._changed = threading.Condition()
        self._used = 0
        self._late: set[Future] = set()

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
        ordered: list[Hit] = []
        call = self._threads.submit(self._run, question, hits, ordered, ends_at)
        call.add_done_callback(self._ended)
        try:
            call.result(max(ends_at - time.monotonic(), 0.0))
        except FutureTimeoutError:
            if call.done():  # it ended just now, or the fault is its own
                call.result()
            else:
                self._abandon(call)
        # The thread may add to the list while this copies it; parts are added whole.
        reached = list(ordered)
        ranked = [hit for hit in reached if hit.stage is Stage.RERANKED]
        # The reranker itself may leave hits as they came, with scores of another unit.
        left = [hit for hit in reached if hit.stage is not Stage.RERANKED]
        return [*rank_hits(ranked, [hit.score for hit in ranked]), *left, *hits[len(reached) :]]

    def close(self) -> None:
        """Takes no more calls; one that runs may end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _take_slot(self) -> bool:
        """Waits for a slot while one may still become free in time; False if none did."""

        def decided() -> bool:
            return self._used < self._slots or len(self._late) >= self._slots

        with self._changed:
            self._changed.wait_for(decided, self._budget_s * QUEUE_SHARE)
            if self._used >= self._slots:
                return False
            self._used += 1
            return True

    def _run(self, question: str, hits: Sequence[Hit], ordered: list[Hit], ends_at: float) -> None:
        """In the thread: adds to `ordered` what is reranked, in the order of `hits` by parts."""
        begun = time.monotonic()
        size = FIRST_HITS if self._in_parts else len(hits)
        while len(ordered) < len(hits) and size:
            at = len(ordered)
            ordered.extend(self._reranker.rerank(question, hits[at : at + size]))
            now = time.monotonic()
            fitting = int((ends_at - now) / max(now - begun, 1e-6) * len(ordered))
            size = max(min(2 * size, fitting), 0)

    def _ended(self, call: Future) -> None:
        with self._changed:
            was_late = call in self._late
            self._late.discard(call)
            self._used -= 1
            self._changed.notify_all()
        if was_late and not call.cancelled() and (fault := call.exception()) is not None:
            logger.warning("a reranking past its budget failed: %s", fault)

    def _abandon(self, call: Future) -> None:
        with self._changed:
            if not call.done():
                self._late.add(call)
            self._changed.notify_all()
        logger.warning(
            "reranking takes longer than its %g ms: what was not reached keeps its place",
            self._budget_s * 1000,
        )
