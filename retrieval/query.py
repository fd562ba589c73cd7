"""The question as it is searched for: read by rules, without a model.

Language, quoted phrases, titles, dates, quantities, file names and codes; and what quoted
phrases, titles and files do to the order of the hits. Pure; knows nothing of stores, of
vectors or of who asks.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

from core.errors import InputError
from core.text import CJK, detect_language, normalise
from core.types import Chunk, Hit
from core.units import quantities
from core.wording import codes
from retrieval.dates import DateRange, find_dates

MAX_QUERY_CHARS = 1000
"""Longer queries keep their beginning and their end, where the question stands when a text
was pasted before or behind it. The built-in embedder reads about as much."""
MAX_PHRASES = 8
MIN_PHRASE_CHARS = 2
EPSILON = 1e-6

_CUT_AT = re.compile(r"[。！？!?；;\n]|[.,，、\s](?=\s|\w)")
_CUT_WITHIN = 100
_PHRASE = re.compile(
    r"“([^“”]{1,300})”|「([^「」]{1,300})」|『([^『』]{1,300})』|(?<![\w\"])\"([^\"]{1,300})\"(?![\w\"])"
)
_TITLE = re.compile(r"《([^《》]{1,200})》")
_FILE = re.compile(
    rf"[\w{CJK}][\w{CJK}.()-]{{0,120}}?\.(?:pdf|docx?|pptx?|xlsx?|csv|tsv|md|markdown|txt|html?|xml|json|"
    r"jsonl|ya?ml|toml|log|rst|epub|odt|rtf|eml|msg|png|jpe?g|tiff?|gif|webp|py|sql|zip)(?![a-z0-9])",
    re.IGNORECASE,
)
# Chinese runs on into a name: in 请看report.pdf the name begins where the script changes.
_ALL_CJK = re.compile(f"[{CJK}]+")
_LEADING_CJK = re.compile(rf"^[{CJK}]+(?=[a-z0-9_])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """What a query says of itself. `text` is what is searched for; `cut` whether the query
    was longer. `phrases` and `files` are normalised; `codes` are folded identifiers with a
    digit in them (TM-20L is tm20l); `quantities` are (value, unit)."""

    text: str
    language: str
    phrases: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    dates: tuple[DateRange, ...] = ()
    quantities: tuple[tuple[float, str], ...] = ()
    cut: bool = False


def describe(question: Question) -> dict:
    """What was read, for people: only what is there, dates as `first to last`."""
    read = {
        "language": question.language,
        "phrases": list(question.phrases),
        "titles": list(question.titles),
        "files": list(question.files),
        "codes": list(question.codes),
        "dates": [f"{span.first} to {span.last}" for span in question.dates],
        "quantities": [f"{value:g} {unit}".strip() for value, unit in question.quantities],
    }
    return {name: value for name, value in read.items() if value}


def understand(query: str) -> Question:
    """Reads a query of any length.

    Raises:
        InputError: it holds no letter and no digit.
    """
    text, was_cut = clean_query(query)
    files = tuple(dict.fromkeys(normalise(_LEADING_CJK.sub("", name)) for name in _FILE.findall(text)))
    bare = _FILE.sub(" ", text)
    return Question(
        text=text,
        language=detect_language(text),
        phrases=_normal(part for groups in _PHRASE.findall(text) for part in groups),
        titles=_normal(_TITLE.findall(text)),
        files=files[:MAX_PHRASES],
        codes=tuple(sorted(code for code in codes(bare) if any(char.isdigit() for char in code))),
        dates=tuple(find_dates(bare)),
        quantities=tuple(sorted(quantities(bare))),
        cut=was_cut,
    )


def clean_query(query: str) -> tuple[str, bool]:
    """A query without control, format and lone surrogate characters, one blank for any white
    space, at most MAX_QUERY_CHARS long; and whether it was cut.

    Raises:
        InputError: nothing is left that could be searched for.
    """
    kept = (" " if char.isspace() else char for char in query if char.isspace() or _is_shown(char))
    text = " ".join("".join(kept).split())
    was_cut = len(text) > MAX_QUERY_CHARS
    if was_cut:
        half = MAX_QUERY_CHARS // 2
        text = " ".join(f"{_cut_end(text[: half - 1])} {_cut_start(text[-half:])}".split())
    # After the cut: a word in the middle of a long row of marks is not searched for.
    if not any(unicodedata.category(char)[0] in "LN" for char in text):
        raise InputError(
            "the query holds no letter and no digit", remedy="write what you look for in words"
        )
    return text, was_cut


def adjust(question: Question, hits: Sequence[Hit]) -> dict[str, float]:
    """What to add to each hit's score, by chunk id; all zero for a plain question.

    A hit that holds more of what was quoted, titled or named as a file stands before each
    one that holds less; hits that hold as much keep their order and their distances. The
    offsets are the least that do this. A chunk is of a file when its uri ends in the name.
    """
    offsets = {hit.chunk.id: 0.0 for hit in hits}
    if not (question.phrases or question.titles or question.files):
        return offsets
    levels: dict[int, list[Hit]] = {}
    for hit in hits:
        levels.setdefault(_held(question, hit.chunk), []).append(hit)
    highest: float | None = None
    for level in sorted(levels):
        scores = [hit.score for hit in levels[level]]
        lift = 0.0 if highest is None else max(0.0, highest - min(scores) + EPSILON)
        for hit in levels[level]:
            offsets[hit.chunk.id] = lift
        highest = max(scores) + lift if highest is None else max(highest, max(scores) + lift)
    return offsets


def _held(question: Question, chunk: Chunk) -> int:
    """How many of the quoted phrases, titles and files a chunk holds."""
    wanted = [*question.phrases, *question.titles]
    text = _squeeze(f"{chunk.context}\n{chunk.text}") if wanted else ""
    held = sum(_squeeze(phrase) in text for phrase in wanted)
    if question.files:
        name = normalise(PurePosixPath(unquote(chunk.uri)).name)
        held += any(_names(file, name) for file in question.files)
    return held


def _names(mentioned: str, name: str) -> bool:
    """Whether a mention means the file: the same name, but for Chinese words that run into it
    (和预算.xlsx)."""
    return mentioned == name or (
        mentioned.endswith(name) and _ALL_CJK.fullmatch(mentioned, 0, len(mentioned) - len(name)) is not None
    )


def _squeeze(text: str) -> str:
    """Normalised, without the blanks beside Chinese characters, which are typography."""
    return re.sub(rf"(?<=[{CJK}]) | (?=[{CJK}])", "", normalise(text))


def _normal(parts) -> tuple[str, ...]:
    found = dict.fromkeys(normalise(part) for part in parts if part)
    return tuple(p for p in found if len(p) >= MIN_PHRASE_CHARS and re.search(r"\w", p))[:MAX_PHRASES]


def _is_shown(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _cut_end(text: str) -> str:
    """Without the broken sentence or word at the end, when that is short."""
    ends = [match.end() for match in _CUT_AT.finditer(text, max(0, len(text) - _CUT_WITHIN))]
    return text[: ends[-1]].rstrip() if ends else text


def _cut_start(text: str) -> str:
    match = _CUT_AT.search(text, 0, _CUT_WITHIN)
    return text[match.end() :].lstrip() if match else text
