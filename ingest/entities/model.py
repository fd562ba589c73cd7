"""The entities and relations of a chunk by the configured chat model, within what the chunk bears out.

The model is asked once for each chunk, before any is written, and what it says is kept: a run that was killed
goes on with the chunks that are missing. A chunk that it failed on is read by rules. Knows the prompt and the
model; what of a reply holds is decided in model_reply.py. Implements `GraphExtractor`.
"""

import asyncio
import hashlib
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from core.entities import ChunkGraph
from core.errors import ChatModelError, ModelFileError
from core.prompt_files import PromptFiles
from core.seams import ChatModel, ChatOptions, Message
from core.text import detect_language, split_sentences
from core.types import Chunk, Document, ElementKind
from ingest.entities.model_reply import graph_of, schema_of
from ingest.entities.relations import KINDS
from ingest.entities.rules import RuleExtractor
from ingest.kept_lines import KeptLines

PROMPTS = Path(__file__).with_name("prompts")
VERSION = 1
"""Raise when the same reply would give another graph."""
BY_RULES = "entities_by_rules"
"""The code of the warning that some chunks were read by rules since the model failed."""
MAX_TOKENS = 800
MOST_FAILURES = 3
"""In a row; then a model is not asked any more about this document."""
_log = logging.getLogger(__name__)

Connect = Callable[[], AbstractAsyncContextManager[ChatModel]]
"""Opens a client of the chat model for the running event loop."""


class ModelExtractor:
    """Asks the model and reads what it said. Thread-safe: one document after the other, of each at most
    `at_once` chunks at a time."""

    def __init__(self, connect: Connect, model: str, kept: KeptLines, at_once: int) -> None:
        """`model` is the name under which replies are kept; nothing is asked before the first document."""
        self._connect = connect
        self._model = model
        self._kept = kept
        self._at_once = at_once
        self._rules = RuleExtractor()
        self._prompts = PromptFiles(PROMPTS)
        self._asking = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """See `GraphExtractor.fingerprint`."""
        return f"{self._model}/{self._prompts.fingerprint}/{VERSION} {self._rules.fingerprint}"

    def prepare(self, document: Document, chunks: Sequence[Chunk]) -> tuple[str, str] | None:
        """Asks for what was not asked before. Rows of a long table are left to rules.

        A model that fails costs no file: a warning says how many chunks it did not read.
        """
        asked = {self._digest(chunk): chunk for chunk in chunks if _is_asked(chunk)}
        with self._asking:
            replies = self._kept.find(list(asked))
            missing = {digest: chunk for digest, chunk in asked.items() if digest not in replies}
            failure = asyncio.run(self._ask(missing, replies)) if missing else ""
            self._kept.keep(document.collection, document.id, {d: replies[d] for d in asked if d in replies})
        lacking = len(asked.keys() - replies.keys())
        if not lacking:
            return None
        words = f"the entities of {lacking} of {len(chunks)} chunks were found by rules alone: {failure}; "
        return BY_RULES, f"{words}ingest it again with --force when it answers"

    def extract(self, chunk: Chunk) -> ChunkGraph:
        """See `GraphExtractor.extract`."""
        digest = self._digest(chunk) if _is_asked(chunk) else ""
        reply = self._kept.find([digest]).get(digest) if digest else None
        return self._rules.extract(chunk) if reply is None else graph_of(chunk.text, json.loads(reply))

    async def _ask(self, missing: Mapping[str, Chunk], replies: dict[str, str]) -> str:
        """Adds what the model says to `replies`, by digest. What it failed with last, empty when it did
        not."""
        turns, failures, reason = asyncio.Semaphore(self._at_once), 0, ""

        async def ask(digest: str, chunk: Chunk, chat_model: ChatModel) -> None:
            nonlocal failures, reason
            async with turns:
                if failures >= MOST_FAILURES:
                    return
                try:
                    schema = schema_of(len(split_sentences(chunk.text)))
                    options = ChatOptions(max_tokens=MAX_TOKENS)
                    value, _ = await chat_model.structured(self._prompt(chunk), schema, options)
                except ChatModelError as error:
                    failures, reason = failures + 1, str(error)
                    _log.warning("the chunk %s is read by rules: %s", chunk.id, error)
                    return
                failures, replies[digest] = 0, json.dumps(value)

        try:
            async with self._connect() as chat_model:
                await asyncio.gather(*(ask(digest, chunk, chat_model) for digest, chunk in missing.items()))
        except (ChatModelError, ModelFileError) as error:  # it could not even be reached
            reason = str(error)
            _log.warning("entities are found by rules alone: %s", reason)
        return reason

    def _prompt(self, chunk: Chunk) -> list[Message]:
        """The chunk as numbered sentences within marks: a digest of them, which no text holds of itself."""
        sentences = [" ".join(span.of(chunk.text).split()) for span in split_sentences(chunk.text)]
        numbered = "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, start=1))
        mark = hashlib.sha256(numbered.encode()).hexdigest()[:10]
        language = detect_language(chunk.text)
        kinds = ", ".join(KINDS)
        return self._prompts.messages(f"entities.{language}", kinds=kinds, mark=mark, sentences=numbered)

    def _digest(self, chunk: Chunk) -> str:
        asked = json.dumps([self._model, MAX_TOKENS, *(message.content for message in self._prompt(chunk))])
        return hashlib.sha256(asked.encode()).hexdigest()


def _is_asked(chunk: Chunk) -> bool:
    return chunk.kind is not ElementKind.ROWS and bool(chunk.text.strip())
