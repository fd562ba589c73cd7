"""The probes run, and measure what they say."""

import time

import pytest

from bench.roofline import fsync_latency, loop_rate, product_rate, rate, read_bandwidth, scan_bandwidth


def test_a_rate_is_the_amount_over_the_time():
    figures = rate(lambda: time.sleep(0.02), 1.0, runs=3)
    assert figures["runs"] == 3 and 1 < figures["median"] <= 50


@pytest.mark.parametrize(("eight_bit", "precisions"), [(True, {"u8", "i8"}), (False, {"f32"})])
def test_products_run_in_the_precision_that_is_measured(eight_bit, precisions):
    figures = product_rate((64, 128, 64), eight_bit, runs=1)
    assert figures["ran_as"] in precisions and figures["median"] > 0


def test_fsync_leaves_nothing_behind(tmp_path):
    figures = fsync_latency(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert 0 <= figures["min"] <= figures["median"] <= figures["p99"]


@pytest.mark.slow
def test_memory_is_read_at_a_possible_rate():
    assert 0.1 < scan_bandwidth(384, runs=1)["median"] < 5_000
    assert 0.1 < read_bandwidth(runs=1)["median"] < 5_000
    assert loop_rate(runs=1)["median"] > 0.1
