"""The composition root: every part of the product, built when it is first needed.

Knows which part is made of which; holds no logic of its own. Heavy libraries are
imported inside the builders, so that a command pays only for what it uses.
"""

import asyncio
import inspect
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.paths import DataPaths, weights_dir
from core.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from agents.asker import Asker
    from agents.assistants import AssistantTable
    from agents.curating import EvidenceFinder
    from agents.guards.building import GuardModels
    from agents.memory.facts import Facts
    from agents.question_loop import QuestionLoop
    from agents.same_question import SameQuestion
    from agents.tools.audit import ToolAudit
    from agents.tools.invoker import ToolInvoker
    from app.entity_graph import EntityGraph
    from app.keys import KeyTable
    from app.weights.fetch import WeightsStore
    from core.seams import (
        ChatModel,
        Embedder,
        ImageEmbedder,
        Reranker,
        TokenEmbedder,
        VectorStore,
    )
    from ingest.figure_store import FigureStore
    from ingest.isolation import ProcessParserRunner
    from ingest.kept_lines import KeptLines
    from ingest.ledger import Ledger
    from ingest.originals import Originals
    from ingest.parser_pool import ParserPool
    from ingest.pipeline import Ingestor
    from ingest.ray_engine import RayEngine
    from ingest.table_store import TableStore
    from retrieval.image_index import ImageIndex
    from retrieval.index import ChunkIndex
    from retrieval.lexical import Lexicon
    from retrieval.retriever import Retriever
    from retrieval.token_vectors import TokenVectors


