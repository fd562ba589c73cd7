"""The plain recipe: late interaction and words decide together, by what the words cover."""

import numpy as np

from bench.maxsim_recipe import Passages

TEXTS = ["the pump runs dry", "lunch opens at noon", "the warranty lasts two years", "水泵的保修期"]


class LetterTokens:
    """A token a letter; vectors are counts of letters."""

    def embed_query_tokens(self, text):
        return np.eye(997, dtype=np.float32)[[ord(c) % 997 for c in text if not c.isspace()]] * 2.5

    def embed_query(self, text):
        counts = self.embed_query_tokens(text).sum(axis=0)
        return counts / np.linalg.norm(counts)

    def embed_documents_and_tokens(self, texts):
        tokens = [(self.embed_query_tokens(text) / 2.5 * 127).astype(np.int8) for text in texts]
        return np.stack([self.embed_query(text) for text in texts]), tokens


def test_each_candidate_is_ranked_once_and_the_right_one_first():
    passages = Passages(TEXTS, LetterTokens())
    for question, best in (("when does lunch open", 1), ("how long is the warranty", 2), ("保修期多久", 3)):
        ranked = passages.rank(question)
        assert ranked[0] == best and sorted(ranked) == [0, 1, 2, 3]


def test_words_that_nothing_covers_have_no_say():
    passages = Passages(TEXTS, LetterTokens())
    assert sorted(passages.rank("xyzzy")) == [0, 1, 2, 3]
