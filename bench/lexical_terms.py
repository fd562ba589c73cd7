"""What the lexical leg gains by leaving out words that only ask, and by exact forms.

`python -m bench.lexical_terms EVALS_FOLDER` ranks each public set by BM25 alone, each
document whole. No model is needed. Development data: the list of words and the weight of
exact forms were chosen with these sets in sight.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from evals.beir import RetrievalSet, read_retrieval_set
from evals.convert import convert
from evals.ranking import ndcg
from evals.record import write_result
from retrieval.lexical import encode_document, query_shares, term_id, weigh_query
from retrieval.terms import split_terms

MOST_QUERIES = 700
Shares = Mapping[int, float]


def all_terms(text: str) -> Shares:
    """Every term of a question, without exact forms."""
    return {term_id(term): 1.0 for term in split_terms(text)}


def content_terms(text: str) -> Shares:
    """Without words that only ask, and without exact forms."""
    return {term: share for term, share in query_shares(text).items() if share == 1.0}


VARIANTS: dict[str, Callable[[str], Shares]] = {
    "all terms": all_terms,
    "without words that ask": content_terms,
    "and with exact forms": query_shares,
}


def measure(judged: RetrievalSet) -> dict:
    """Mean nDCG@10 of each variant."""
    postings: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for at, document in enumerate(judged.documents):
        for term, weight in encode_document(f"{document.title}\n{document.text}").weights.items():
            postings[term].append((at, weight))
    frequencies = {term: len(held) for term, held in postings.items()}
    asked = judged.queries[:: max(1, len(judged.queries) // MOST_QUERIES)]
    found = {"n": len(asked)}
    for name, shares_of in VARIANTS.items():
        values = []
        for query in asked:
            scores = np.zeros(len(judged.documents))
            words = weigh_query(shares_of(query.text), len(judged.documents), frequencies)
            for term, idf in words.items():
                for at, weight in postings.get(term, ()):
                    scores[at] += weight * idf
            order = np.argsort(-scores, kind="stable")[:10]
            values.append(ndcg([judged.documents[at].id for at in order if scores[at] > 0], query.gains))
        found[name] = round(float(np.mean(values)), 4)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.lexical_terms")
    parser.add_argument("evals", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folders = convert("all", given.evals, Path(place))
        figures = {folder.name: measure(read_retrieval_set(folder)) for folder in folders}
    command = "python -m bench.lexical_terms EVALS_FOLDER"
    write_result("lexical_terms", command, {"data": "development parts of public sets", "ndcg@10": figures})
