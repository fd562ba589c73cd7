"""A library of any size, and the arithmetic over timed searches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.peers.libraries import Plan, Question
from bench.retrieval_scale import Timed, roof, summarise
from bench.scale_library import PreparedEmbedder, build_library, cut, recombine, varied_questions

VECTORS = [(row, np.full((6, 3), at, np.int8)) for at, row in enumerate(np.eye(4, dtype=np.float32))]
TEXTS = ["first text", "second text", "third text", "fourth text"]


class CountingEmbedder:
    """Gives zeros and counts what it was asked for."""

    fingerprint = "counting"
    dimensions = 4

    def __init__(self):
        self.asked = []

    def embed_documents_and_tokens(self, texts):
        self.asked.extend(texts)
        return np.zeros((len(texts), 4), np.float32), [np.zeros((2, 3), np.int8)] * len(texts)


class FolderIndex:
    """A `ChunkIndex` in memory, as far as a library is built with it."""

    def __init__(self, embedder):
        self.embedder, self.written, self.opened = embedder, {}, 0

    def open_collection(self, name):
        self.opened += 1
        self.written.setdefault(name, {})

    def drop_collection(self, name):
        return self.written.pop(name, None) is not None

    def count_chunks(self, name):
        return {identity: len(chunks) for identity, chunks in self.written[name].items()}

    def write_document(self, document, chunks):
        vectors, _ = self.embedder.embed_documents_and_tokens([chunk.text for chunk in chunks])
        self.written[document.collection][document.id] = list(zip(chunks, vectors, strict=True))


@given(st.integers(0, 12), st.integers(0, 3))
def test_made_chunks_are_repeatable_and_of_unit_length(count, seed):
    made = list(recombine(TEXTS, VECTORS, count, np.random.default_rng(seed)))
    again = list(recombine(TEXTS, VECTORS, count, np.random.default_rng(seed)))
    assert [text for text, _ in made] == [text for text, _ in again]
    assert len(made) == count and [text for text, _ in made[:4]] == TEXTS[:count]
    assert all(abs(np.linalg.norm(vector) - 1) < 1e-5 for _, (vector, _) in made)
    assert all(rows.shape == (6, 3) for _, (_, rows) in made)
    assert all((a[1][0] == b[1][0]).all() for a, b in zip(made, again, strict=True))


def test_prepared_texts_are_looked_up_and_others_embedded():
    inner = CountingEmbedder()
    embedder = PreparedEmbedder(inner)
    embedder.prepare(["known"], VECTORS[1:2])
    vectors, rows = embedder.embed_documents_and_tokens(["known", "known"])
    assert vectors.tolist() == [VECTORS[1][0].tolist()] * 2 and rows[0] is VECTORS[1][1]
    assert inner.asked == [] and embedder.fingerprint == "counting"
    assert embedder.embed_documents_and_tokens(["known", "new"])[0].shape == (2, 4)
    assert inner.asked == ["known", "new"]


def test_a_whole_library_is_not_built_again():
    embedder = PreparedEmbedder(CountingEmbedder())
    index = FolderIndex(embedder)
    base = {"zh": (TEXTS[:2], VECTORS[:2]), "en": (TEXTS[2:], VECTORS[2:])}
    build_library(index, embedder, "scale-120", 120, base)
    first = index.written["scale-120"]
    assert sum(index.count_chunks("scale-120").values()) == 120 and len(first) == 3
    build_library(index, embedder, "scale-120", 120, base)
    assert index.written["scale-120"] is first
    first.popitem()
    build_library(index, embedder, "scale-120", 120, base)
    assert sum(index.count_chunks("scale-120").values()) == 120
    assert embedder._inner.asked == []


@pytest.mark.parametrize("text", ["一句话。第二句话！第三句？", "One sentence. Another one! A third?"])
def test_pieces_hold_whole_sentences(text):
    assert cut(text, 1000) == [text]
    pieces = cut(text, 12)
    assert len(pieces) > 1 and "".join("".join(pieces).split()) == "".join(text.split())


def test_questions_are_of_both_languages_and_all_sets():
    sets = ("xquad-zh-zh", "xquad-en-en", "xquad-en-zh", "cmrc2018", "drcd")
    questions = [Question(name, f"{at}", f"{name} {at}", "x") for name in sets for at in range(4)]
    chosen = varied_questions(Plan({}, questions), 8)
    assert len(set(chosen)) == 8
    assert sum(text.startswith("xquad-en") for text in chosen) == 4
    assert {text.split()[0] for text in chosen} >= {"cmrc2018", "drcd", "xquad-zh-zh"}


def test_stages_that_a_search_left_out_count_as_nothing():
    figures = summarise([Timed(10.0, 5.0, {"dense": 4.0}), Timed(20.0, 6.0, {"dense": 6.0, "rerank": 8.0})])
    assert figures["whole_ms"] == {"p50": 15.0, "p99": 20.0}
    assert figures["stages_ms"]["rerank"] == {"p50": 4.0, "p99": 8.0}


def test_the_roof_is_bytes_over_bandwidth():
    assert roof(10_000, 384, 15.36) == {"bytes_read": 15_360_000, "least_ms": 1.0}
