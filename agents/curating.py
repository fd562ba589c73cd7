"""A curator's words made into sentences with evidence, by the same check as a draft's.

Knows retriever, binder and guard; knows nothing of where an entry is stored.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from agents.binding import EvidenceBinder
from agents.drafting import DraftChecker
from agents.guards.evidence_screen import UNSCREENED, EvidenceScreen
from agents.policy import Policy
from core.errors import InputError
from core.seams import Guard
from core.text import split_sentences
from core.types import Answer, Chunk, Citation, Label, Scope, Sentence, Verdict
from retrieval.retriever import Retriever

HITS_A_SEARCH = 6
CURATED = Verdict(Label.UNSURE, 0.0, "curator", "curated without evidence")


@dataclass(frozen=True, slots=True)
class CuratedText:
    """What an entry says. `refused` are the sentences that the documents do not bear out, which
    stand in `sentences` too, without citations."""

    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    refused: tuple[Sentence, ...] = ()


class EvidenceFinder:
    """Binds a text to the documents that a reader may read."""

    def __init__(
        self,
        retriever: Retriever,
        binder: EvidenceBinder,
        open_guard: Callable[[], AbstractContextManager[Guard]],
        screen: EvidenceScreen | None,
    ) -> None:
        """`open_guard` gives the guard for one text. Without a screen, text that speaks to a model
        may be quoted."""
        self._retriever = retriever
        self._binder = binder
        self._open_guard = open_guard
        self._screen = screen

    def bind(self, question: str, text: str, scope: Scope) -> CuratedText:
        """Each sentence with its citations, or among the refused.

        Raises:
            InputError: the text holds no sentence.
            StoreError: the store does not answer.
            ModelFileError, ChatModelError: the settings name a judge that does not start.
        """
        raw = [span.of(text) for span in split_sentences(text) if re.search(r"\w", span.of(text))]
        if not raw:
            raise InputError("the answer holds no sentence", remedy="write one, or name an answer")
        chunks = self._search([question, *raw], scope)
        screened = self._screen.screen(question, chunks) if self._screen is not None else UNSCREENED
        pool = self._binder.pool(chunks, screened)
        with self._open_guard() as guard:
            return self._check(raw, DraftChecker(pool, guard, question, Policy.STRICT))

    @staticmethod
    def _check(raw: Sequence[str], checker: DraftChecker) -> CuratedText:
        sentences: list[Sentence] = []
        refused: list[Sentence] = []
        for sentence in raw:
            known = len(checker.draft.withheld)
            sentences += [released.sentence for released in checker.check(sentence)]
            for withheld in checker.draft.withheld[known:]:
                refused.append(withheld)
                sentences.append(replace(withheld, verdict=CURATED))
        return CuratedText(tuple(sentences), tuple(checker.draft.citations), tuple(refused))

    def _search(self, queries: Sequence[str], scope: Scope) -> list[Chunk]:
        found: dict[str, Chunk] = {}
        for query in queries:
            for hit in self._retriever.search(query, scope, HITS_A_SEARCH).hits:
                found.setdefault(hit.chunk.id, hit.chunk)
        return list(found.values())


def text_of_answer(answer: Answer) -> CuratedText:
    """What a past answer says with evidence; the rest of it is left out.

    Raises:
        InputError: it says nothing with evidence.
    """
    kept = [s for s in answer.sentences if s.citations and s.verdict.label is Label.SUPPORTED]
    if not kept:
        raise InputError(
            f"the answer {answer.id!r} has no sentence with evidence", remedy="give the words: --answer TEXT"
        )
    wanted = {marker for sentence in kept for marker in sentence.citations}
    return CuratedText(tuple(kept), tuple(c for c in answer.citations if c.marker in wanted))


def refusal(text: CuratedText) -> InputError:
    """The error that names each sentence that was refused, and why."""
    told = "; ".join(f"“{s.text}” ({s.verdict.reason or s.verdict.label.value})" for s in text.refused)
    return InputError(
        f"the documents do not bear out: {told}",
        remedy="mend the words, or keep them without evidence: --force",
    )
