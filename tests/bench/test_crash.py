"""Thirty kills of a real process over the real store; `make crash N=300` does more."""

import pytest

from bench.crash import run

KILLS = 30


@pytest.mark.slow
def test_nothing_is_lost_doubled_orphaned_or_stale_after_kills(capsys):
    result = run(KILLS, seed=7, lanes=2)
    assert result["amiss"] == []
    assert result["kills"] >= KILLS
    assert {result[name] for name in ("lost", "duplicate", "orphan", "stale")} == {0}
