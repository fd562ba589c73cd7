"""The seams: what one room needs of another. Each has a contract test in tests/contracts/.

Vectors are float32 NumPy arrays, one row a text, of unit length.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from core.conditions import Condition
from core.entities import ChunkGraph
from core.messages import ChatDelta, ChatOptions, Message, ToolCall, ToolSpec
from core.types import (
    Chunk,
    Document,
    Element,
    Figure,
    Hit,
    Recollection,
    Remark,
    Scope,
    StoredTable,
    Usage,
    Verdict,
)

SparseVector = Mapping[int, float]


class Parser(Protocol):
    """Turns the bytes of one kind of file into elements in reading order."""

    media_types: frozenset[str]

    def parse(self, path: Path) -> list[Element]:
        """Raises FileError with a code when the file cannot be read. Never returns
        an empty list for a file that holds text."""
        ...


class Embedder(Protocol):
    """Texts to vectors. Queries and documents are encoded differently: never mix them up."""

    dimensions: int
    fingerprint: str
    """Changes whenever the same text would get another vector."""
    language_gap: float
    """By how much a cosine is lower when text and question differ in language but not in
    meaning; 0 when it is not known. Without it a Chinese question over a mixed library
    finds Chinese passages only."""

    def embed_query(self, text: str) -> np.ndarray:
        """Shape (dimensions,), unit length."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> np.ndarray:
        """Shape (len(texts), dimensions), unit length, in the order given."""
        ...

    def count_tokens(self, text: str) -> int:
        """By the model's own tokenizer, without its frame."""
        ...


class TokenEmbedder(Protocol):
    """An embedder that also gives one vector a token, for late interaction."""

    def embed_tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """For each text an array (tokens, dimensions), rows of unit length."""
        ...


