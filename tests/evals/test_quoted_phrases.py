"""Quoted phrases and titles on public questions: the order gets better or stays.

The lexical leg alone over all paragraphs of a set; only questions that quote something.
"""

from collections import Counter

import pytest

from core.errors import InputError
from core.types import Chunk, Hit, Stage
from evals.datasets.squad import read_squad
from retrieval.lexical import encode_document, inner_product, query_shares, weigh_query
from retrieval.query import adjust, understand

LIMIT = 40


def changes(path) -> Counter:
    """How many questions rank their paragraph better, worse and the same for the adjustment."""
    data = read_squad(path)
    vectors = {d.id: encode_document(d.text).weights for d in data.documents}
    texts = {d.id: d.text for d in data.documents}
    counts = Counter(term for vector in vectors.values() for term in vector)
    found = Counter()
    for identity, text in data.questions:
        try:
            question = understand(text)
        except InputError:
            continue
        if not (question.phrases or question.titles or question.files):
            continue
        query = weigh_query(query_shares(question.text), len(texts), counts)
        scores = sorted(((inner_product(query, v), i) for i, v in vectors.items()), reverse=True)[:LIMIT]
        hits = [Hit(Chunk(i, i, 0, texts[i], "", f"{i}.txt"), s, Stage.LEXICAL) for s, i in scores]
        offsets = adjust(question, hits)
        after = sorted(hits, key=lambda hit: -(hit.score + offsets[hit.chunk.id]))
        ranks = [[h.chunk.id for h in order] for order in (hits, after)]
        gold = data.paragraph_of[identity]
        one, other = (order.index(gold) if gold in order else LIMIT for order in ranks)
        found["better" if other < one else "worse" if other > one else "same"] += 1
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "asked", "better"),
    [("cmrc2018/cmrc2018_trial.json", 60, 0), ("drcd/DRCD_dev.json", 300, 5), ("xquad/xquad.zh.half.json", 20, 0)],
)
def test_a_quoted_phrase_never_makes_the_order_worse(eval_data, name, asked, better):
    found = changes(eval_data / name)
    assert found.total() >= asked
    assert found["worse"] == 0 and found["better"] >= better
