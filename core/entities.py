"""What texts speak of: the nouns of entities and relations, frozen.

Knows nothing of how they are found or kept.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class EntityKind(StrEnum):
    """What an entity is, as far as the words beside its name say so; `name` when they do not."""

    PERSON = "person"
    ORGANISATION = "organisation"
    PLACE = "place"
    PRODUCT = "product"
    WORK = "work"
    NAME = "name"


WITH = "with"
"""The kind of a relation of which no more is known than that one sentence names both."""


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity as a text names it: `text[start:end]` is `name`. `alias` is a short form that the
    text gives in brackets behind it, or the full form of which `name` is the short one."""

    name: str
    kind: EntityKind
    start: int
    end: int
    alias: str = ""


@dataclass(frozen=True, slots=True)
class FoundRelation:
    """Two names that the sentence `text[start:end]` brings together, and how: by its `kind`
    (`supplies`, `belongs to`; WITH when no rule tells) and by the `words` between them. A kind
    that has a direction leads from `source` to `target`."""

    source: str
    target: str
    kind: str
    words: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ChunkGraph:
    """What one chunk says. `values` are dates and quantities by the name that they are told of."""

    mentions: tuple[Mention, ...] = ()
    relations: tuple[FoundRelation, ...] = ()
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
