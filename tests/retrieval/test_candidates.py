"""The union of both legs, and what the words see of a question."""

import pytest

from core.types import Chunk, Hit, Stage
from retrieval.candidates import gather_candidates
from retrieval.lexical import term_id


def hit(name: str, text: str, score: float, stage: Stage, rank: int) -> Hit:
    return Hit(Chunk(name, "d", 0, text, "", ""), score, stage, {stage.value: rank})


DENSE = [hit("a", "水泵不得无水运行", 0.9, Stage.DENSE, 1), hit("b", "the pump", 0.8, Stage.DENSE, 2)]
WORDS = {term_id("水泵"): 2.0, term_id("无水"): 2.0}


def test_each_chunk_stands_once_with_the_ranks_of_both_legs():
    sparse = [hit("c", "无水酒精", 3.0, Stage.LEXICAL, 1), hit("a", "水泵不得无水运行", 2.0, Stage.LEXICAL, 2)]
    found = gather_candidates("zh", DENSE, sparse, WORDS)
    assert found.ranks == {"a": {"dense": 1, "lexical": 2}, "b": {"dense": 2}, "c": {"lexical": 1}}
    assert found.semantic == {"a": 0.9, "b": 0.8, "c": 0.8}
    assert found.terms == {"a": 2.0, "c": 3.0}  # b is English: the words cannot judge it
    assert found.sight.coverage == 1.0 and found.sight.lead == 1.0 and found.foreign == {"b"}
    assert [h.ranks["fused"] for h in found.fused()] == [1, 2, 3]


def test_of_the_same_language_what_the_leg_did_not_return_counts_half_of_its_last():
    found = gather_candidates("zh", DENSE, [hit("c", "无水酒精", 3.0, Stage.LEXICAL, 1)], WORDS)
    assert found.terms == {"a": 1.5, "c": 3.0}


def test_the_lead_is_over_the_eleventh():
    sparse = [hit(f"c{i}", "水泵", 4.0 - i / 5, Stage.LEXICAL, i + 1) for i in range(12)]
    assert gather_candidates("zh", [], sparse, WORDS).sight.lead == pytest.approx(0.5)


def test_words_weigh_less_where_another_language_is_among_the_first():
    words = {term_id("水泵"): 2.0}
    chinese = [hit(f"z{i}", f"水泵{'泵' * i}", 0.7 - i / 50, Stage.DENSE, i + 1) for i in range(4)]
    foreign = hit("e", "the pump must not run dry", 0.9, Stage.DENSE, 1)
    sparse = [hit("z3", "水泵泵泵泵", 3.0, Stage.LEXICAL, 1), hit("z1", "水泵泵", 0.5, Stage.LEXICAL, 2)]
    alone = gather_candidates("zh", chinese, sparse, words).fused()
    assert alone[0].chunk.id == "z3"
    contested = gather_candidates("zh", [foreign, *chinese], sparse, words)
    assert contested.fused()[0].chunk.id == "e" and contested.foreign == {"e"}
    matches = {"e": 0.9, "z0": 0.6, "z1": 0.5, "z2": 0.4, "z3": 0.55}
    assert max(contested.fused_with(matches), key=contested.fused_with(matches).get) == "e"


def test_nothing_found_is_nothing_seen():
    found = gather_candidates("zh", DENSE, [], WORDS)
    assert found.sight.fused_weight == 0 and [h.chunk.id for h in found.fused()] == ["a", "b"]
    assert gather_candidates("zh", [], [], {}).fused() == []


def test_figures_without_a_word_are_of_no_language():
    figures = hit("t", "| 1,204 | 1,377 |", 0.9, Stage.DENSE, 1)
    found = gather_candidates("zh", [figures, *DENSE], [], WORDS)
    assert found.foreign == {"b"} and found.terms.keys() == {"t", "a"}


def test_figures_under_a_heading_have_its_language():
    table = Chunk("t", "d", 0, "| 1,204 |", "", "", headings=("各车间的产量",))
    found = gather_candidates("en", [Hit(table, 0.9, Stage.DENSE, {"dense": 1})], [], WORDS)
    assert found.foreign == {"t"}
