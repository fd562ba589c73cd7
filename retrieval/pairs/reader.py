"""Reads claims and questions beside evidence with the adapted encoder: a `PairReader`.

A cross-encoder of 21 million parameters at 8 bit on OpenVINO, made on first use from the embedder's
own weights and a small adapter, so nothing more is fetched. Knows pairs and batches; knows nothing of
verdicts.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from core.readers import AnswerReading, Pair
from core.text import Span
from retrieval.embedders.e5 import PAD_TO, open_weights, token_batches, tokenizer_of
from retrieval.embedders.e5_weights import SpecialTokens
from retrieval.pairs.adapter import FIRST, SECOND, AdaptedWeights, PairAdapter, shipped_adapter
from retrieval.pairs.window import cut_window

FIRST_TOKENS, CLAIM_EVIDENCE_TOKENS, QUESTION_EVIDENCE_TOKENS = 56, 110, 150
LONGEST_SECOND = 180
"""Tokens: of the first text, of evidence for a claim and for a question, of any evidence."""
OVERLAP, SUBJECT = 16, 20
"""Tokens that two stretches of a long claim share; and that are read of the beginning of a long question,
beside its end: a follow-up stands behind the question that it goes on from."""
_NAME = "e5-small-pairs-int8"

Ids = list[int]


@dataclass(frozen=True, slots=True)
class _Read:
    """The logit of a pair, those of the tokens of the text that a head reads, and what was read of the
    second text."""

    logit: float
    tokens: np.ndarray
    window: str


class AdaptedReader:
    """See `PairReader`. Safe to call from several threads; calls take turns.

    Raises:
        ModelFileError: the embedder's weights are not in `folder`, or the graph cannot be written there.
    """

    def __init__(self, folder: Path, threads: int = 0, adapter: PairAdapter | None = None) -> None:
        """`threads=0` uses all cores; `adapter` is the shipped one unless given."""
        self._folder, self._threads = folder, threads
        self._adapter = adapter or shipped_adapter()
        self._weights = open_weights(folder)
        self._tokenizer = tokenizer_of(self._weights, folder)
        self._lock = threading.Lock()

    @cached_property
    def fingerprint(self) -> str:
        """See `PairReader`."""
        from retrieval.embedders.e5_graph import GRAPH_VERSION

        return f"{_NAME}-{GRAPH_VERSION}-{self._adapter.fingerprint}"

    @cached_property
    def _graph(self):
        """Built on first use; those of other versions go then."""
        from retrieval.embedders.e5_graph import E5GraphBuilder, open_graph  # OpenVINO takes a second

        path = self._folder / f"{self.fingerprint}.xml"
        is_new = not path.exists()
        weights = AdaptedWeights(self._weights, self._adapter)
        graph = open_graph(
            path, lambda: E5GraphBuilder(weights, self._adapter.ranges).build(), self._threads
        )
        for stale in self._folder.glob(f"{_NAME}-*.???") if is_new else ():
            if stale.stem != path.stem:
                stale.unlink(missing_ok=True)
        return graph

    def load(self) -> None:
        """Builds and loads the graph now, so that the first question does not wait for it."""
        with self._lock:
            self._graph  # noqa: B018

    def read_claims(self, pairs: Sequence[Pair]) -> list[float]:
        """See `PairReader.read_claims`. Of a long claim the stretch that is held least decides."""
        found = self._read("wrong", pairs, CLAIM_EVIDENCE_TOKENS, stretches)
        return [-max(one.logit for one in parts) for parts in found]

    def read_questions(self, pairs: Sequence[Pair]) -> list[float]:
        """See `PairReader.read_questions`. Of a long question its beginning and its end are read."""
        return [one.logit for one, in self._read("answer", pairs, QUESTION_EVIDENCE_TOKENS, both_ends)]

    def find_answers(self, question: str, texts: Sequence[str]) -> list[AnswerReading]:
        """See `PairReader.find_answers`."""
        pairs = [(question, text) for text in texts]
        found = self._read("answer", pairs, QUESTION_EVIDENCE_TOKENS, both_ends)
        read = self._tokenizer.normalise  # the places of tokens are those of the text as it is read
        return [AnswerReading(one.logit, read(one.window), self._shares(one)) for one, in found]

    def _shares(self, read: "_Read") -> tuple[tuple[Span, float], ...]:
        """Of each token the odds that it belongs to the answer, over the sum of all odds."""
        odds = np.exp(read.tokens - read.tokens.max(initial=0.0))
        spans = self._tokenizer.spans(read.window)[: len(odds)]
        return tuple((Span(*span), float(o / odds.sum())) for span, o in zip(spans, odds, strict=True))

    def _read(
        self, head: str, pairs: Sequence[Pair], budget: int, cut: Callable[[Ids], list[Ids]]
    ) -> list[list["_Read"]]:
        """What was read of each of the stretches that each first text is cut into."""
        own = FIRST if head == "wrong" else SECOND
        framed, owners, windows = [], [], []
        for at, (first, second) in enumerate(pairs):
            windows.append(window := cut_window(first, second, budget, self._tokenizer.count))
            other = self._tokenizer.encode(window, LONGEST_SECOND + 2)[1:-1]
            for one in cut(self._tokenizer.encode(first, len(first) + 10)[1:-1]):
                framed.append(frame_pair(self._weights.special, one, other))
                owners.append(at)
        found: list[list[_Read]] = [[] for _ in pairs]
        for rows in token_batches([len(ids) for ids, _ in framed]):
            ids, parts, mask = self._padded([framed[row] for row in rows])
            with self._lock:
                states = self._graph([self._weights.word_rows(ids), mask])[0].copy()
            logits, tokens = self._adapter.logits(head, states, parts)
            for at, row in enumerate(rows):
                read = _Read(float(logits[at]), tokens[at][parts[at] == own], windows[owners[row]])
                found[owners[row]].append(read)
        return found

    def _padded(self, rows: Sequence[tuple[Ids, Ids]]) -> tuple[np.ndarray, ...]:
        longest = max(len(ids) for ids, _ in rows)
        width = -(-longest // PAD_TO) * PAD_TO
        ids = np.full((len(rows), width), self._weights.special.pad, np.int64)
        parts, mask = np.zeros(ids.shape, np.int8), np.zeros(ids.shape, np.float32)
        for at, (tokens, belongs) in enumerate(rows):
            ids[at, : len(tokens)], parts[at, : len(tokens)] = tokens, belongs
            mask[at, : len(tokens)] = 1
        return ids, parts, mask


def stretches(ids: Ids) -> list[Ids]:
    """Overlapping stretches that can be read; one of what is short."""
    last = max(1, len(ids) - OVERLAP)
    return [ids[at : at + FIRST_TOKENS] for at in range(0, last, FIRST_TOKENS - OVERLAP)]


def both_ends(ids: Ids) -> list[Ids]:
    """One stretch: of what is long its beginning and its end."""
    return [ids if len(ids) <= FIRST_TOKENS else ids[:SUBJECT] + ids[SUBJECT - FIRST_TOKENS :]]


def frame_pair(special: SpecialTokens, first: Ids, second: Ids) -> tuple[Ids, Ids]:
    """Token ids of a pair, `<s> first </s></s> second </s>`, and the part that each belongs to."""
    ids = [special.bos, *first, special.eos, special.eos, *second, special.eos]
    return ids, [0, *[FIRST] * len(first), 0, 0, *[SECOND] * len(second), 0]
