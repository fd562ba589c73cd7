"""A few kills of a run with effects; `python -m bench.tool_kills --kills 200` does more."""

import pytest

from bench.tool_kills import play

KILLS = 12


@pytest.mark.slow
def test_every_effect_is_had_once_and_the_answer_is_the_same_after_kills(capsys):
    result = play(KILLS, 7, print)
    assert result["amiss"] == [] and result["kills"] >= KILLS
