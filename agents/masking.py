"""Personal data in what leaves of a question: masked in every event when the policy says so.

Quotes are masked too, so `quote` is then no longer letter by letter what `start` and `end`
point at. Knows events; knows nothing of how they were made.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from agents.events import (
    ApprovalNeeded,
    Event,
    Finished,
    Retrieved,
    SentenceReleased,
    SentenceRevised,
    StatusChanged,
    ToolCalled,
    ToolReturned,
)
from agents.tools.tool import ToolResult
from core.personal_data import mask_personal_data
from core.settings import Settings
from core.types import Answer, Citation, Hit, Sentence, Verdict

NAMES_OF_PARTS = frozenset({"document_id", "chunk_id"})
"""Ours under them leave as they are: digests, which may look like numbers of somebody."""
_ID = re.compile(r"[0-9a-f]{64}|[0-9a-f]{16}-[0-9]{5,}")


def build_mask(settings: Settings) -> "AnswerMask | None":
    """That of the settings; None where personal data may leave."""
    return AnswerMask(settings.ingest.pii_kinds) if settings.guard.pii == "mask" else None


class AnswerMask:
    """Masks the kinds of personal data it was made for."""

    def __init__(self, kinds: Collection[str]) -> None:
        self._kinds = tuple(kinds)

    def text(self, text: str) -> str:
        """The text with `[phone]` in the place of a phone number and so on."""
        return mask_personal_data(text, self._kinds)[0]

    def event(self, event: Event) -> Event:
        """The event as it may leave."""
        match event:
            case StatusChanged():
                return replace(event, detail=self.text(event.detail))
            case Retrieved():
                hits, queries = map(self._hit, event.hits), map(self.text, event.queries)
                return replace(event, hits=tuple(hits), queries=tuple(queries))
            case ToolCalled() | ApprovalNeeded():
                return replace(event, arguments=self._values(event.arguments))
            case ToolReturned():
                return replace(event, text=self.text(event.text))
            case SentenceReleased():
                citations = tuple(map(self._citation, event.citations))
                return replace(event, sentence=self._sentence(event.sentence), citations=citations)
            case SentenceRevised():
                replacement = self._sentence(event.replacement) if event.replacement else None
                verdict = self._verdict(event.verdict)
                withheld = self.text(event.withheld)
                return replace(event, withheld=withheld, verdict=verdict, replacement=replacement)
            case Finished():
                return replace(event, answer=self.answer(event.answer))
        return event

    def result(self, result: ToolResult) -> ToolResult:
        """What a tool gave, as it may leave to who called it by name."""
        citations = tuple(map(self._citation, result.citations))
        return replace(
            result, text=self.text(result.text), data=self._values(result.data), citations=citations
        )

    def answer(self, answer: Answer) -> Answer:
        """The answer without personal data; `guarded` says how much there was of it."""
        _, found = mask_personal_data(answer.text, self._kinds)
        return replace(
            answer,
            text=self.text(answer.text),
            sentences=tuple(map(self._sentence, answer.sentences)),
            citations=tuple(map(self._citation, answer.citations)),
            withheld=tuple(map(self._sentence, answer.withheld)),
            looked_for=tuple(map(self.text, answer.looked_for)),
            guarded=_with_masked(answer.guarded, found),
        )

    def _values(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, list | tuple):
            return [self._values(inner) for inner in value]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
            # A phone's number that a table holds as a number.
            plain = str(int(value))
            return value if (shown := self.text(plain)) == plain else shown
        return value

    def _mapping(self, given: Mapping[Any, Any]) -> dict[Any, Any]:
        """Names are masked like values: columns and groups of a table are called what its cells say. Two that
        are alike then are numbered, so that nothing of either is lost."""
        masked: dict[Any, Any] = {}
        for name, value in given.items():
            shown = plain = self.text(name) if isinstance(name, str) else name
            count = 1
            while shown in masked or (shown != name and shown in given):
                count += 1
                shown = f"{plain} ({count})"
            masked[shown] = value if _is_id(name, value) else self._values(value)
        return masked

    def _sentence(self, sentence: Sentence) -> Sentence:
        return replace(sentence, text=self.text(sentence.text), verdict=self._verdict(sentence.verdict))

    def _verdict(self, verdict: Verdict) -> Verdict:
        return replace(verdict, reason=self.text(verdict.reason))

    def _citation(self, citation: Citation) -> Citation:
        quote, title, uri = map(self.text, (citation.quote, citation.title, citation.uri))
        return replace(citation, quote=quote, title=title, uri=uri)

    def _hit(self, hit: Hit) -> Hit:
        chunk = hit.chunk
        headings = tuple(map(self.text, chunk.headings))
        text, title, uri = map(self.text, (chunk.text, chunk.title, chunk.uri))
        return replace(hit, chunk=replace(chunk, text=text, title=title, uri=uri, headings=headings))


def _is_id(name: str, value: Any) -> bool:
    return name in NAMES_OF_PARTS and isinstance(value, str) and bool(_ID.fullmatch(value))


def _with_masked(guarded: Mapping[str, int], found: Counter[str]) -> dict[str, int]:
    return {**guarded, "masked_personal_data": found.total()} if found else dict(guarded)
