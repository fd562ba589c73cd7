"""The graph in the real Milvus Lite: names, links and ways, who may see them, and how they go."""

from dataclasses import replace

import pytest

from core.conditions import OfDocuments
from core.types import Hit, Stage
from ingest.entities.graphs import DocumentGraphs
from retrieval.graph.leg import GraphLeg
from retrieval.graph.reader import GraphReader
from tests.retrieval.graph.small_library import ANYBODY, COLLECTION, chunks_of, document, open_library, scope
from tests.retrieval.test_context_line_kept import PlainHash

ACME = "Acme Robotics supplies the TM-20L. It is sold by the dozen."
PORT = "Rotterdam Port bought the TM-20L for its cranes in 2021."
HANS = "张伟是华盛精工的创始人。他喜欢游泳。"
HUA = "2021年，华盛精工收购了恒达仪器有限公司。"


@pytest.fixture
def library(tmp_path):
    made = open_library(tmp_path)
    yield made
    made.store.close()


def test_names_are_found_however_they_are_written_and_the_longest_counts(library):
    library.write("a", ACME, "The Acme Robotics Museum is in Oslo.")
    library.write("b", HUA)
    assert library.names("What does ACME ROBOTICS make, and is it the tm20l?") == ["Acme Robotics", "TM-20L"]
    assert library.names("Where is the Acme Robotics Museum?") == ["Acme Robotics Museum"]
    assert library.names("華盛精工收購了恒達儀器嗎？") == ["华盛精工", "恒达仪器有限公司"]
    assert library.names("What is it?") == []


def test_a_short_form_is_the_entity_that_documents_explain(library):
    library.write("a", "The World Trade Organization (WTO) was founded in Geneva.")
    library.write("b", "Later the WTO moved its office to Paris.")
    [entity] = library.reader.named_in(ANYBODY, "Where is the WTO?")
    assert entity.name == "World Trade Organization" and entity.chunks == 2 and "WTO" in entity.aliases
    library.write("d", "The World Toilet Organization (WTO) meets in Singapore.")
    [entity] = library.reader.named_in(ANYBODY, "Where is the WTO?")
    assert entity.chunks == 1 and entity.key == "wto"


@pytest.mark.parametrize(
    ("question", "between"),
    [
        ("How are Acme Robotics and Rotterdam Port related?", "TM-20L"),
        ("张伟和恒达仪器有什么关系？", "华盛精工"),
    ],
)
def test_a_way_between_two_things_over_a_third_one(library, question, between):
    for letter, text in zip("abde", (ACME, PORT, HANS, HUA), strict=True):
        library.write(letter, text)
    way = library.way(question)
    assert len(way) == 2 and all(between in names for names, _ in way)
    texts = (ACME, PORT, HANS, HUA)
    assert all(any(told in text for text in texts) and between in told for _, [told] in way)


def test_one_sentence_with_both_is_the_way(library):
    library.write("a", ACME)
    [(names, [told])] = library.way("How is Acme Robotics connected to the TM-20L?")
    assert names == ("Acme Robotics", "TM-20L") and told == "Acme Robotics supplies the TM-20L."


def test_nobody_sees_an_entity_or_a_way_of_a_document_that_is_not_theirs(library):
    """What lies in between is told by the hidden document alone."""
    library.write("a", ACME)
    hidden = library.write("b", PORT, "Secret Falcon is built by Acme Robotics.", readers=["board"])
    question = "How are Acme Robotics and Rotterdam Port related?"
    assert library.names("Secret Falcon and Rotterdam Port") == []
    assert library.way(question) == [] and library.way(question, "sales") == []
    assert library.names("Secret Falcon", "board") == ["Secret Falcon"]
    assert len(library.way(question, "board")) == 2
    [acme] = library.reader.named_in(ANYBODY, "Acme Robotics")
    assert acme.chunks == 1 and [link.names for link in library.ways.links_of(ANYBODY, acme, 9)] == [("Acme Robotics", "TM-20L")]
    assert library.reader.alike(ANYBODY, "Secret Falcons", 3) == []
    for readers in ((), ("sales",)):
        hits = library.retriever().search(question, scope(*readers), 9).hits
        assert hidden.id not in {hit.chunk.document_id for hit in hits}


def test_a_new_version_a_copy_and_a_removal_leave_nothing_behind(library):
    of = library.write("a", ACME, PORT)
    library.write("a", "Nordwind GmbH sells the TM-30.")
    assert library.names("Acme Robotics, Nordwind, TM-20L, TM-30") == ["Nordwind GmbH", "TM-30"]
    copied = document("d", ["board"])
    assert library.graph.copy_document(copied, of.id) == 3  # two names and the word that it was written
    library.graphs.remove_documents(COLLECTION, [of.id])
    assert library.names("Nordwind") == [] and library.names("Nordwind", "board") == ["Nordwind GmbH"]
    assert library.graph.count_graphs(COLLECTION) == {copied.id: 1}
    library.graphs.drop_collection(COLLECTION)
    assert library.names("Nordwind", "board") == [] and library.graph.count_graphs(COLLECTION) == {}


