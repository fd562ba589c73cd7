"""Communities by networkx over records alone: what belongs together, by which sentences, in any order."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.entities import WITH, EntityKind
from core.errors import SettingsError
from core.types import chunk_id
from retrieval.graph.communities import MOST_ENTITIES, MOST_SENTENCES, Place, find_communities
from retrieval.graph.records import EntityRecord, RelationRecord, Source

DOCUMENT = "d" * 64


def entity(name: str, *aliases: str, document: str = DOCUMENT) -> EntityRecord:
    return EntityRecord(document, name, name.lower(), EntityKind.NAME, aliases, (), (0,))


def relation(one: str, other: str, start: int, kind: str = WITH, document: str = DOCUMENT) -> RelationRecord:
    """A sentence of ten letters, told from others by where it starts."""
    names, sources = (one, other), (Source(0, start, start + 10, ""),)
    return RelationRecord(document, one.lower(), other.lower(), names, kind, sources)


def clique(*names: str, start: int) -> list[RelationRecord]:
    """Each pair in a sentence of its own."""
    pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
    return [relation(a, b, start + 10 * n) for n, (a, b) in enumerate(pairs)]


def test_what_sentences_bring_together_is_one_community_and_a_single_bridge_joins_none():
    told = [*clique("A", "B", "C", "D", start=0), *clique("W", "X", "Y", "Z", start=500), relation("D", "W", 900)]
    found = find_communities([entity(name) for name in "ABCDWXYZ"], told)
    assert sorted(map(set, (one.names for one in found)), key=min) == [set("ABCD"), set("WXYZ")]
    bridge = Place(chunk_id(DOCUMENT, 0), 900, 910)
    assert all(bridge not in one.places for one in found)


def test_two_names_or_one_sentence_are_no_community():
    assert find_communities([], [relation("A", "B", 0), relation("A", "B", 10)]) == []
    # One sentence that lists three names.
    assert find_communities([], [relation("A", "B", 0), relation("B", "C", 0), relation("A", "C", 0)]) == []
    assert find_communities([], []) == []


def test_a_short_form_is_the_entity_that_it_stands_for_unless_it_stands_for_two():
    told = [relation("World Bank", "Oslo", 0), relation("WB", "Rome", 10)]
    [one] = find_communities([entity("World Bank", "WB"), entity("Oslo"), entity("Rome")], told)
    assert set(one.names) == {"World Bank", "Oslo", "Rome"}
    apart = [entity("World Bank", "WB"), entity("Wide Band", "WB", document="e" * 64)]
    assert find_communities(apart, told) == []


def test_the_sentences_name_most_of_the_group_and_those_of_a_known_kind_come_first():
    told = [relation("A", "B", 0), relation("A", "B", 100, kind="supplies"), relation("B", "C", 200)]
    [one] = find_communities([], told)
    assert one.names[0] == "B" and [place.start for place in one.places] == [100, 200, 0]
    many = [relation("Hub", f"N{at}", 10 * at) for at in range(20)]
    assert len(find_communities([], many)[0].places) == MOST_SENTENCES


def test_a_large_community_is_parted():
    chain = [relation(f"N{at}", f"N{at + 1}", 10 * at) for at in range(200)]
    found = find_communities([], chain)
    assert len(found) > 200 // MOST_ENTITIES and max(len(one.names) for one in found) <= MOST_ENTITIES


def test_without_networkx_it_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(SettingsError, match="networkx") as raised:
        find_communities([], [relation("A", "B", 0)])
    assert "attest[communities]" in raised.value.remedy


PAIRS = st.lists(st.tuples(st.sampled_from("ABCDEFGHIJKL"), st.sampled_from("ABCDEFGHIJKL")), max_size=40)


@given(PAIRS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_records_changes_nothing_and_every_entity_is_in_one_community_at_most(pairs, random):
    told = [relation(a, b, 10 * at) for at, (a, b) in enumerate(pairs) if a != b]
    names = [entity(name) for name in "ABCDEFGHIJKL"]
    found = find_communities(names, told)
    random.shuffle(told)
    random.shuffle(names)
    assert find_communities(names, told) == found
    members = [name for one in found for name in one.names]
    assert len(members) == len(set(members))
    ends = {Place(chunk_id(DOCUMENT, 0), r.sources[0].start, r.sources[0].end): set(r.names) for r in told}
    assert all(ends[place] <= set(one.names) for one in found for place in one.places)
