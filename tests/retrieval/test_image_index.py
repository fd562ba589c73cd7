"""The image leg in the real Milvus Lite: readers and filters hold, versions come and go, and a
search over text and pictures finds a picture by what it shows."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import create_engine

from core.conditions import OfDocuments, OfKinds
from core.paths import DataPaths
from core.seams import IndexRow
from core.settings import MilvusSettings, RetrievalSettings
from core.types import Chunk, Document, ElementKind, Scope, Stage, chunk_id
from retrieval.fusion import MOST_MARGINS, PICTURE_WEIGHT, raise_pictures
from retrieval.image_index import STORE_PREFIX, ImageIndex
from retrieval.lexical import Lexicon
from retrieval.rerankers.fused_order import FusedOrder
from retrieval.retriever import MoreLegs, Retriever
from retrieval.store import MilvusStore, open_beside, open_store
from tests.retrieval.colours import ColourEmbedder, painted

ANYBODY = Scope("c")


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    paths = DataPaths(tmp_path_factory.mktemp("images"))
    paths.create()
    store = open_store(MilvusSettings(), paths)
    yield store
    store.close()


@pytest.fixture
def images(milvus):
    made = image_index(milvus)
    yield made
    made.drop_collection("c")


def image_index(milvus: MilvusStore, fingerprint: str = "colours-1") -> ImageIndex:
    return ImageIndex(open_beside(milvus, STORE_PREFIX), ColourEmbedder(fingerprint), margin=0.1)


def document(letter: str, readers: tuple[str, ...] = ("everyone",)) -> Document:
    return Document(letter * 64, f"/docs/{letter}.docx", letter, "", 1, "c", readers)


def chunk_of(of: Document, text: str, name: str = "") -> Chunk:
    kind = ElementKind.FIGURE if name else ElementKind.TEXT
    return Chunk(chunk_id(of.id, 0), of.id, 0, text, of.title, of.uri, kind=kind, figure=name)


def write(images: ImageIndex, letter: str, colour: str, readers: tuple[str, ...] = ("everyone",)) -> Document:
    of, figure = document(letter, readers), painted(colour)
    images.write_document(of, [(chunk_of(of, f"Report {letter}", figure.name), figure)])
    return of


def found(images: ImageIndex, text: str, scope: Scope = ANYBODY, where=()) -> list[str]:
    hits, note = images.search(scope, text, 10, where)
    assert note == "" and all(hit.stage is Stage.IMAGE and hit.score > 0 for hit in hits)
    assert [hit.ranks for hit in hits] == [{"image": rank} for rank in range(1, len(hits) + 1)]
    return [hit.chunk.title for hit in hits]


def test_a_text_finds_what_it_describes_and_none_when_it_describes_nothing(images):
    write(images, "a", "red")
    write(images, "b", "blue")
    assert found(images, "a red thing") == ["a"]
    assert found(images, "something else") == []
    hit = images.search(ANYBODY, "blue", 1)[0][0]
    assert hit.chunk.figure == painted("blue").name and hit.score > 1


def test_readers_and_conditions_hold_as_for_text(images):
    write(images, "a", "red")
    write(images, "b", "red", ("hr",))
    assert found(images, "red") == ["a"]
    assert sorted(found(images, "red", Scope("c", frozenset({"hr"})))) == ["a", "b"]
    assert found(images, "red", Scope("c", frozenset({"sales"})), [OfDocuments(("b" * 64,))]) == []
    assert found(images, "red", where=[OfKinds((ElementKind.TEXT,))]) == []


def test_a_version_is_replaced_copied_for_other_readers_and_removed(images):
    of = write(images, "a", "red")
    write(images, "a", "green")
    assert found(images, "red") == [] and found(images, "green") == ["a"]
    assert images.copy_document(document("d", ("hr",)), of.id) == 1
    assert images.remove_documents("c", [of.id]) == 1
    assert found(images, "green") == [] and found(images, "green", Scope("c", frozenset({"hr"}))) == ["a"]
    assert images.count_images("c") == {"d" * 64: 1}


def test_where_there_are_no_pictures_nothing_is_made(images, milvus):
    images.write_document(document("a"), [])
    assert images.remove_documents("c", ["a" * 64]) == 0 and images.copy_document(document("a"), "b" * 64) == 0
    assert images.search(ANYBODY, "red", 5) == ([], "") and images.count_images("c") == {}
    assert open_beside(milvus, STORE_PREFIX).collections() == [] and milvus.collections() == []


def test_vectors_of_another_embedder_are_not_compared_and_are_made_anew(images, milvus):
    write(images, "a", "red")
    other = image_index(milvus, "colours-2")
    hits, note = other.search(ANYBODY, "red", 5)
    assert hits == [] and "attest rebuild --rechunk" in note and other.count_images("c") == {}
    write(other, "b", "red")
    assert found(other, "red") == ["b"]


class SameForAll:
    """A text embedder that tells nothing apart."""

    dimensions, fingerprint, language_gap = 4, "same", 0.0

    def embed_query(self, text):
        return np.full(4, 0.5, np.float32)


def test_a_search_finds_a_picture_whose_words_say_nothing(images, milvus):
    milvus.open_collection("c", 4, "same")
    texts = [f"passage {at} about a red thing" for at in range(5)]
    rows = [
        IndexRow(chunk_of(document(str(at)), text), np.full(4, 0.5 - at / 50, np.float32), {}, ("everyone",))
        for at, text in enumerate(texts)
    ]
    of, figure = document("f"), painted("red")
    picture = chunk_of(of, "f", figure.name)
    rows.append(IndexRow(picture, np.full(4, 0.1, np.float32), {}, ("everyone",)))
    milvus.upsert("c", rows)
    images.write_document(of, [(picture, figure)])
    lexicon, settings = Lexicon(create_engine("sqlite://")), RetrievalSettings(rerank_limit=0)

    def first(with_images: ImageIndex | None, query: str):
        return Retriever(milvus, SameForAll(), lexicon, FusedOrder(), settings, MoreLegs(with_images)).search(query, ANYBODY, 6)

    seen = first(images, "show the red one")
    assert seen.hits[0].chunk == picture and seen.hits[0].ranks["image"] == 1 and "image" in seen.timings_ms
    assert first(None, "show the red one").hits[-1].chunk == picture
    assert first(images, "what else").hits[-1].chunk == picture
    # The leg was off while the words were masked, and then while the document was removed.
    masked = replace(picture, text="[phone]")
    milvus.upsert("c", [IndexRow(masked, np.full(4, 0.1, np.float32), {}, ("everyone",))])
    assert first(images, "show the red one").hits[0].chunk == masked
    milvus.delete_document("c", of.id)
    assert picture.id not in [hit.chunk.id for hit in first(images, "show the red one").hits]
    milvus.drop_collection("c")


def test_pictures_are_raised_by_at_most_two_margins_and_nothing_is_lowered():
    scores = {"a": 1.0, "b": 0.0}
    assert raise_pictures(scores, {}) == scores
    raised = raise_pictures(scores, {"b": 9.0, "a": -1.0, "elsewhere": 1.0})
    assert raised == {"a": 1.0, "b": pytest.approx(PICTURE_WEIGHT * 0.5 * MOST_MARGINS)}