def test_with_graphs_switched_off_none_is_written_and_those_there_go_with_their_documents(library):
    of, off = library.write("a", ACME), DocumentGraphs(library.graph, None)
    off.write_documents([(document("b"), [])])
    assert library.graph.count_graphs(COLLECTION) == {of.id: 1}
    off.remove_documents(COLLECTION, [of.id])
    assert library.graph.count_graphs(COLLECTION) == {} and library.names("Acme Robotics") == []


def test_a_sentence_that_the_collection_no_longer_holds_is_not_told(library):
    of = library.write("a", ACME)
    library.index.remove_document(COLLECTION, of.id)
    assert library.way("How is Acme Robotics connected to the TM-20L?") == []
    [acme] = library.reader.named_in(ANYBODY, "Acme Robotics")
    assert library.ways.links_of(ANYBODY, acme, 9) == []


def test_names_get_vectors_of_another_embedder_and_nothing_else_changes(library):
    library.write("a", ACME)
    library.graph._embedder.fingerprint = "another"
    library.graph.reembed(COLLECTION)
    library.reader._embedder.fingerprint = "another"
    assert library.names("acme robotics") == ["Acme Robotics"]
    assert [entity.name for entity in library.reader.alike(ANYBODY, "Acme Robotics", 1)] == ["Acme Robotics"]


def test_a_search_for_what_two_things_have_to_do_with_each_other_gives_the_passages_of_the_way(library):
    library.write("a", ACME)
    library.write("b", PORT)
    for at in range(8):
        library.write("0123456789"[at], f"How are reports number {at} and forms related? Acme Robotics told Rotterdam Port.")
    library.store.delete_document(COLLECTION, "0" * 64)
    question = "How are Acme Robotics and the TM-20L related?"
    result = library.retriever().search(question, ANYBODY, 3)
    assert result.hits[0].chunk.text == ACME and result.hits[0].ranks[Stage.GRAPH.value] == 1
    assert "graph" in result.timings_ms
    plain = library.retriever().search("What is the TM-20L?", ANYBODY, 3)
    assert "graph" not in plain.timings_ms and all("graph" not in hit.ranks for hit in plain.hits)


def test_conditions_of_the_search_hold_for_the_graph_too(library):
    library.write("a", ACME)
    library.write("b", "Nothing of the kind.")
    question = "How are Acme Robotics and the TM-20L related?"
    hits = library.retriever().search(question, ANYBODY, 5, [OfDocuments(("b" * 64,))]).hits
    assert [hit.chunk.document_id for hit in hits] == ["b" * 64]


def test_an_empty_library_has_no_graph(library):
    assert library.names("Acme Robotics") == [] and library.way("How are A1 and B2 related?") == []
    library.write("a", "nothing that has a name")
    assert library.graph.count_graphs(COLLECTION) == {"a" * 64: 1}
    assert library.graph.copy_document(replace(document("b")), "a" * 64) == 1


def test_what_may_not_be_shown_takes_no_place_among_the_hits(library):
    """The better passages of the walk are of another document than is asked for, or are gone."""
    seed = library.write("a", "Acme Robotics supplies the TM-20L.")
    near = [library.write(letter, "Acme Robotics sells the TM-20L.") for letter in "bcd"]
    far = library.write("e", "The TM-20L stands in Oslo.")
    leg = GraphLeg(library.reader, library.ways, library.store, walks=True)
    seeds = [Hit(chunks_of(seed, ACME)[0], 1.0, Stage.FUSED)]
    question = "Who founded the company that supplies the TM-20L?"

    def found(*where):
        return [hit.chunk.document_id for hit in leg.search(ANYBODY, question, seeds, 1, where)]

    assert found() == [near[0].id] and found(OfDocuments((far.id,))) == [far.id]
    for of in near:
        library.index.remove_document(COLLECTION, of.id)
    assert found() == [far.id]


class CountingStore:
    """Counts look-ups on their way to a store."""

    def __init__(self, store) -> None:
        self._store, self.searches = store, 0

    def search_lexical(self, *args):
        self.searches += 1
        return self._store.search_lexical(*args)


def test_a_bridge_asks_the_store_as_often_for_many_passages_as_for_few(library):
    made = [library.write(letter, f"Acme Robotics met Nordwind {letter}.", "Acme Robotics sells the TM-20L.") for letter in "abcdef"]
    asked = CountingStore(library.graph.entities)
    reader = GraphReader(asked, library.graph.relations, PlainHash())
    chunks = [chunk for of in made for chunk in chunks_of(of, "one", "two")]
    named = reader.in_chunks(ANYBODY, chunks)
    assert asked.searches == 1 and all({"acme robotics"} < {r.key for r in named[chunk.id]} for chunk in chunks)
    assert {r.key for r in named[chunks[1].id]} == {"acme robotics", "tm20l"}
    assert reader.in_chunks(ANYBODY, []) == {} and asked.searches == 1
