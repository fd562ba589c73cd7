"""Elements to chunks: along headings, whole sentences, within a token limit.

A chunk's text holds the document's own words only; the heading path stands beside it in
`headings`. A heading that nothing stands under is put in front of what follows.
Pure; tokens are counted by the function that is passed in.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from core.types import Box, Chunk, Document, Element, ElementKind, chunk_id
from ingest.pieces import Piece, cut_element

VERSION = 2
"""Raise when the same elements would be cut otherwise."""
_HEADING_SHARE = 4


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """In tokens. `overlap` is the most that neighbouring chunks of a section share."""

    longest: int
    overlap: int


@dataclass(slots=True)
class _Section:
    """What stands under one heading path."""

    headings: tuple[str, ...]
    elements: list[Element] = field(default_factory=list)


def chunk_elements(
    document: Document, elements: Sequence[Element], limits: ChunkLimits, count_tokens: Callable[[str], int]
) -> list[Chunk]:
    """All chunks of a document, in order, none longer than the limit.

    Every character of the elements but white space is in the text or the headings of a
    chunk. Each piece is counted once: the work grows with the text.
    """
    chunks: list[Chunk] = []
    for section in _sections(elements, limits.longest // _HEADING_SHARE, count_tokens):
        for part in _with_figures_apart(section):
            pieces = _cut_section(part, limits.longest, count_tokens)
            for group in _pack(pieces, limits):
                chunks.append(_make_chunk(document, len(chunks), section.headings, group))
    return chunks


def _with_figures_apart(section: _Section) -> list[_Section]:
    """The text of a section, then each of its pictures by itself: a chunk shows one picture at
    most, and the text around it is cut as if it were not there."""
    text = [e for e in section.elements if e.figure is None]
    parts = [[e] for e in section.elements if e.figure is not None]
    return [_Section(section.headings, part) for part in ([text] if text else []) + parts]


def _cut_section(section: _Section, longest: int, count_tokens: Callable[[str], int]) -> list[Piece]:
    """All pieces of a section. A short text that opens it, such as a caption, stays with
    the table below it."""
    pieces: list[Piece] = []
    total = 0
    for element in section.elements:
        lead = total if total <= longest // _HEADING_SHARE else 0
        cut = cut_element(element, longest, count_tokens, lead)
        total += sum(piece.tokens for piece in cut)
        pieces.extend(cut)
    return pieces


def _sections(
    elements: Sequence[Element], longest_heading: int, count_tokens: Callable[[str], int]
) -> list[_Section]:
    """Cuts at headings. A heading too long to be one is text."""
    sections = [_Section(())]
    path: list[tuple[int, Element]] = []
    bare: list[Element] = []
    told: set[int] = set()
    for element in elements:
        if not element.text.strip():
            continue
        is_title = element.kind is ElementKind.TITLE and count_tokens(element.text) <= longest_heading
        if not is_title:
            told.update(id(e) for _, e in path)
            sections[-1].elements.extend([*bare, element])
            bare = []
            continue
        level = element.level or 1
        if path and level <= path[-1][0] and not sections[-1].elements:
            # Nothing stood under these, and the next heading is not below them.
            bare.extend(e for at, e in path if at >= level and id(e) not in told)
        path = [*((at, e) for at, e in path if at < level), (level, element)]
        sections.append(_Section(tuple(e.text.strip() for _, e in path)))
    if path and not sections[-1].elements:
        sections[-1].elements.extend([*bare, path[-1][1]])
    return [section for section in sections if section.elements]


def _pack(pieces: Sequence[Piece], limits: ChunkLimits) -> list[list[Piece]]:
    """Fills groups up to the limit; a new group begins with the last sentences of the one
    before. An element that fits whole into a fresh group is not begun in a full one."""
    groups: list[list[Piece]] = []
    current: list[Piece] = []
    size = 0
    for at, piece in enumerate(pieces):
        needed = _element_tokens(pieces, at) if piece.first else piece.tokens
        needed = needed if needed <= limits.longest else piece.tokens
        if current and size + needed > limits.longest:
            groups.append(current)
            current = _overlap(current, limits.overlap, limits.longest - needed) if piece.is_sentence else []
            size = sum(p.tokens for p in current)
        current.append(piece)
        size += piece.tokens
    return [*groups, current] if current else groups


def _element_tokens(pieces: Sequence[Piece], at: int) -> int:
    total, end = pieces[at].tokens, at + 1
    while end < len(pieces) and not pieces[end].first:
        total += pieces[end].tokens
        end += 1
    return total


def _overlap(group: Sequence[Piece], most: int, room: int) -> list[Piece]:
    """The last whole sentences that fit, never the whole group."""
    taken: list[Piece] = []
    left = min(most, room)
    for piece in reversed(group[1:]):
        if not piece.is_sentence or piece.tokens > left:
            break
        taken.insert(0, piece)
        left -= piece.tokens
    return taken


def _make_chunk(document: Document, order: int, headings: tuple[str, ...], group: Sequence[Piece]) -> Chunk:
    elements = list({id(p.element): p.element for p in group}.values())
    return Chunk(
        id=chunk_id(document.id, order),
        document_id=document.id,
        order=order,
        text=_join(group),
        title=document.title,
        uri=document.uri,
        headings=headings,
        page=next((e.page for e in elements if e.page is not None), None),
        boxes=tuple(_boxes(group)),
        kind=_kind(group),
        figure=next((e.figure.name for e in elements if e.figure is not None), ""),
    )


def _boxes(group: Sequence[Piece]) -> Iterator[Box]:
    """Those of the elements, each with the characters of the text that its pieces are."""
    spans: dict[int, tuple[Element, int, int]] = {}
    end = -len(group[0].separator)
    for piece in group:
        start = end + len(piece.separator)
        end = start + len(piece.text)
        _, first, _ = spans.get(id(piece.element), (piece.element, start, end))
        spans[id(piece.element)] = (piece.element, first, end)
    for element, start, end in spans.values():
        if element.box is not None:
            yield replace(element.box, start=start, end=end)


def _join(group: Sequence[Piece]) -> str:
    return group[0].text + "".join(f"{piece.separator}{piece.text}" for piece in group[1:])


def _kind(group: Sequence[Piece]) -> ElementKind:
    """The kind of most of the text. A heading that stands alone is text; a table that is not
    whole is rows."""
    weights: dict[ElementKind, int] = {}
    for piece in group:
        weights[piece.element.kind] = weights.get(piece.element.kind, 0) + len(piece.text)
    kind = max(weights, key=weights.__getitem__)
    if kind is ElementKind.TABLE and any(piece.is_part for piece in group):
        return ElementKind.ROWS
    return ElementKind.TEXT if kind is ElementKind.TITLE else kind