class MultiVectorEmbedder(Protocol):
    """An embedder whose token vectors are made for late interaction (Khattab and Zaharia
    2020): small enough to be kept beside the index."""

    fingerprint: str
    """Of its `Embedder` side."""
    token_fingerprint: str
    """Changes whenever the same text would get other token vectors."""
    token_gap: float
    """What `Embedder.language_gap` is for cosines, for the mean of best matches."""

    def embed_query_tokens(self, text: str) -> np.ndarray:
        """Rows (tokens, size), float32. The length of a row is the weight of its token among
        those of the question; the mean of all weights is 1."""
        ...

    def embed_documents_and_tokens(
        self, texts: Sequence[str]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """The vectors of `Embedder.embed_documents`, and for each text int8 rows
        (tokens, size): unit vectors times 127."""
        ...


class ImageEmbedder(Protocol):
    """Pictures and texts to vectors of one space: a text lies near the pictures that it describes."""

    dimensions: int
    fingerprint: str
    """Changes whenever the same picture would get another vector."""

    def embed_images(self, figures: Sequence[Figure]) -> np.ndarray:
        """Shape (len(figures), dimensions), unit length, in the order given. Raises EmbedderError."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Shape (len(texts), dimensions), unit length, in the order given. Raises EmbedderError."""
        ...


class Reranker(Protocol):
    """Orders hits by reading question and chunk together."""

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits, best first, with stage RERANKED. None is added or lost."""
        ...


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A chunk as it is stored: with vectors and who may read it."""

    chunk: Chunk
    dense: np.ndarray
    lexical: SparseVector
    readers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reembedding:
    """What a collection got: how many chunks new vectors, and whose vectors they had."""

    chunks: int
    former: str


class VectorStore(Protocol):
    """Chunks with their vectors. A `Scope` is part of every read: nobody reads without one."""

    def check_embedder(self, collection: str, fingerprint: str) -> None:
        """Raises ConflictError when an embedder of another fingerprint made the collection:
        its vectors say nothing to this one's. Cheap enough for every question."""
        ...

    def open_collection(self, collection: str, dimensions: int, fingerprint: str) -> None:
        """Creates the collection when it is not there.

        Raises ConflictError when it was made by an embedder of another fingerprint."""
        ...

    def drop_collection(self, collection: str) -> bool: ...

    def collections(self) -> list[str]: ...

    def upsert(self, collection: str, rows: Sequence[IndexRow]) -> None:
        """Durable when it returns. A row with the same chunk id is replaced."""
        ...

    def delete_document(self, collection: str, document_id: str) -> int:
        """Returns how many chunks were there."""
        ...

    def delete_documents(self, collection: str, document_ids: Sequence[str]) -> int:
        """The same for several at once."""
        ...

    def copy_document(self, document: Document, source_id: str) -> int:
        """Stores the chunks of `source_id` as those of `document`: with its id, uri and
        readers, and the same words and vectors. Durable; returns how many there are. When
        the id is the same, they are replaced."""
        ...

    def repeated_ids(self, collection: str) -> list[str]:
        """Chunk ids that are there more than once, which no write of ours may leave."""
        ...

    def search_dense(
        self, scope: Scope, vector: np.ndarray, limit: int, where: Sequence[Condition] = ()
    ) -> list[Hit]:
        """Best first; only chunks for which all of `where` holds.

        Raises InputError when the store cannot give so many."""
        ...

    def search_dense_each(
        self, scope: Scope, vector: np.ndarray, limit: int, groups: Sequence[Sequence[Condition]]
    ) -> list[list[Hit]]:
        """`search_dense` once for the conditions of each group, in one pass over the vectors
        where the store can: a library in two languages is asked for the best in each."""
        ...

    def search_lexical(
        self, scope: Scope, vector: SparseVector, limit: int, where: Sequence[Condition] = ()
    ) -> list[Hit]: ...

    def get_chunks(self, scope: Scope, ids: Sequence[str]) -> list[Chunk]:
        """Those of the ids that are there and may be read, in the order asked."""
        ...

    def find_chunks(self, scope: Scope, where: Sequence[Condition], limit: int) -> list[Chunk]:
        """Chunks for which all of `where` holds, by document and order; of more than
        `limit` it is not said which."""
        ...

    def count_chunks(self, collection: str) -> dict[str, int]:
        """Chunks of each document id, whoever may read them (for checks, not for answers)."""
        ...

    def uris_of_chunks(self, collection: str) -> dict[str, set[str]]:
        """The uris that the chunks of each document id name, for checks: one, in a sound index."""
        ...

    def reembed(
        self,
        collection: str,
        dimensions: int,
        fingerprint: str,
        embed: Callable[[Sequence[Chunk]], np.ndarray],
        on_progress: Callable[[int, int], None],
    ) -> Reembedding:
        """Gives every chunk a new dense vector, shape (chunks, dimensions), and keeps all
        else. The old ones are searched until all new ones are
        durable; a kill at any moment leaves one or the other. `on_progress` hears of chunks
        done and in all. Nobody may write to the collection meanwhile."""
        ...

    def close(self) -> None: ...


class ChatModel(Protocol):
    """A conversation model behind the OpenAI protocol."""

    name: str

    def stream(
        self, messages: Sequence[Message], options: ChatOptions
    ) -> AsyncIterator[ChatDelta]:
        """Closing the iterator cancels the generation. Raises ChatModelError."""
        ...

    async def structured(
        self, messages: Sequence[Message], schema: Mapping, options: ChatOptions
    ) -> tuple[dict, Usage]:
        """A JSON object that follows the JSON schema. Raises ChatModelError."""
        ...

    async def call_tool(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: ChatOptions
    ) -> tuple[ToolCall, Usage]:
        """A call of one of the tools, with arguments that follow its schema; of the one tool when
        there is but one. Raises ChatModelError."""
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """The evidence of one sentence, as guards read it.

    `quotes` are letter by letter; `readable` are the same with their title, headings and
    table header; `surroundings` are the whole chunks with title and headings; `headings`
    are those alone; `facts` are the clauses and table cells of the quotes.
    """

    quotes: tuple[str, ...]
    surroundings: tuple[str, ...]
    facts: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()

    @property
    def quoted(self) -> str:
        """The quotes as one text."""
        return "\n".join(self.quotes)


class Guard(Protocol):
    """Judges one sentence against the evidence that it is bound to."""

    name: str

    def check(self, sentence: str, passage: Passage, question: str) -> Verdict:
        """Pure and synchronous; milliseconds on a CPU. Without quotes: unsupported."""
        ...


@runtime_checkable
class SpendingGuard(Guard, Protocol):
    """A guard that may ask a chat model."""

    def spending(self, spend: Callable[[Usage], None], chat_model: ChatModel | None = None) -> Guard:
        """The same guard, which tells `spend`, in the thread that checks, what each question to the
        model took; it asks `chat_model`, where one is given, in place of its own."""
        ...


class GraphExtractor(Protocol):
    """Reads from a chunk which entities it names and how they belong together."""

    fingerprint: str
    """Changes whenever the same chunk would be read otherwise."""

    def prepare(self, document: Document, chunks: Sequence[Chunk]) -> tuple[str, str] | None:
        """What an extractor may do with all chunks of a version before they are extracted, such as
        asking a model. A warning, as a code and words, when that failed: the chunks can be extracted all
        the same."""
        ...

    def extract(self, chunk: Chunk) -> ChunkGraph:
        """Every name is a slice of the chunk's text, every relation of two names of one sentence.
        Pure for the caller; may be called by several threads at once."""
        ...


class Captioner(Protocol):
    """Says in words what a picture shows."""

    name: str
    """Who says it, as readers are told."""
    fingerprint: str
    """Changes whenever the same picture would be described otherwise."""

    def caption(self, figure: Figure, about: str) -> str:
        """A description of a few sentences on one line, in the language of `about`, which is
        what stands near the picture.

        Raises:
            ChatModelError: the model does not answer, or says nothing.
        """
        ...


class Memory(Protocol):
    """Chooses what of a long conversation is put before the model with a new question."""

    name: str

    def recall(self, history: Sequence[Remark], question: str, budget: int) -> list[Recollection]:
        """At most `budget` tokens of a history that is given oldest first, in its order, as
        `agents.memory.rendering` writes and counts them; notes that belong to no one moment come
        first. Every source is an id of the history. May be called by several threads at once;
        keeps nothing that would make one conversation known in another."""
        ...


class TableSource(Protocol):
    """Tables of documents as they were parsed, for their readers alone."""

    def list_document(self, scope: Scope, document_id: str) -> list[StoredTable]:
        """The tables of a document in order; none when there are none or the caller may not read them."""
        ...

    def find_beside(self, scope: Scope, document_id: str, text: str, limit: int) -> list[StoredTable]:
        """Those of a document that a chunk's text may be a part of: their header stands in it. The likeliest
        first, for the caller alone."""
        ...
