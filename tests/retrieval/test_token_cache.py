"""Kept token vectors are those of the embedder, asked for once, within a bound."""

import numpy as np

from retrieval.token_cache import CachedTokenEmbedder
from tests.agents.doubles import CharacterVectors


class Counting(CharacterVectors):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def embed_tokens(self, texts):
        self.asked.append(list(texts))
        return super().embed_tokens(texts)


def test_each_text_is_encoded_once_and_in_the_order_asked():
    inner = Counting()
    cached = CachedTokenEmbedder(inner)
    first = cached.embed_tokens(["甲乙", "丙", "甲乙", ""])
    again = cached.embed_tokens(["丙", "丁", "甲乙"])
    assert inner.asked == [["甲乙", "丙", ""], ["丁"]]
    for rows, text in [*zip(first, ["甲乙", "丙", "甲乙", ""], strict=True), *zip(again, "丙丁", strict=False)]:
        assert np.array_equal(rows, CharacterVectors().embed_tokens([text])[0]) and rows.dtype == np.float32


def test_what_was_asked_for_longest_ago_is_forgotten_first():
    inner = Counting()
    cached = CachedTokenEmbedder(inner, kept_tokens=4)
    for text in ("甲乙", "丙丁", "甲乙", "戊", "甲乙", "丙丁"):
        cached.embed_tokens([text])
    assert inner.asked == [["甲乙"], ["丙丁"], ["戊"], ["丙丁"]]


def test_a_text_beyond_the_bound_is_given_but_not_kept():
    inner = Counting()
    cached = CachedTokenEmbedder(inner, kept_tokens=2)
    assert len(cached.embed_tokens(["甲乙丙丁"])[0]) == 4
    cached.embed_tokens(["甲乙丙丁"])
    assert len(inner.asked) == 2
