"""RGB, Chinese: a question finds passages that answer it among news that only touch it.

All passages are one corpus; each question also has its own pool, its positives and its
negatives. Knows the JSON lines; knows nothing of searching.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from evals.beir import CorpusDocument, JudgedQuery, RetrievalSet

PARTS = {"zh_refine": "rgb-zh-refine", "zh_int": "rgb-zh-int"}


def convert_rgb(folder: Path) -> Iterator[RetrievalSet]:
    """The parts on noise and on joining several passages."""
    for part, name in PARTS.items():
        yield convert_part(folder / f"{part}.dev.jsonl", name)


def convert_part(path: Path, name: str) -> RetrievalSet:
    """A passage that stands at several questions is one document. Its judgement belongs to a
    question: elsewhere it is not known to answer."""
    ids: dict[str, str] = {}
    queries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        positives = [_named(ids, text, f"{row['id']}-p") for text in _flat(row["positive"])]
        negatives = [_named(ids, text, f"{row['id']}-n") for text in _flat(row["negative"])]
        gains = dict.fromkeys(positives, 1.0)
        pool = frozenset({*positives, *negatives})
        queries.append(JudgedQuery(str(row["id"]), row["query"], gains, pool=pool))
    documents = [CorpusDocument(identity, text) for text, identity in ids.items()]
    return RetrievalSet(name, documents, queries)


def _named(ids: dict[str, str], text: str, prefix: str) -> str:
    return ids.setdefault(text, f"{prefix}{len(ids)}")


def _flat(passages: Sequence[str | list[str]]) -> Iterator[str]:
    """Questions of several facts group their positives by fact."""
    for passage in passages:
        yield from [passage] if isinstance(passage, str) else passage
