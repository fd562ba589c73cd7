"""The ticking reader: order, ticks, errors, and that it lets go."""

import threading
import time

import pytest

from ui.background import ticking
from ui.client import ApiError


def test_items_come_in_order_with_ticks_between_slow_ones():
    ticked = threading.Event()

    def slow():
        yield 1
        ticked.wait(60)
        yield 2

    seen = []
    for item in ticking(slow(), 0.05):
        seen.append(item)
        if item is None:
            ticked.set()
    assert [item for item in seen if item is not None] == [1, 2]
    assert None in seen[1 : seen.index(2)]


def test_an_error_comes_after_the_items_before_it():
    def broken():
        yield 1
        raise ApiError("away")

    events = ticking(broken(), 0.05)
    assert next(events) == 1
    with pytest.raises(ApiError, match="away"):
        list(events)


def test_closing_does_not_wait_and_the_source_is_closed_at_its_next_item():
    go_on, closed = threading.Event(), threading.Event()

    def endless():
        try:
            yield 1
            while True:
                go_on.wait(60)
                yield 2
        finally:
            closed.set()

    events = ticking(endless(), 0.05)
    assert next(events) == 1
    start = time.monotonic()
    events.close()
    assert time.monotonic() - start < 30
    assert not closed.is_set()
    go_on.set()
    assert closed.wait(60)
