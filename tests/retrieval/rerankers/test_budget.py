"""A reranker within a time budget: it answers in time, and calls do not pile up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import RerankerError
from core.settings import RetrievalSettings
from core.types import Chunk, Hit, Stage
from retrieval.rerankers import build_reranker
from retrieval.rerankers.budget import QUEUE_SHARE, BudgetedReranker
from retrieval.rerankers.ranking import rank_hits
from tests.contracts.model_server import KEY, MODEL

SLACK_S = 5  # on two cores shared with other work; a call that is waited for takes 12 or more


def hits(count: int) -> list[Hit]:
    """Fused hits, the best first."""
    return [Hit(Chunk(f"c{i}", "d", i, "t", "", ""), 1 - i / 100, Stage.FUSED) for i in range(count)]


class SlowReranker:
    """Turns the order round; takes so long for each hit. `gate` holds it up until it is set."""

    def __init__(self, hit_s: float = 0.0) -> None:
        self.hit_s = hit_s
        self.gate = threading.Event()
        self.gate.set()
        self.sizes: list[int] = []
        self.at_once = self.most_at_once = 0
        self.fault: Exception | None = None
        self._lock = threading.Lock()

    def rerank(self, question, hits):
        with self._lock:
            self.sizes.append(len(hits))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            time.sleep(self.hit_s * len(hits))
            self.gate.wait(120)
            if self.fault:
                raise self.fault
            return rank_hits(hits, [float(hit.chunk.order) for hit in hits])
        finally:
            with self._lock:
                self.at_once -= 1


@pytest.fixture
def slow():
    reranker = SlowReranker()
    yield reranker
    reranker.gate.set()


def timed(reranker, given):
    begun = time.monotonic()
    return reranker.rerank("q", given), time.monotonic() - begun


def wait_until_reranked(reranker) -> None:
    """A loaded machine may need longer than the budget, for the first calls above all."""
    deadline = time.monotonic() + 120
    while reranker.rerank("t", hits(3))[0].stage is Stage.FUSED:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_in_time_the_whole_list_is_reranked(slow):
    given = hits(5)
    ranked = BudgetedReranker(slow, 60_000).rerank("q", given)
    assert [hit.chunk.id for hit in ranked] == ["c4", "c3", "c2", "c1", "c0"]
    assert all(hit.stage is Stage.RERANKED for hit in ranked)


class HeadReranker:
    """Reranks the first two hits, with scores far below those that the hits came with."""

    def rerank(self, question, hits):
        head = list(reversed(hits[:2]))
        return [*rank_hits(head, [0.2, 0.1]), *hits[2:]]


def test_what_the_reranker_left_as_it_was_stays_behind_and_is_not_called_reranked():
    given = hits(5)
    ranked = BudgetedReranker(HeadReranker(), 60_000, in_parts=False).rerank("q", given)
    assert [hit.chunk.id for hit in ranked] == ["c1", "c0", "c2", "c3", "c4"]
    assert [hit.stage for hit in ranked] == [Stage.RERANKED] * 2 + [Stage.FUSED] * 3
    assert ranked[2:] == given[2:]


def test_past_the_budget_the_order_is_the_one_given(slow, caplog):
    slow.gate.clear()
    given = hits(5)
    ranked, took_s = timed(BudgetedReranker(slow, 100), given)
    assert ranked == given and 0.09 < took_s < 0.1 + SLACK_S
    assert "longer than its 100 ms" in caplog.text


def test_behind_a_call_that_is_late_questions_are_skipped_at_once(slow, caplog):
    budgeted, given = BudgetedReranker(slow, 1000), hits(3)
    slow.gate.clear()
    budgeted.rerank("q", given)
    waited_s = 0.0
    for _ in range(20):
        ranked, took_s = timed(budgeted, given)
        waited_s += took_s
        assert ranked == given
    assert waited_s < 20 * QUEUE_SHARE / 2, "none waits for its budget"
    assert len(slow.sizes) == 1 and "skipped" in caplog.text


def test_once_the_late_call_has_ended_reranking_goes_on(slow):
    budgeted = BudgetedReranker(slow, 100)
    slow.gate.clear()
    budgeted.rerank("q", hits(3))
    slow.gate.set()
    deadline = time.monotonic() + 120
    while budgeted.rerank("q", hits(3))[0].stage is Stage.FUSED:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_questions_at_once_wait_for_each_other_while_that_is_in_time():
    slow = SlowReranker(hit_s=0.02)
    budgeted = BudgetedReranker(slow, 60_000, slots=1)
    with ThreadPoolExecutor(4) as threads:
        ranked = list(threads.map(lambda _: budgeted.rerank("q", hits(3)), range(4)))
    assert all(hit.stage is Stage.RERANKED for hits_ in ranked for hit in hits_)
    assert slow.most_at_once == 1


def test_no_more_calls_run_at_once_than_there_are_slots(slow):
    budgeted = BudgetedReranker(slow, 150, slots=3)
    slow.gate.clear()
    with ThreadPoolExecutor(12) as threads:
        begun = time.monotonic()
        ranked = list(threads.map(lambda _: budgeted.rerank("q", hits(3)), range(12)))
    assert time.monotonic() - begun < 0.15 + SLACK_S
    deadline = time.monotonic() + 120
    while len(slow.sizes) < 3:  # a thread may begin after its question has given it up
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert slow.most_at_once == len(slow.sizes) == 3
    assert all(order == hits(3) for order in ranked)


def test_what_was_reached_in_time_counts_and_the_call_ends_soon():
    slow = SlowReranker(hit_s=0.1)
    given = hits(600)
    ranked, took_s = timed(BudgetedReranker(slow, 2000), given)
    head = [hit for hit in ranked if hit.stage is Stage.RERANKED]
    assert took_s < 2 + SLACK_S and 2 <= len(head) <= 20
    assert ranked[: len(head)] == head and ranked[len(head) :] == given[len(head) :]
    assert [hit.chunk.order for hit in head] == list(range(len(head)))[::-1]
    assert [hit.ranks["reranked"] for hit in head] == list(range(1, len(head) + 1))
    assert sum(slow.sizes) <= 30 and slow.sizes[0] == 2


def test_a_first_part_that_is_too_slow_is_the_last():
    slow = SlowReranker(hit_s=0.15)
    assert BudgetedReranker(slow, 100).rerank("q", hits(9)) == hits(9)
    time.sleep(0.5)
    assert slow.sizes == [2]


def test_what_depends_on_its_company_is_asked_in_one_piece(slow):
    ranked = BudgetedReranker(slow, 60_000, in_parts=False).rerank("q", hits(9))
    assert slow.sizes == [9] and ranked[0].chunk.order == 8


def test_a_fault_within_the_budget_is_the_callers(slow):
    slow.fault = RerankerError("the server is gone")
    with pytest.raises(RerankerError, match="is gone"):
        BudgetedReranker(slow, 60_000).rerank("q", hits(2))


def test_a_time_out_of_the_reranker_is_no_spent_budget(slow):
    slow.fault = TimeoutError("its own")
    with pytest.raises(TimeoutError, match="its own"):
        BudgetedReranker(slow, 60_000).rerank("q", hits(2))


def test_a_fault_past_the_budget_is_logged(slow, caplog):
    slow.fault = RerankerError("the server is gone")
    slow.gate.clear()
    budgeted = BudgetedReranker(slow, 50)
    assert budgeted.rerank("q", hits(2)) == hits(2)
    slow.gate.set()
    deadline = time.monotonic() + 120
    while "is gone" not in caplog.text:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_server_that_is_too_slow_is_not_waited_for(model_server):
    settings = RetrievalSettings(
        reranker="http", reranker_base_url=f"{model_server.url}/v1", reranker_model=MODEL,
        reranker_api_key=KEY, rerank_budget_ms=1500, reranker_timeout_s=60,
    )  # fmt: skip
    reranker = build_reranker(settings, object)
    wait_until_reranked(reranker)
    model_server.delay_s = 60
    ranked, took_s = timed(reranker, hits(3))
    assert ranked == hits(3) and took_s < 1.5 + SLACK_S
    # Its call ends by its own time-out soon after, and makes room.
    model_server.delay_s = 0
    wait_until_reranked(reranker)
