"""A bounded queue that ends."""

import threading

import pytest

from ingest.pipe import Pipe, Stopped


def test_items_come_in_order_and_the_end_is_seen():
    pipe = Pipe(10)
    pipe.put("a", 3)
    pipe.put("b", 3)
    pipe.close()
    assert [pipe.take(), pipe.take(), pipe.take()] == ["a", "b", None]


def test_one_item_always_fits_and_the_next_waits_for_room():
    pipe, entered = Pipe(5), threading.Event()
    pipe.put("large", 50)

    def put():
        pipe.put("small")
        entered.set()

    thread = threading.Thread(target=put)
    thread.start()
    assert not entered.wait(0.1)
    assert pipe.take() == "large"
    assert entered.wait(60)
    thread.join()


def test_nothing_within_the_time_is_none():
    assert Pipe(1).take(0.01) is None


def test_whoever_waits_is_let_go_when_it_is_stopped():
    pipe, seen = Pipe(1), []

    def take():
        try:
            pipe.take()
        except Stopped:
            seen.append("stopped")

    thread = threading.Thread(target=take)
    thread.start()
    pipe.stop()
    thread.join(60)
    assert seen == ["stopped"]
    with pytest.raises(Stopped):
        pipe.put("x")
