"""One line a chunk that says where it stands in its document, written by the chat model.

The line goes in front of the text when it is embedded and matched (Anthropic, "Contextual
Retrieval", 2024), and nowhere else: no answer rests on it. Knows the prompt, its limits and
the model; knows nothing of files or of the index.
"""

import asyncio
import hashlib
import json
import logging
import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import ChatModelError, ModelFileError
from core.prompt_files import PromptFiles
from core.seams import ChatModel, ChatOptions, Message
from core.text import detect_language, has_letters
from core.types import Chunk, Document, ElementKind
from ingest.kept_lines import KeptLines
from retrieval.evidence import estimate_tokens

PROMPTS = Path(__file__).with_name("prompts")
VERSION = 1
"""Raise when the same reply would give another line."""
MISSING = "context_line"
"""The code of the warning that some chunks have no line since the model failed."""
BEGINNING_TOKENS = 250
BEFORE_TOKENS = 80
CHUNK_TOKENS = 400
LINE_TOKENS = 64
MAX_LINE_CHARS = 240
_MARK_DIGITS = 10
_MARKED = re.compile(rf"</(?:document|before|chunk)-([0-9a-f]{{{_MARK_DIGITS}}})>")
_log = logging.getLogger(__name__)

Connect = Callable[[], AbstractAsyncContextManager[ChatModel]]
"""Opens a client of the chat model for the running event loop."""


@dataclass(frozen=True, slots=True)
class Situated:
    """Chunks, those with lines that the model has written; `warning` says why some have none."""

    chunks: tuple[Chunk, ...]
    warning: tuple[str, str] | None = None


class ContextLines:
    """Writes the lines of a document's chunks. Thread-safe: one document after the other, of
    each at most `at_once` chunks at a time, so that a server is not flooded."""

    def __init__(self, connect: Connect, model: str, kept: KeptLines, at_once: int) -> None:
        """`model` is the name under which lines are kept; nothing is asked before the first
        document."""
        self._connect = connect
        self._model = model
        self._kept = kept
        self._at_once = at_once
        self._prompts = PromptFiles(PROMPTS)
        self._asking = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same chunk would get another line."""
        return f"{self._model}/{self._prompts.fingerprint}/{VERSION}"

    def situate(self, document: Document, chunks: Sequence[Chunk]) -> Situated:
        """The chunks with their lines. Those that were asked for before are not asked for
        again. Rows of a long table get none: their caption and header stand in each part.

        A model that fails costs no file: the chunks that it did not come to have no line, and
        the warning says so.
        """
        prompts = {
            chunk.id: self._prompt(chunks, at)
            for at, chunk in enumerate(chunks)
            if chunk.kind is not ElementKind.ROWS
        }
        digests = {identity: self._digest(prompt) for identity, prompt in prompts.items()}
        with self._asking:
            lines = self._kept.find(list(digests.values()))
            missing = {digests[i]: prompt for i, prompt in prompts.items() if digests[i] not in lines}
            failure = asyncio.run(self._ask(missing, lines)) if missing else ""
            self._kept.keep(
                document.collection, document.id, {d: lines[d] for d in digests.values() if d in lines}
            )
        replies = {i: lines[digest] for i, digest in digests.items() if digest in lines}
        situated = tuple(
            replace(c, context_line=clean_line(replies[c.id], _marks_in(prompts[c.id])))
            if c.id in replies
            else c
            for c in chunks
        )
        lacking = sum(digest not in lines for digest in digests.values())
        return Situated(situated, (MISSING, _words(lacking, len(chunks), failure)) if lacking else None)

    async def _ask(self, missing: Mapping[str, Sequence[Message]], lines: dict[str, str]) -> str:
        """Adds what the model writes to `lines`, by digest; after its first failure nothing more
        is asked. What it failed with, empty when it did not."""
        turns = asyncio.Semaphore(self._at_once)

        async def ask(digest: str, prompt: Sequence[Message]) -> None:
            async with turns:
                lines[digest] = await _reply(chat_model, prompt)

        reason = ""
        try:
            async with self._connect() as chat_model, asyncio.TaskGroup() as group:
                for digest, prompt in missing.items():
                    group.create_task(ask(digest, prompt))
        except* (ChatModelError, ModelFileError) as failures:
            reason = str(_first_of(failures))
            _log.warning("chunks without a context line: %s", reason)
        return reason

    def _prompt(self, chunks: Sequence[Chunk], at: int) -> list[Message]:
        """What stays the same for a document comes first, so that a server's prefix cache works.
        Each mark is a digest of what it encloses, which no text can hold of itself."""
        chunk = chunks[at]
        place = chunk.context
        beginning = cut_text(chunks[0].text, BEGINNING_TOKENS) if at else ""
        before = cut_text(chunks[at - 1].text, BEFORE_TOKENS, from_end=True) if at > 1 else ""
        text = cut_text(chunk.text, CHUNK_TOKENS)
        language = detect_language(chunk.text if has_letters(chunk.text) else place)
        return self._prompts.messages(
            f"context_line.{language}",
            document_mark=_mark(place, beginning),
            place=place,
            beginning=beginning,
            chunk_mark=_mark(before, text),
            before=before,
            chunk=text,
        )

    def _digest(self, prompt: Sequence[Message]) -> str:
        asked = json.dumps([self._model, LINE_TOKENS, *(message.content for message in prompt)])
        return hashlib.sha256(asked.encode()).hexdigest()


def clean_line(reply: str, marks: Collection[str] = ()) -> str:
    """The first line of a reply that says something, without quotation marks and cut to size;
    empty when there is none. Small models take the fence's `marks` for a name: they go."""
    for mark in marks:
        reply = reply.replace(mark, "")
    for raw in reply.splitlines():
        line = " ".join("".join(char if char.isprintable() else " " for char in raw).split())
        line = line.strip("\"'“”‘’「」*` ")
        if has_letters(line) and not line.startswith("<"):
            return line[:MAX_LINE_CHARS]
    return ""


def cut_text(text: str, tokens: int, from_end: bool = False) -> str:
    """The beginning, or the end, of a text: at most about so many tokens."""
    size = estimate_tokens(text)
    if size <= tokens:
        return text
    kept = max(1, int(len(text) * tokens / size))
    return text[-kept:] if from_end else text[:kept]


async def _reply(chat_model: ChatModel, prompt: Sequence[Message]) -> str:
    text = ""
    async with aclosing(chat_model.stream(prompt, ChatOptions(max_tokens=LINE_TOKENS))) as deltas:
        async for delta in deltas:
            text += delta.text
    return text


def _first_of(failures: BaseExceptionGroup) -> BaseException:
    first = failures.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first


def _mark(*texts: str) -> str:
    return hashlib.sha256("\x00".join(texts).encode()).hexdigest()[:_MARK_DIGITS]


def _marks_in(prompt: Sequence[Message]) -> set[str]:
    return {mark for message in prompt for mark in _MARKED.findall(message.content)}


def _words(lacking: int, total: int, failure: str) -> str:
    return f"{lacking} of {total} chunks have no context line: {failure}"
