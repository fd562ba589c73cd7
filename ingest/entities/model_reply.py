"""What a chat model says of the entities of a text, and what of it holds.

A name counts where it stands in the text letter by letter, a relation where a sentence of the text holds both
its names. Everything else that a model says is dropped: it may choose, and not make up. Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from core.entities import ChunkGraph, EntityKind, FoundRelation, Mention
from core.text import CJK, Span, split_sentences
from ingest.entities.relations import KINDS, MAX_WORDS_CHARS, relate
from ingest.entities.rules import MAX_NAME_CHARS, find_mentions, find_values, longest_apart
from retrieval.graph.keys import entity_key

MAX_ENTITIES = 16
MAX_RELATIONS = 12
"""So that a whole reply fits into what is asked for: one that is cut off is no JSON."""
_WORD = rf"[^\W{CJK}]"
# Small models list these too. A name has a capital, a digit or a Chinese character.
_POINTS = "it|its|he|she|they|them|we|you|i|this|that|these|those|the"
# Behind a small letter all is pointed at ("the TM"); behind a capital, words in small letters alone ("This
# company"), for names begin so too: The Hague.
_NO_NAME = re.compile(
    rf"(?:{_POINTS})\b[\w\s]{{0,12}}|(?i:{_POINTS})(?:\s+[a-z]\w*){{0,2}}"
    r"|[他她它我你您]们?"
    r"|[该本这那其贵](?:公司|集团|企业|机构|单位|部门|产品|设备|项目|校|院|厂|司|人|个|些|种|款|台)?"
    r"|公司|企业|机构|双方|两者"
)
_NAMING = re.compile(rf"[A-Z0-9À-ÖØ-Þ{CJK}]|[^\x00-\x7f]")


def schema_of(sentences: int) -> dict:
    """The JSON schema of a reply about a text of so many sentences, which are numbered from 1."""
    name = {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARS}
    entity = {"name": name, "kind": {"enum": [kind.value for kind in EntityKind]}}
    relation = {
        "source": name,
        "kind": {"enum": list(KINDS)},
        "target": name,
        "sentence": {"type": "integer", "minimum": 1, "maximum": max(1, sentences)},
    }
    lists = {"entities": _list(entity, MAX_ENTITIES), "relations": _list(relation, MAX_RELATIONS)}
    return _object(lists)


def _list(fields: Mapping[str, dict], most: int) -> dict:
    return {"type": "array", "maxItems": most, "items": _object(fields)}


def _object(fields: Mapping[str, dict]) -> dict:
    return {
        "type": "object",
        "properties": dict(fields),
        "required": list(fields),
        "additionalProperties": False,
    }


def graph_of(text: str, reply: Mapping) -> ChunkGraph:
    """What of a reply the text bears out. Short forms, dates and quantities are found by rules, and so is
    how two names of a sentence belong together where the model says nothing of them."""
    sentences = split_sentences(text)
    mentions = _mentions(text, sentences, _named(text, reply))
    told = list(_told(text, reply, sentences, mentions))
    known = {(found.start, *sorted((found.source, found.target))) for found in told}
    by_rule = [found for sentence in sentences for found in relate(text, sentence, mentions)]
    others = [f for f in by_rule if (f.start, *sorted((f.source, f.target))) not in known]
    return ChunkGraph(tuple(mentions), (*told, *others), find_values(text, sentences, mentions))


def _named(text: str, reply: Mapping) -> dict[str, EntityKind]:
    """The names that stand in the text, with their kinds."""
    found: dict[str, EntityKind] = {}
    for entry in _entries(reply, "entities", MAX_ENTITIES):
        name = str(entry.get("name", "")).strip()
        is_name = 2 <= len(name) <= MAX_NAME_CHARS and "\n" not in name and _NAMING.search(name)
        if is_name and name in text and entity_key(name) and not _NO_NAME.fullmatch(name):
            kinds = [kind for kind in EntityKind if kind.value == entry.get("kind")]
            found.setdefault(name, kinds[0] if kinds else EntityKind.NAME)
    return found


def _mentions(text: str, sentences: Sequence[Span], named: Mapping[str, EntityKind]) -> list[Mention]:
    """Each place in a sentence where a name stands as words of its own; with the short form that rules find
    behind it."""
    short = {mention.name: mention.alias for mention in find_mentions(text) if mention.alias}
    return longest_apart(
        Mention(name, kind, match.start(), match.end(), short.get(name, ""))
        for name, kind in named.items()
        for match in re.finditer(_as_words(name), text)
        if any(s.start <= match.start() and match.end() <= s.end for s in sentences)
    )


def _as_words(name: str) -> str:
    before = rf"(?<!{_WORD})" if re.match(_WORD, name) else ""
    behind = rf"(?!{_WORD})" if re.search(rf"{_WORD}$", name) else ""
    return f"{before}{re.escape(name)}{behind}"


def _told(
    text: str, reply: Mapping, sentences: Sequence[Span], mentions: Sequence[Mention]
) -> Iterator[FoundRelation]:
    """The relations whose sentence holds both names."""
    for entry in _entries(reply, "relations", MAX_RELATIONS):
        source, target, kind, number = (entry.get(part) for part in ("source", "target", "kind", "sentence"))
        is_place = isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= len(sentences)
        if not is_place or kind not in KINDS:
            continue
        sentence = sentences[number - 1]
        inside = {m.name: m for m in mentions if sentence.start <= m.start and m.end <= sentence.end}
        ends = [inside.get(str(name).strip()) for name in (source, target)]
        if None in ends or entity_key(ends[0].name) == entity_key(ends[1].name):
            continue
        first, last = sorted(ends, key=lambda mention: mention.start)
        words = " ".join(text[first.end : last.start].split())[:MAX_WORDS_CHARS]
        yield FoundRelation(ends[0].name, ends[1].name, kind, words, sentence.start, sentence.end)


def _entries(reply: Mapping, part: str, most: int) -> list[Mapping]:
    """A server may not hold to the schema."""
    entries = reply.get(part)
    return [e for e in entries[:most] if isinstance(e, Mapping)] if isinstance(entries, list) else []
