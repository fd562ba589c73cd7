"""A folder is looked at until it rests; an error does not end the watch."""

import threading
import time

from core.errors import StoreError
from ingest.watching import take_snapshot, watch


def run_watch(folder, on_change, on_error=lambda error: None):
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=([folder], on_change, on_error, stop, 0.05))
    thread.start()
    return stop, thread


def wait_for(condition):
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_every_change_is_followed_and_nothing_else(tmp_path):
    (tmp_path / "a.md").write_text("one")
    seen = []
    stop, thread = run_watch(tmp_path, lambda: seen.append(len(take_snapshot([tmp_path]))))
    wait_for(lambda: seen == [1])
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "b.md").write_text("two")
    wait_for(lambda: seen == [1, 2])
    (tmp_path / "a.md").unlink()
    wait_for(lambda: seen == [1, 2, 1])
    time.sleep(0.2)
    stop.set()
    thread.join()
    assert seen == [1, 2, 1]


def test_an_error_is_told_and_the_change_tried_again(tmp_path):
    calls, told = [], []

    def on_change():
        calls.append(1)
        if len(calls) < 3:
            raise StoreError("down")

    stop, thread = run_watch(tmp_path, on_change, told.append)
    wait_for(lambda: len(calls) == 3)
    stop.set()
    thread.join()
    assert [error.message for error in told] == ["down", "down"]
