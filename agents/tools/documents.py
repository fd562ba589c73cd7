"""The tools `search` and `read_document`: passages and whole documents, as their readers may see them.

Know the read path of retrieval, which has the reader's rights in every query; know nothing of files.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from pydantic import Field

from agents.guards.outgoing import plain_pictures
from agents.tools.tool import EVERY_ROLE, ToolArguments, ToolCall, ToolResult
from core.conditions import Condition, OfDocuments, UnderUri
from core.errors import InputError, NotFoundError
from core.seams import VectorStore
from core.text import normalise
from core.types import Chunk, Citation, Scope
from retrieval.retriever import Retriever

MAX_CHUNKS = 16_000
"""Of one document; no store gives more at once."""
SHORTEST_OVERLAP = 8
"""Neighbouring chunks that share fewer characters only happen to."""
MAX_OVERLAP = 2_000
MAX_NAMED = 12


class SearchArguments(ToolArguments):
    """What to search for."""

    query: str = Field(min_length=1, max_length=2000, description="words or a question")
    limit: int = Field(5, ge=1, le=20, description="most passages wanted")


class SearchTool:
    """Passages of the collection that bear on a query, best first."""

    name = "search"
    descriptions: Mapping[str, str] = {
        "zh": "在文档中查找与问题有关的段落。",
        "en": "Finds passages of the documents that bear on a question.",
    }
    arguments = SearchArguments
    effects = False
    reads_documents = True
    roles = EVERY_ROLE
    timeout_s = 0.0

    def __init__(self, retriever: Callable[[], Retriever]) -> None:
        self._retriever = retriever

    async def run(self, arguments: SearchArguments, call: ToolCall) -> ToolResult:
        """See `Tool.run`. Each passage is cited whole."""
        # Built in the thread too, at the first search: it loads models.
        found = await asyncio.to_thread(
            lambda: self._retriever().search(arguments.query, call.scope, arguments.limit)
        )
        chunks = [hit.chunk for hit in found.hits]
        citations = _cite(chunks)
        lines = [
            f"[{c.marker}] {chunk.context}\n{plain_pictures(chunk.text)}"
            for c, chunk in zip(citations, chunks, strict=True)
        ]
        hits = [
            {"chunk_id": hit.chunk.id, "document_id": hit.chunk.document_id, "title": hit.chunk.title,
             "uri": hit.chunk.uri, "page": hit.chunk.page, "score": round(float(hit.score), 6)}
            for hit in found.hits
        ]  # fmt: skip
        return ToolResult("\n\n".join(lines), {"hits": hits}, citations)


class ReadArguments(ToolArguments):
    """Which document, and what of it; all of it where nothing more is said."""

    document: str = Field(
        min_length=1, max_length=4096, description="id or uri, as search and `attest documents list` give it"
    )
    page: int | None = Field(None, ge=1, le=1_000_000, description="only this page, counted from 1")
    section: str = Field("", max_length=500, description="only the parts under this heading")
    start: int = Field(0, ge=0, description="characters to skip: where the last part ended")
    max_chars: int = Field(20_000, ge=200, le=200_000, description="longest text wanted")


class ReadDocumentTool:
    """The text of a document, of one of its sections or of one of its pages."""

    name = "read_document"
    descriptions: Mapping[str, str] = {
        "zh": "读出一份文档的全文、某一节或某一页。",
        "en": "Reads a whole document, one of its sections or one of its pages.",
    }
    arguments = ReadArguments
    effects = False
    reads_documents = True
    roles = EVERY_ROLE
    timeout_s = 0.0

    def __init__(self, store: Callable[[], VectorStore]) -> None:
        self._store = store

    async def run(self, arguments: ReadArguments, call: ToolCall) -> ToolResult:
        """See `Tool.run`. Raises NotFoundError for a document that the reader may not see, as for one
        that is not there; and for a page or section that it has not."""
        chunks = await asyncio.to_thread(find_document, self._store(), arguments.document, call.scope)
        wanted = _narrowed(chunks, arguments)
        text, places = join_chunks(wanted)
        if arguments.start and arguments.start >= len(text):
            raise InputError(f"the text has {len(text)} characters", remedy="begin further in front")
        end = min(len(text), arguments.start + arguments.max_chars)
        shown = [
            c
            for c, (first, last) in zip(wanted, places, strict=True)
            if first < end and last > arguments.start
        ]
        first = wanted[0]
        data = {
            "document_id": first.document_id, "uri": first.uri, "title": first.title,
            "start": arguments.start, "end": end, "chars": len(text), "is_whole": end == len(text),
            "sections": _sections(chunks),
            "pages": max((page for chunk in chunks for page in _pages(chunk)), default=None),
        }  # fmt: skip
        return ToolResult(plain_pictures(text[arguments.start : end]), data, _cite(shown))


def find_document(store: VectorStore, reference: str, scope: Scope) -> list[Chunk]:
    """The chunks of a document by its id or uri, in their order; of several of one uri those of one.

    Raises:
        NotFoundError: there is none, or the reader may not see it.
    """
    wheres: list[Condition] = [OfDocuments((reference,)), UnderUri(reference)]
    for where in wheres:
        found = store.find_chunks(scope, [where], MAX_CHUNKS)
        exact = [chunk for chunk in found if reference in (chunk.document_id, chunk.uri)]
        if exact:
            one = [chunk for chunk in exact if chunk.document_id == exact[0].document_id]
            return sorted(one, key=lambda chunk: chunk.order)
    raise NotFoundError(
        f"there is no document {reference[:200]!r} in the collection {scope.collection!r}",
        remedy="search, or see: attest documents list",
    )


def join_chunks(chunks: Sequence[Chunk]) -> tuple[str, list[tuple[int, int]]]:
    """The text of chunks in their order, what neighbours share once, and where each one stands in it."""
    text, places = "", []
    before: Chunk | None = None
    for chunk in chunks:
        shared = _overlap(before.text, chunk.text) if before and chunk.order == before.order + 1 else 0
        if text and not shared:
            text += "\n\n"
        start = len(text) - shared
        text += chunk.text[shared:]
        places.append((start, len(text)))
        before = chunk
    return text, places


def _overlap(one: str, other: str) -> int:
    """How many characters the end of one text and the beginning of another have in common."""
    for size in range(min(len(one), len(other), MAX_OVERLAP), SHORTEST_OVERLAP - 1, -1):
        if one.endswith(other[:size]):
            return size
    return 0


def _narrowed(chunks: list[Chunk], arguments: ReadArguments) -> list[Chunk]:
    wanted = chunks
    if arguments.page is not None:
        wanted = [chunk for chunk in wanted if arguments.page in _pages(chunk)]
        if not wanted:
            raise NotFoundError(
                f"there is no text on page {arguments.page}", remedy="leave the page out, or name another"
            )
    if arguments.section:
        asked = normalise(arguments.section)
        exact = [chunk for chunk in wanted if any(normalise(h) == asked for h in chunk.headings)]
        wanted = exact or [chunk for chunk in wanted if any(asked in normalise(h) for h in chunk.headings)]
        if not wanted:
            known = ", ".join(_sections(chunks)[:MAX_NAMED]) or "none"
            raise NotFoundError(
                f"there is no section {arguments.section[:80]!r}", remedy=f"its sections: {known}"
            )
    return wanted


def _pages(chunk: Chunk) -> set[int]:
    return {box.page for box in chunk.boxes} | ({chunk.page} if chunk.page is not None else set())


def _sections(chunks: Sequence[Chunk]) -> list[str]:
    return list(dict.fromkeys(heading for chunk in chunks for heading in chunk.headings if heading))


def _cite(chunks: Sequence[Chunk]) -> tuple[Citation, ...]:
    return tuple(
        Citation(
            marker=at, chunk_id=c.id, document_id=c.document_id, title=c.title, uri=c.uri, quote=c.text,
            start=0, end=len(c.text), page=c.page, boxes=c.boxes, figure=c.figure,
        )
        for at, c in enumerate(chunks, start=1)
    )  # fmt: skip
