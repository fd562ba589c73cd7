"""Small documents of made facts, with claims and questions about them: who has which value.

What organisations write is full of values that stand close to each other: limits by city, warranties by
part, fees by service. A claim that gives one's value to the other is false though each word of it stands
in the evidence. Each document gives some things some values, as prose, lines or a table, in Chinese or
English; claims and questions are in either language. Nothing here is of any real document. Pure given
its random source.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Words(NamedTuple):
    """The same in both languages."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        """In this language."""
        return self.zh if language == "zh" else self.en


class Trait(NamedTuple):
    """What a thing has: its name, other names for it, and a unit behind the number."""

    name: Words
    also: Words
    unit: Words
    low: int
    high: int
    step: int


class Subject(NamedTuple):
    """Things of one kind and what is said of them. `kind` stands beside a name at times."""

    things: Sequence[Words]
    traits: Sequence[Trait]
    kind: Words


def _words(text: str) -> Words:
    return Words(*text.split("="))


def _subject(row: dict, towns: Sequence[Words]) -> Subject:
    things = [_words(text) for text in row["things"]]
    if row["kind"] == SITE:
        things = [Words(f"{t.zh}{k.zh}", f"the {t.en} {k.en}") for t in towns for k in things]
    traits = [Trait(*map(_words, trait[:3]), *trait[3:]) for trait in row["traits"]]
    return Subject(things, traits, _words(row["kind"]))


@cache
def _data() -> dict:
    return json.loads(Path(__file__).with_name("made_facts.json").read_text(encoding="utf-8"))


@cache
def _subjects() -> dict[str, Subject]:
    rows = _data()["subjects"]
    towns = [_words(text) for text in rows["trips"]["things"]]
    return {name: _subject(row, towns) for name, row in rows.items()}


def _models() -> Sequence[Words]:
    return _subjects()["models"].things


def _main_unit() -> Words:
    return _subjects()["parts"].things[0]


def _nouns() -> list[Words]:
    return [_words(text) for text in _data()["nouns"]]


SITE = "站点=site"
"""The kind of things that are made of a town and what stands there."""
LEARNED = ("trips", "sites", "parts", "ranks", "projects", "models")
REPORTED = ("services", "records")
"""Subjects that are never learned from."""

_PLAIN, _LINES, _TABLE, _ROWS = "prose", "lines", "table", "rows"
GAP_SHARE = 0.25
"""Of the values of a document so many are not given."""
OTHERS_SHARE = 0.15
"""Of the documents so many say what holds for all others."""


class _Row(NamedTuple):
    """How things are named together, and which they are."""

    label: Words
    things: tuple[Words, ...]


_Key = tuple[_Row, Trait]


@dataclass(frozen=True, slots=True)
class Fact:
    """One value, and where it stands in the document's text."""

    thing: Words
    trait: Trait
    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """A text that states the facts, and no others of its subject."""

    language: str
    text: str
    subject: Subject
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class MadeClaim:
    """`wrong` is the stretch that is false; none where the claim is true."""

    text: str
    label: int
    wrong: tuple[int, int] | None
    kind: str


def make_documents(count: int, seed: int, subjects: Sequence[str] = LEARNED) -> Iterator[Document]:
    """So many documents of these subjects, in both languages and all layouts."""
    rng = random.Random(seed)
    for _ in range(count):
        yield _document(_subjects()[rng.choice(subjects)], rng)


def claims_on(document: Document, rng: random.Random) -> Iterator[MadeClaim]:
    """A true claim, and false ones: another's value, another trait's, a thing or a trait that has none."""
    fact = rng.choice(document.facts)
    language = _language_beside(document, rng)
    yield _claim(fact.thing, fact.trait, fact.number, language, rng, "")
    others = [f for f in document.facts if f.number != fact.number]
    same_trait = [f for f in others if f.trait == fact.trait]
    same_thing = [f for f in others if f.thing == fact.thing]
    for kind, pool in (("other thing", same_trait), ("other trait", same_thing)):
        if pool:
            yield _claim(fact.thing, fact.trait, rng.choice(pool).number, language, rng, kind)
    held = {(f.thing, f.trait) for f in document.facts}
    strangers = _strangers(document)
    gaps = [t for t in document.subject.traits if (fact.thing, t) not in held]
    if strangers and rng.random() < 0.6:
        yield _claim(rng.choice(strangers), fact.trait, fact.number, language, rng, "stranger")
    if gaps and rng.random() < 0.6:
        yield _claim(fact.thing, rng.choice(gaps), fact.number, language, rng, "gap")
    if rng.random() < 0.4:
        yield _claim(fact.thing, fact.trait, _number(fact.trait, rng, fact.number), language, rng, "number")


