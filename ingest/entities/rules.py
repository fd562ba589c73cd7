"""The entities and relations of a chunk, by rules alone: no model, some thousand chunks a minute.

Knows the order of the rules; the rules themselves stand beside it. Implements `GraphExtractor`.
"""

import re
from collections import defaultdict

from core.entities import ChunkGraph, Mention
from core.text import CJK, Span, split_sentences
from core.types import Chunk
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
        mentions = _mentions(chunk.text)
        relations, values = [], defaultdict(list)
        for sentence in split_sentences(chunk.text):
            relations += relate(chunk.text, sentence, mentions)
            for name, told in _values(chunk.text, sentence, mentions):
                values[name] += told
        kept = {name: tuple(dict.fromkeys(told))[:MAX_VALUES] for name, told in values.items()}
        return ChunkGraph(tuple(mentions), tuple(relations), kept)


def _mentions(text: str) -> list[Mention]:
    found = find_latin_names(text)
    if _CHINESE.search(text):
        # A name of both scripts, such as 《Excel 手册》, is one: the longer stays.
        found = [*find_chinese_names(text), *found]
    taken: list[Mention] = []
    for mention in sorted(found, key=lambda m: (m.start - m.end, m.start)):
        if len(mention.name) <= MAX_NAME_CHARS and all(
            mention.end <= other.start or mention.start >= other.end for other in taken
        ):
            taken.append(mention)
    ordered = sorted(taken, key=lambda mention: mention.start)
    short = {(m.alias, at) for m in ordered if m.alias for at in range(m.end, m.end + _SHORT_WITHIN)}
    return [mention for mention in ordered if (mention.name, mention.start) not in short]


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
