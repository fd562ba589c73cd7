"""What a search can be narrowed to: typed conditions, and how they combine.

Plain values; retrieval/filters.py turns them into the store's language. There is no
condition on readers that a caller could build: who may read is the `Scope`'s business.
"""

from dataclasses import dataclass

from core.errors import InputError
from core.types import ElementKind

LANGUAGES = ("zh", "en")
MAX_VALUES = 1000
"""Most values in one list, and most conditions in one combination."""
MAX_NUMBER = 2**31 - 1
MAX_VALUE_CHARS = 4096


@dataclass(frozen=True, slots=True)
class OfDocuments:
    """Chunks of these document versions."""

    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_texts("document", self.ids)


@dataclass(frozen=True, slots=True)
class WithIds:
    """Chunks by their own ids."""

    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_texts("chunk id", self.ids, MAX_NUMBER)


@dataclass(frozen=True, slots=True)
class UnderUri:
    """Chunks of documents whose uri begins with `prefix`, letter by letter."""

    prefix: str

    def __post_init__(self) -> None:
        _check_texts("uri_prefix", (self.prefix,))


@dataclass(frozen=True, slots=True)
class OfKinds:
    """Chunks of these kinds: tables, code, text…"""

    kinds: tuple[ElementKind, ...]

    def __post_init__(self) -> None:
        _check_count("kind", self.kinds, MAX_VALUES)


@dataclass(frozen=True, slots=True)
class InLanguage:
    """Chunks written mostly in one language, `zh` or `en`."""

    language: str

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise InputError(
                f"{self.language[:40]!r} is no language of the index",
                remedy=f"choose: {', '.join(LANGUAGES)}",
            )


@dataclass(frozen=True, slots=True)
class OnPages:
    """Chunks that begin on the pages `first` to `last`, counted from 1."""

    first: int
    last: int

    def __post_init__(self) -> None:
        _check_range("page", self.first, self.last, 1)


@dataclass(frozen=True, slots=True)
class WithinOrder:
    """The chunks of one document whose order is `first` to `last`: a chunk's neighbours."""

    document_id: str
    first: int
    last: int

    def __post_init__(self) -> None:
        _check_texts("document", (self.document_id,))
        _check_range("order", self.first, self.last, 0)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of them holds."""

    conditions: tuple["Condition", ...]

    def __post_init__(self) -> None:
        _check_count("condition", self.conditions, MAX_VALUES)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of them holds."""

    conditions: tuple["Condition", ...]

    def __post_init__(self) -> None:
        _check_count("condition", self.conditions, MAX_VALUES)


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    condition: "Condition"


Condition = (
    OfDocuments | WithIds | UnderUri | OfKinds | InLanguage | OnPages | WithinOrder | AllOf | AnyOf | Not
)


def _check_texts(what: str, values: tuple[str, ...], most: int = MAX_VALUES) -> None:
    _check_count(what, values, most)
    for value in values:
        if not value or len(value) > MAX_VALUE_CHARS:
            raise InputError(f"a {what} has 1 to {MAX_VALUE_CHARS} characters, not {len(value)}")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise InputError(f"the {what} {value[:40]!r} is not valid Unicode", remedy="write it again")


def _check_count(what: str, values: tuple, most: int) -> None:
    if not 1 <= len(values) <= most:
        raise InputError(f"a filter takes 1 to {most} values of {what}, not {len(values)}")


def _check_range(what: str, first: int, last: int, least: int) -> None:
    if not least <= first <= last <= MAX_NUMBER:
        raise InputError(
            f"the {what} range {first} to {last} holds nothing", remedy=f"write {least} ≤ first ≤ last"
        )