def questions_on(document: Document, rng: random.Random) -> Iterator[tuple[str, tuple[int, int] | None]]:
    """Questions with where the answer stands, and such as the document does not answer."""
    fact = rng.choice(document.facts)
    language = _language_beside(document, rng)
    yield _question(fact.thing, fact.trait, language, rng), (fact.start, fact.end)
    held = {(f.thing, f.trait) for f in document.facts}
    strangers = _strangers(document)
    gaps = [(f.thing, t) for f in document.facts for t in document.subject.traits if (f.thing, t) not in held]
    if strangers:
        yield _question(rng.choice(strangers), fact.trait, language, rng), None
    if gaps:
        yield _question(*rng.choice(gaps), language, rng), None
    for main in document.facts:
        if main.thing == _main_unit():  # who names no part asks about the device
            model = document.text.split(" ")[0]
            yield _question(Words(model, model), main.trait, language, rng), (main.start, main.end)
            break


def _strangers(document: Document) -> list[Words]:
    """Things that the document says nothing of; none where it speaks of all others."""
    told = {fact.thing for fact in document.facts}
    others = told - set(document.subject.things)
    return [] if others else [thing for thing in document.subject.things if thing not in told]


def _document(subject: Subject, rng: random.Random) -> Document:
    language, layout = rng.choice(("zh", "en")), rng.choice((_PLAIN, _PLAIN, _LINES, _TABLE, _TABLE, _ROWS))
    things = rng.sample(subject.things, rng.randint(2, 5))
    rows = _joined(things, subject.kind, rng)
    traits = rng.sample(subject.traits, rng.randint(1, min(3, len(subject.traits))))
    values = {(row, trait): _number(trait, rng) for row in rows for trait in traits}
    for key in [key for key in values if rng.random() < GAP_SHARE][: max(0, len(values) - 2)]:
        del values[key]
    rows = [row for row in rows if any(key[0] == row for key in values)]
    pieces = _PIECES[layout](rows, traits, values, language, rng, subject.kind)
    lead = rng.choice(_data()["leads"][language])
    if _main_unit() in things:
        lead = f"{rng.choice(_models()).of(language)} {rng.choice(_nouns()).of(language)}"
    text = f"{lead}\n" if lead else ""
    facts = []
    for piece, key in pieces:
        if key is not None:
            row, trait = key
            facts += [
                Fact(thing, trait, values[key], len(text), len(text) + len(piece)) for thing in row.things
            ]
        text += piece
    return Document(language, text.strip("\n"), subject, tuple(facts))


def _joined(things: Sequence[Words], kind: Words, rng: random.Random) -> list[_Row]:
    """Each thing by itself, or two that share their values; at times one row for all others."""
    rows = [_Row(thing, (thing,)) for thing in things]
    if len(things) > 2 and rng.random() < 0.3:
        one, other = things[:2]
        rows = [_Row(Words(f"{one.zh}、{other.zh}", f"{one.en}, {other.en}"), (one, other)), *rows[2:]]
    if rng.random() < OTHERS_SHARE:
        others = Words(f"其他{kind.zh}", f"other {kind.en}s")
        rows.append(_Row(others, (others,)))
    return rows


def _told(rows, traits, values, language, rng, kind):
    """Sentences, one for each value, in order of things or of traits."""
    keys = list(values)
    if rng.random() < 0.4:
        keys.sort(key=lambda key: traits.index(key[1]))
    template = None if rng.random() < 0.6 else rng.choice(_data()["said"][language])
    for key in keys:
        said = (template or rng.choice(_data()["said"][language])).format(
            thing=key[0].label.of(language), trait=key[1].name.of(language), value="\0"
        )
        before, after = said.split("\0")
        yield before[:1].upper() + before[1:], None
        yield _value(key[1], values[key], language), key
        yield after + ("" if language == "zh" else " "), None


