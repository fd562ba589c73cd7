"""The contract of `Guard`: no quotes support nothing, a copy is never objected to, a changed
number always is."""

import pytest

from agents.guards.exact import ExactGuard
from agents.guards.grounding import GroundingGuard
from core.seams import Guard, Passage
from core.types import Label
from tests.agents.doubles import CharacterVectors

QUOTE = "TM-20 主机的保修期为 18 个月。"
PASSAGE = Passage((QUOTE,), (QUOTE,), (QUOTE,), ("",), (QUOTE,))


class GuardContract:
    """What every guard must do."""

    def test_a_copy_is_not_objected_to(self, guard: Guard):
        verdict = guard.check(QUOTE, PASSAGE, "保修期是多久？")
        assert verdict.label in (Label.SUPPORTED, Label.UNSURE) and 0.5 <= verdict.score <= 1

    def test_a_changed_number_is(self, guard: Guard):
        verdict = guard.check(QUOTE.replace("18", "24"), PASSAGE, "保修期是 24 个月吗？")
        assert verdict.label in (Label.UNSUPPORTED, Label.CONTRADICTED)
        assert verdict.score < 0.1 and "24" in verdict.reason

    def test_nothing_supports_nothing(self, guard: Guard):
        assert guard.check(QUOTE, Passage((), ()), "").label is Label.UNSUPPORTED


class TestExact(GuardContract):
    """The exact checks alone."""

    @pytest.fixture
    def guard(self):
        return ExactGuard()


class TestGrounding(GuardContract):
    """The cascade."""

    @pytest.fixture
    def guard(self):
        return GroundingGuard(CharacterVectors(), 0.5)
