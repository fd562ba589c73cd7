"""Whether what was cited once still stands where a reader may read it.

A document's id is made of its bytes and its readers, so a version that has changed in either
is another document. Knows the store; knows nothing of why it is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.conditions import OfDocuments
from core.errors import NotFoundError
from core.seams import VectorStore
from core.types import Chunk, Citation, Scope

MAX_CHUNKS = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """`citations` as they stand now; `lost` says of those that do not what has become of them."""

    citations: tuple[Citation, ...]
    lost: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether nothing was lost."""
        return not self.lost


def find_standing(store: VectorStore, scope: Scope, citations: Sequence[Citation]) -> Standing:
    """Each citation's quote compared with the text of its chunk, letter by letter, as the
    readers of the scope see it. In a document that was cut anew the quote is looked for.

    Raises:
        StoreError: the store does not answer.
    """
    try:
        each = find_each(store, scope, citations)
    except NotFoundError:
        return Standing((), ("the collection is gone",))
    lost = [
        f"{citation.uri} has changed, is gone or has other readers"
        for citation, found in zip(citations, each, strict=True)
        if found is None
    ]
    return Standing(tuple(filter(None, each)), tuple(dict.fromkeys(lost)))


def find_each(store: VectorStore, scope: Scope, citations: Sequence[Citation]) -> list[Citation | None]:
    """Each citation as it stands now, None where it does not any more; see `find_standing`.

    Raises:
        NotFoundError: the collection is gone.
        StoreError: the store does not answer.
    """
    if not citations:
        return []
    chunks = store.get_chunks(scope, list(dict.fromkeys(c.chunk_id for c in citations)))
    by_id = {chunk.id: chunk for chunk in chunks}
    return [
        _at_its_place(citation, by_id.get(citation.chunk_id)) or _elsewhere(store, scope, citation)
        for citation in citations
    ]


def _at_its_place(citation: Citation, chunk: Chunk | None) -> Citation | None:
    if chunk is None or chunk.document_id != citation.document_id:
        return None
    if chunk.text[citation.start : citation.end] != citation.quote:
        return None
    return _moved(citation, chunk, citation.start)


def _elsewhere(store: VectorStore, scope: Scope, citation: Citation) -> Citation | None:
    for chunk in store.find_chunks(scope, [OfDocuments((citation.document_id,))], MAX_CHUNKS):
        if (start := chunk.text.find(citation.quote)) >= 0:
            return _moved(citation, chunk, start)
    return None


def _moved(citation: Citation, chunk: Chunk, start: int) -> Citation:
    end = start + len(citation.quote)
    page, boxes = chunk.place_of(start, end)
    return replace(
        citation,
        chunk_id=chunk.id,
        title=chunk.title,
        uri=chunk.uri,
        start=start,
        end=end,
        page=page,
        boxes=boxes,
        figure=chunk.figure,
    )