def _lined(rows, traits, values, language, rng, kind):
    """A line for each thing."""
    colon, between = ("：", "，") if language == "zh" else (": ", ", ")
    for row in rows:
        yield f"- {row.label.of(language)}{colon}", None
        own = [trait for trait in traits if (row, trait) in values]
        for at, trait in enumerate(own):
            yield f"{between if at else ''}{trait.name.of(language)} ", None
            yield _value(trait, values[row, trait], language), (row, trait)
        yield "\n", None


def _grid(rows, traits, values, language, rng, kind) -> list[list[tuple[str, _Key | None]]]:
    """A head and rows of cells: things under each other, or beside each other."""
    grid = [[(kind.of(language), None), *((trait.name.of(language), None) for trait in traits)]]
    for row in rows:
        cells = [(row.label.of(language), None)]
        for key in ((row, trait) for trait in traits):
            cells.append((_value(key[1], values[key], language), key) if key in values else ("—", None))
        grid.append(cells)
    return [list(column) for column in zip(*grid, strict=True)] if rng.random() < 0.5 else grid


def _tabled(*made):
    """A table in Markdown; what is not given is a dash."""
    for at, cells in enumerate(_grid(*made)):
        for text, key in cells:
            yield "| ", None
            yield text, key
            yield " ", None
        yield f"|\n|{' --- |' * len(cells)}\n" if at == 0 else "|\n", None


def _rowed(rows, traits, values, language, rng, kind):
    """Rows as "head: cell; head: cell"."""
    colon, between, end = ("：", "；", "。\n") if language == "zh" else (": ", "; ", ".\n")
    heads, *table = _grid(rows, traits, values, language, rng, kind)
    for cells in table:
        for at, ((head, _), (text, key)) in enumerate(zip(heads, cells, strict=True)):
            yield f"{between if at else ''}{head}{colon}", None
            yield text, key
        yield end, None


_PIECES = {_PLAIN: _told, _LINES: _lined, _TABLE: _tabled, _ROWS: _rowed}


def _claim(thing, trait, number, language, rng, kind) -> MadeClaim:
    value = _value(trait, number, language)
    said = {"thing": _called(thing, language, rng), "trait": _named(trait, language, rng), "value": value}
    text = rng.choice(_data()["claimed"][language]).format(**said)
    text = text[:1].upper() + text[1:]
    wrong = said[{"stranger": "thing", "gap": "trait"}.get(kind, "value")]
    start = text.casefold().find(wrong.casefold())
    return MadeClaim(text, int(not kind), (start, start + len(wrong)) if kind else None, kind)


def _question(thing: Words, trait: Trait, language: str, rng: random.Random) -> str:
    named = _named(trait, language, rng)
    said = rng.choice(_data()["asked"][language]).format(thing=_called(thing, language, rng), trait=named)
    return said[:1].upper() + said[1:]


def _called(thing: Words, language: str, rng: random.Random) -> str:
    """A model with what it is, at times."""
    name = thing.of(language)
    return (
        f"{name} {rng.choice(_nouns()).of(language)}" if thing in _models() and rng.random() < 0.4 else name
    )


def _named(trait: Trait, language: str, rng: random.Random) -> str:
    return (trait.name if rng.random() < 0.6 else trait.also).of(language)


def _language_beside(document: Document, rng: random.Random) -> str:
    """That of the document for the most part."""
    other = "en" if document.language == "zh" else "zh"
    return document.language if rng.random() < 0.6 else other


def _number(trait: Trait, rng: random.Random, other_than: int | None = None) -> int:
    number = rng.randrange(trait.low, trait.high + 1, trait.step)
    return number if number != other_than else number + trait.step


def _value(trait: Trait, number: int, language: str) -> str:
    unit = trait.unit.of(language)
    written = f"{number:,}" if language == "en" and number >= 1000 else str(number)
    return written + unit
