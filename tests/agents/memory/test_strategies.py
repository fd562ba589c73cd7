"""What tells the strategies from each other."""

import pytest

from agents.memory.building import MemoryStrategies, check_strategy
from core.errors import InputError
from core.types import Remark
from tests.contracts.test_memory import LetterVectors

SMALL_TALK = [Remark(f"t{n}", "Ann" if n % 2 else "Bob", f"That sounds good to me, thanks {n}.") for n in range(30)]
PLAN = Remark("plan", "Ann", "My project is called Heron and its budget is 40000 euro.")
OWNER = Remark("owner", "Bob", "Then Priya owns it from March on.")
TALK = [PLAN, OWNER, *SMALL_TALK]


@pytest.fixture(scope="module")
def strategies():
    return MemoryStrategies(LetterVectors())


def sources(strategies, name, question, budget=80, talk=TALK):
    return [s for line in strategies.get(name).recall(talk, question, budget) for s in line.sources]


def test_a_full_buffer_takes_all_that_fits_and_then_the_latest(strategies):
    assert sources(strategies, "full", "", 100_000) == [remark.id for remark in TALK]
    assert sources(strategies, "full", "")[-1] == "t29" and "plan" not in sources(strategies, "full", "")


def test_a_window_is_short_whatever_the_budget(strategies):
    assert sources(strategies, "window", "", 100_000) == [f"t{n}" for n in range(24, 30)]


def test_first_and_latest_keeps_both_ends(strategies):
    found = sources(strategies, "first-and-latest", "")
    assert found[0] == "plan" and found[-1] == "t29"


def test_key_turns_keeps_what_tells_most(strategies):
    found = sources(strategies, "key-turns", "", 30)
    assert "plan" in found and set(found) & {r.id for r in SMALL_TALK} == set()


def test_key_turns_keeps_what_it_is_asked_to_keep(strategies):
    talk = [*SMALL_TALK, Remark("keep", "Ann", "请记住我喜欢表格。"), *SMALL_TALK[:0]]
    assert "keep" in sources(strategies, "key-turns", "", 30, talk)


def test_a_summary_has_the_latest_and_the_best_of_before(strategies):
    found = sources(strategies, "summary", "", 90)
    assert found[-1] == "t29" and "plan" in found


@pytest.mark.parametrize("name", ["entities", "graph", "vector"])
def test_what_the_question_names_is_found(strategies, name):
    assert "plan" in sources(strategies, name, "What is the budget of Heron?", 40)


@pytest.mark.parametrize("name", ["entities", "graph"])
def test_a_question_that_names_nothing_known_recalls_nothing(strategies, name):
    assert sources(strategies, name, "Zebra?") == []


@pytest.mark.parametrize("name", ["graph", "vector"])
def test_the_neighbour_of_a_hit_comes_along(strategies, name):
    """It has no word of the question."""
    assert "owner" in sources(strategies, name, "project Heron", 60)


def test_a_combination_has_what_each_of_its_members_finds(strategies):
    found = sources(strategies, "window+vector", "What is the budget of Heron?", 120)
    assert found[0] == "plan" and found[-1] == "t29" and len(set(found)) == len(found)


def test_a_remark_takes_the_place_of_a_note_of_it(strategies):
    found = sources(strategies, "entities+vector", "What is the budget of Heron?", 100)
    assert found.count("plan") == 1


@pytest.mark.parametrize("name", ["", "vectors", "window+", "window+window", "window,vector"])
def test_a_strategy_that_is_not_there_is_told(name):
    with pytest.raises(InputError):
        check_strategy(name)