class Services:
    """The parts of one process over one data directory. Thread-safe.

    `prebuilt` gives parts that shall be used instead of being built, by method name: the
    way in for tests and for programs that bring an engine of their own. The asker belongs
    to the event loop that first asks for it; `aclose` must run in the same loop.
    """

    def __init__(self, settings: Settings, prebuilt: Mapping[str, Any] | None = None) -> None:
        self.settings = settings
        self.paths = DataPaths(settings.data)
        self.write_lock = threading.Lock()
        """Held by whoever changes documents or collections: one writer at a time."""
        self._parts: dict[str, Any] = dict(prebuilt or {})
        self._given = frozenset(self._parts)
        self._locks: dict[str, threading.RLock] = {}
        self._asker_lock = asyncio.Lock()

    @property
    def weights_dir(self) -> Path:
        """The folder of model weights."""
        return weights_dir(self.settings.cache)

    def engine(self) -> "Engine":
        """The database of ledger, lexical statistics and keys."""
        return self._once("engine", self._build_engine)

    def store(self) -> "VectorStore":
        """Raises StoreLockedError or StoreError."""
        return self._once("store", self._build_store)

    def embedder(self) -> "Embedder":
        """Raises ModelFileError when its weights are not there."""
        return self._once("embedder", self._build_embedder)

    def token_embedder(self) -> "TokenEmbedder":
        """The built-in embedder, whichever one the index uses: the guards and the default
        reranker were fitted to its token vectors."""
        return self._once("token_embedder", self._build_token_embedder)

    def guard_models(self) -> "GuardModels":
        """What the guards read with."""
        from agents.guards.building import GuardModels
        from app.guard_parts import build_pair_reader, open_probe_reader

        pairs = self._once("pair_reader", lambda: build_pair_reader(self.settings))
        probes = self._once("probe_reader", lambda: open_probe_reader(self.settings))
        return GuardModels(self.token_embedder(), pairs, probes)

    def token_vectors(self) -> "TokenVectors":
        """The token vectors kept beside the index, for late interaction."""
        return self._once("token_vectors", self._build_token_vectors)

    def lexicon(self) -> "Lexicon":
        """The document frequencies of the lexical leg."""
        from retrieval.lexical import Lexicon

        return self._once("lexicon", lambda: Lexicon(self.engine()))

    def index(self) -> "ChunkIndex":
        """The write path of retrieval. It needs no weights until it writes."""
        return self._once("index", self._build_index)

    def reranker(self) -> "Reranker":
        """What reads question and chunk together, within its budget."""
        from retrieval.rerankers import build_reranker

        return self._once("reranker", lambda: build_reranker(self.settings.retrieval, self.token_vectors))

    def retriever(self) -> "Retriever":
        """The read path of retrieval."""
        return self._once("retriever", self._build_retriever)

    def ingestor(self) -> "Ingestor":
        """Files to chunks."""
        from app.ingest_parts import build_ingestor

        return self._once("ingestor", lambda: build_ingestor(self))

    def parser_pool(self) -> "ParserPool":
        """The processes that parse for the ingestor."""
        from app.ingest_parts import build_parser_pool

        return self._once("parser_runner", lambda: build_parser_pool(self.settings))

    def ray_engine(self) -> "RayEngine":
        """What reads files and makes vectors on Ray, where the settings say so."""
        from app.ingest_parts import build_ray_engine

        return self._once("ray_engine", lambda: build_ray_engine(self))

    def tables(self) -> "TableStore":
        """The tables of documents."""
        return self._once("tables", self._build_tables)

    def figures(self) -> "FigureStore":
        """The pictures of documents."""
        from ingest.figure_store import FigureStore

        return self._once("figures", lambda: FigureStore(self.paths.figures))

    def image_embedder(self) -> "ImageEmbedder":
        """Pictures to vectors. Raises SettingsError when none is configured."""
        from retrieval.image_embedders import build_image_embedder

        return self._once("image_embedder", lambda: build_image_embedder(self.settings.image_embedder))

    def images(self) -> "ImageIndex | None":
        """The vectors of pictures; None when no image embedder is configured."""
        from app.pictures import build_images

        return self._once("images", lambda: build_images(self))

    def entity_graph(self) -> "EntityGraph":
        """What documents speak of, and how that belongs together."""
        from app.entity_graph import build_entity_graph

        return self._once("entity_graph", lambda: build_entity_graph(self))

    def kept_lines(self) -> "KeptLines":
        """The context lines of chunks."""
        from ingest.kept_lines import KeptLines

        return self._once("kept_lines", lambda: KeptLines(self.engine()))

    def page_renderer(self) -> "ProcessParserRunner":
        """Pages as pictures, in a process of its own: an ingestion does not keep them waiting."""
        from app.ingest_parts import build_page_renderer

        return self._once("page_renderer", lambda: build_page_renderer(self.settings))

    def originals(self) -> "Originals":
        """The accepted files."""
        from ingest.originals import Originals

        return self._once("originals", lambda: Originals(self.paths.originals))

    def ledger(self) -> "Ledger":
        """What became of each file."""
        from ingest.ledger import Ledger

        return self._once("ledger", lambda: Ledger(self.engine()))

    def keys(self) -> "KeyTable":
        """The API keys."""
        from app.keys import KeyTable

        return self._once("keys", lambda: KeyTable(self.engine()))

    def weights(self) -> "WeightsStore":
        """The local model weights."""
        from app.weights.fetch import WeightsStore

        return self._once("weights", lambda: WeightsStore(self.weights_dir))

    def chat_model(self) -> "ChatModel":
        """The conversation model; the embedded one starts at its first use."""
        from app.chat_models import build_chat_model

        return self._once("chat_model", lambda: build_chat_model(self.settings.chat, self.weights_dir))

    def loop(self) -> "QuestionLoop":
        """Curated answers, kept answers and bad cases. It needs no weights until it compares."""
        from app.curation_parts import build_loop

        return self._once("loop", lambda: build_loop(self))

    def facts(self) -> "Facts":
        """What users said of themselves."""
        from agents.memory.facts import Facts

        return self._once("facts", lambda: Facts(self.engine()))

    def tools(self) -> "ToolInvoker":
        """The tools by the settings, and what runs them."""
        from app.tool_parts import build_tools

        return self._once("tool_invoker", lambda: build_tools(self))

    def tool_audit(self) -> "ToolAudit":
        """The log of calls of tools."""
        from app.tool_parts import build_audit

        return self._once("tool_audit", lambda: build_audit(self))

    def assistants(self) -> "AssistantTable":
        """Saved profiles, and users' own instructions."""
        from agents.assistants import AssistantTable

        return self._once("assistants", lambda: AssistantTable(self.engine()))

    def same_question(self) -> "SameQuestion":
        """Whether two questions are one."""
        from app.curation_parts import build_same_question

        return self._once("same_question", lambda: build_same_question(self))

    def evidence_finder(self) -> "EvidenceFinder":
        """What binds a curator's words to documents."""
        from app.curation_parts import build_evidence_finder

        return self._once("evidence_finder", lambda: build_evidence_finder(self))

    async def asker(self) -> "Asker":
        """Questions to events. Builds the rest in threads, so the loop stays free."""
        async with self._asker_lock:
            if "asker" not in self._parts:
                from agents.asker import open_asker
                from app.table_parts import build_table_reader

                # First of all: the embedded model loads in its own process meanwhile.
                chat_model = await asyncio.to_thread(self.chat_model)
                if hasattr(chat_model, "begin"):
                    chat_model.begin()
                retriever = await asyncio.to_thread(self.retriever)
                models = await asyncio.to_thread(self.guard_models)
                self.paths.create()
                loop = await asyncio.to_thread(self.loop)
                asker = await open_asker(
                    retriever, models, chat_model, self.settings, self.paths.sessions, loop
                )
                asker.use_tools(await asyncio.to_thread(self.tools))
                if self.settings.tables.answer:
                    asker.use_tables(build_table_reader(self))
                self._parts["asker"] = asker
            return self._parts["asker"]

    async def aclose(self) -> None:
        """Closes all that was built, what asks first and what is asked last."""
        for name in ("asker", "chat_model"):
            part = self._parts.pop(name, None)
            if part is not None:
                closing = part.close()
                if inspect.isawaitable(closing):
                    await closing
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Closes what needs no event loop: parsers, store, database and the model's process; and lets go of
        all that was built, models above all, whoever holds this object. What was given stays."""
        for name in ("ray_engine", "parser_runner", "page_renderer", "ledger", "store"):
            part = self._parts.pop(name, None)
            if part is not None:
                part.close()
        if hasattr(chat_model := self._parts.get("chat_model"), "stop"):
            chat_model.stop()
        for name in ("engine", "tokens_engine", "sessions_engine"):
            if engine := self._parts.pop(name, None):
                engine.dispose()
        self._parts = {name: part for name, part in self._parts.items() if name in self._given}

    def _once(self, name: str, build: Callable[[], Any]) -> Any:
        # One lock a part: a slow model must not keep the key table waiting.
        with self._locks.setdefault(name, threading.RLock()):
            if name not in self._parts:
                self._parts[name] = build()
            return self._parts[name]

    def _build_engine(self) -> "Engine":
        from core.database import open_ledger

        self.paths.create()
        return open_ledger(self.settings.ledger, self.paths.ledger)

    def _build_store(self) -> "VectorStore":
        from retrieval.store import open_store

        self.paths.create()
        return open_store(self.settings.milvus, self.paths)

    def _build_embedder(self) -> "Embedder":
        from retrieval.embedders import build_embedder

        return build_embedder(self.settings.embedder, self.weights_dir)

    def _build_token_embedder(self) -> "TokenEmbedder":
        from core.settings import EmbedderSettings
        from retrieval.embedders import build_embedder

        if self.settings.embedder.kind == "e5-openvino":
            return self.embedder()
        return build_embedder(EmbedderSettings(threads=self.settings.embedder.threads), self.weights_dir)

    def _build_index(self) -> "ChunkIndex":
        from app.late_embedder import LateEmbedder

        return self.build_chunk_index(LateEmbedder(self.embedder), self.token_vectors())

    def build_chunk_index(self, embedder: "Embedder", tokens: "TokenVectors") -> "ChunkIndex":
        """A write path with these makers of vectors, by the settings in all else."""
        from retrieval.index import ChunkIndex

        retrieval = self.settings.retrieval
        keeps = retrieval.reranker == "late-interaction" and retrieval.rerank_limit > 0
        return ChunkIndex(self.store(), embedder, self.lexicon(), tokens, keeps)

    def _build_retriever(self) -> "Retriever":
        from retrieval.retriever import MoreLegs, Retriever

        settings = self.settings.retrieval
        if settings.reranker == "none":
            # So that the fused hits keep their stage and scores.
            settings = settings.model_copy(update={"rerank_limit": 0})
        # The model compiles outside of Python, while the store's libraries are imported.
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(self.embedder)
            store, lexicon = self.store(), self.lexicon()
            embedder = loading.result()
        graph = self.entity_graph().leg if self.settings.ingest.entities != "off" else None
        more = MoreLegs(self.images(), graph)
        return Retriever(store, embedder, lexicon, self.reranker(), settings, more)

    def _build_token_vectors(self) -> "TokenVectors":
        from retrieval.token_vectors import TokenVectors

        return TokenVectors(self.tokens_engine(), self.token_embedder)

    def tokens_engine(self) -> "Engine":
        """The database of token vectors."""
        from core.database import open_database

        self.paths.create()
        return self._once("tokens_engine", lambda: open_database(self.paths.tokens))

    def sessions_engine(self) -> "Engine":
        """The database of sessions, beside the graph's checkpoints."""
        from core.database import open_database

        if self.settings.ledger.sessions:
            return self.engine()
        self.paths.create()
        return self._once("sessions_engine", lambda: open_database(self.paths.sessions))

    def _build_tables(self) -> "TableStore":
        from ingest.table_store import TableStore

        self.paths.create()
        return TableStore(self.paths.tables)
