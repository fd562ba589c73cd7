"""Memory by likeness: past remarks that resemble the question, with those around them.

Each remark is embedded together with the one before it, for an answer such as "two years ago"
says nothing by itself; words count beside vectors, and a remark is raised by its better
neighbour. Knows an `Embedder` and the words; knows nothing of sessions.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial

import numpy as np

from agents.memory.rendering import Budget, take_remarks
from agents.memory.words import Words
from core.seams import Embedder
from core.types import Recollection, Remark
from retrieval.fusion import fuse

WORDS_WEIGHT = 0.5
NEIGHBOUR_SHARE = 0.5
"""Both chosen on one LoCoMo conversation (docs/memory.md)."""
VECTORS_KEPT = 8192
"""Of 384 numbers each: 13 MB."""


class VectorRecall:
    """A `Memory` of the remarks nearest to the question, by words and vectors. It keeps the
    vectors of texts that it met lately; a vector tells only whoever has the text."""

    name = "vector"

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._kept: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, history: Sequence[Remark], question: str, budget: int) -> list[Recollection]:
        """See `Memory.recall`.

        Raises:
            EmbedderError: the embedder does not answer.
        """
        if not history or not question.strip():
            return []
        scores = self.scores(history, question)
        order = np.argsort(-scores, kind="stable").tolist()
        return take_remarks(history, order, Budget(budget))

    def scores(self, history: Sequence[Remark], question: str) -> np.ndarray:
        """How much each remark bears on the question, shape (len(history),)."""
        vectors = self._vectors([_with_former(history, at) for at in range(len(history))])
        near = vectors @ self._embedder.embed_query(question)
        ids = [str(at) for at in range(len(history))]
        table = partial(zip, ids, strict=True)
        fused = fuse(
            dict(table(near.tolist())), [(dict(table(Words(history).relevance(question))), WORDS_WEIGHT)]
        )
        scores = np.array([fused[name] for name in ids])
        above = np.maximum(scores - scores.mean(), 0)
        around = np.maximum(np.append(above[1:], 0), np.append(0, above[:-1]))
        return above + NEIGHBOUR_SHARE * around

    def _vectors(self, texts: Sequence[str]) -> np.ndarray:
        with self._lock:
            known = {text: self._kept[text] for text in texts if text in self._kept}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known.update(zip(missing, self._embedder.embed_documents(missing), strict=True))
        with self._lock:
            for text in texts:
                self._kept[text] = known[text]
                self._kept.move_to_end(text)
            while len(self._kept) > VECTORS_KEPT:
                self._kept.popitem(last=False)
        return np.stack([known[text] for text in texts])


def _with_former(history: Sequence[Remark], at: int) -> str:
    """What is embedded for a remark."""
    return "\n".join(f"{remark.speaker}: {remark.text}" for remark in history[max(0, at - 1) : at + 1])
