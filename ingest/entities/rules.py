"""The entities and relations of a chunk, by rules alone: no model, some thousand chunks a minute.

Knows the order of the rules; the rules themselves stand beside it. Implements `GraphExtractor`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from core.entities import ChunkGraph, Mention
from core.text import CJK, Span, split_sentences
from core.types import Chunk, Document
from core.units import quantities
from ingest.entities.chinese import find_chinese_names
from ingest.entities.latin import find_latin_names
from ingest.entities.relations import relate
from retrieval.dates import find_dates

MAX_NAME_CHARS = 80
MAX_VALUES = 6
_SHORT_WITHIN = 12
"""So close behind a name stands its short form in brackets, which is no name beside it."""
_CHINESE = re.compile(f"[{CJK}]")


class RuleExtractor:
    """Finds names in Chinese and English and what sentences say between them. Stateless."""

    fingerprint = "rules/1"

    def extract(self, chunk: Chunk) -> ChunkGraph:
        """See `GraphExtractor.extract`."""
        mentions = find_mentions(chunk.text)
        sentences = split_sentences(chunk.text)
        relations = [found for sentence in sentences for found in relate(chunk.text, sentence, mentions)]
        return ChunkGraph(tuple(mentions), tuple(relations), find_values(chunk.text, sentences, mentions))

    def prepare(self, document: Document, chunks: Sequence[Chunk]) -> None:
        """See `GraphExtractor.prepare`: rules need nothing."""
        return None


def find_mentions(text: str) -> list[Mention]:
    """The names in a text that rules find, in their order."""
    found = find_latin_names(text)
    if _CHINESE.search(text):
        # A name of both scripts, such as 《Excel 手册》, is one: the longer stays.
        found = [*find_chinese_names(text), *found]
    ordered = longest_apart(mention for mention in found if len(mention.name) <= MAX_NAME_CHARS)
    short = {(m.alias, at) for m in ordered if m.alias for at in range(m.end, m.end + _SHORT_WITHIN)}
    return [mention for mention in ordered if (mention.name, mention.start) not in short]


def longest_apart(found: Iterable[Mention]) -> list[Mention]:
    """Of names that overlap the longest, in the order of the text."""
    taken: list[Mention] = []
    for mention in sorted(found, key=lambda m: (m.start - m.end, m.start)):
        if all(mention.end <= other.start or mention.start >= other.end for other in taken):
            taken.append(mention)
    return sorted(taken, key=lambda mention: mention.start)


def find_values(
    text: str, sentences: Sequence[Span], mentions: list[Mention]
) -> dict[str, tuple[str, ...]]:
    """Dates and quantities by the name that they are told of."""
    values: dict[str, list[str]] = defaultdict(list)
    for sentence in sentences:
        for name, told in _values(text, sentence, mentions):
            values[name] += told
    return {name: tuple(dict.fromkeys(told))[:MAX_VALUES] for name, told in values.items()}


def _values(text: str, sentence: Span, mentions: list[Mention]) -> list[tuple[str, list[str]]]:
    """The dates and quantities of a sentence, told of the name that it begins with."""
    first = next((m for m in mentions if sentence.start <= m.start < sentence.end), None)
    words = sentence.of(text)
    if first is None or not any(char.isdigit() for char in words):
        return []
    dates = [
        span.first.isoformat() if span.first == span.last else f"{span.first} to {span.last}"
        for span in find_dates(words)
    ]
    measured = [f"{value:g} {unit}".strip() for value, unit in sorted(quantities(words)) if unit]
    return [(first.name, [*dates, *measured])] if dates or measured else []
