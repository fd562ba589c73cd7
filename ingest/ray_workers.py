"""What runs in the processes of a Ray cluster: files read and cut, texts embedded.

Plain functions and classes that Ray is handed by ray_engine.py; knows nothing of Ray, of the
ledger or of the index. A file is parsed in the same limited child process as elsewhere. What
goes wrong comes back as a value: an exception of ours would lose its remedy on the way.
"""

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from core.errors import AttestError, FileError
from core.seams import Embedder, MultiVectorEmbedder
from core.settings import CaptionerSettings, EmbedderSettings, IngestSettings
from core.telemetry import silence_libraries
from ingest import chunker
from ingest.captioner import OpenAICaptioner
from ingest.describing import FigureDescriber
from ingest.engine import CutFile, CutOrder, IngestEngine, LocalEngine
from ingest.isolation import ProcessParserRunner
from ingest.parse_options import ParseOptions
from ingest.parser_pool import ParserPool
from ingest.parsers.registry import PARSER_VERSIONS
from retrieval.embedders import build_embedder, build_token_counter

BUILT_IN = "e5-openvino"


@dataclass(frozen=True, slots=True)
class Failure:
    """An error on its way to the driver; `of_file` says that the other files go on."""

    message: str
    code: str
    remedy: str
    retryable: bool
    of_file: bool


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of texts, and token vectors where they were asked for."""

    dense: np.ndarray
    tokens: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class WorkerSpec:
    """How a worker does its work: as the driver would. `versions` are those of the driver;
    `finds_wordless`: a picture is kept even when nothing is written in it."""

    ingest: IngestSettings
    embedder: EmbedderSettings
    weights: Path
    versions: str
    captioner: CaptionerSettings = CaptionerSettings()
    finds_wordless: bool = False

    def build_reader(self) -> IngestEngine:
        """What reads and cuts files in a worker: one at a time, by OCR in a process of its own."""
        pool = ParserPool(
            partial(self._build_runner, False), 1, partial(self._build_runner, True), ocr_size=1
        )
        counter = build_token_counter(self.embedder, self.weights)
        captioner = OpenAICaptioner(self.captioner) if self.captioner.base_url else None
        return LocalEngine(pool, counter, self.ingest, FigureDescriber(captioner))

    def _build_runner(self, reads_pictures: bool) -> ProcessParserRunner:
        given = self.ingest
        password = given.pdf_password.get_secret_value()
        options = ParseOptions(password, given.ocr, given.figures, self.finds_wordless)
        memory_mb = given.ocr_memory_mb if reads_pictures else given.parse_memory_mb
        return ProcessParserRunner(
            given.parse_timeout_s, memory_mb, options=options, reads_pictures=reads_pictures
        )

    def build_embedder(self, built_in: bool) -> Embedder:
        """The embedder of the index, or the built-in one that gives token vectors."""
        settings = EmbedderSettings(threads=self.embedder.threads) if built_in else self.embedder
        return build_embedder(settings, self.weights)


def code_versions() -> str:
    """Of what decides how a file is cut, as this process has it."""
    return json.dumps({"chunker": chunker.VERSION, **PARSER_VERSIONS}, sort_keys=True)


def cut_file(spec: WorkerSpec, order: CutOrder) -> CutFile | Failure:
    """Reads and cuts one stored original; a task of Ray."""
    try:
        if spec.versions != code_versions():
            return _other_version()
        if not order.path.is_file():
            return _not_shared(order.path)
        return _reader(spec).cut(order)
    except AttestError as exc:
        return _failure(exc)


class EmbedWorker:
    """Makes vectors; an actor of Ray, which keeps its models in memory."""

    def __init__(self, spec: WorkerSpec) -> None:
        """Builds nothing yet: what is missing is told by the first call."""
        silence_libraries()
        self._spec = spec
        self._models: dict[bool, Embedder | MultiVectorEmbedder] = {}

    def embed(
        self, built_in: bool, with_tokens: bool, expected: str, texts: Sequence[str]
    ) -> Vectors | Failure:
        """Vectors by the embedder of the index or the built-in one; `expected` is
        the fingerprint of the driver's."""
        try:
            model = self._model(built_in)
        except AttestError as exc:
            return _failure(exc)
        if model.fingerprint != expected:
            return _other_version()
        try:
            if with_tokens:
                dense, tokens = model.embed_documents_and_tokens(texts)
                return Vectors(dense, tuple(tokens))
            return Vectors(model.embed_documents(texts))
        except AttestError as exc:
            return _failure(exc)

    def _model(self, built_in: bool) -> Embedder | MultiVectorEmbedder:
        built_in = built_in or self._spec.embedder.kind == BUILT_IN
        if built_in not in self._models:
            self._models[built_in] = self._spec.build_embedder(built_in)
        return self._models[built_in]


@lru_cache(maxsize=1)
def _reader(spec: WorkerSpec) -> IngestEngine:
    """Kept as long as the process: its parse process is started once, not for each file."""
    silence_libraries()
    return spec.build_reader()


def _failure(exc: AttestError) -> Failure:
    is_file = isinstance(exc, FileError)
    message = exc.message if is_file else f"on worker {socket.gethostname()}: {exc.message}"
    return Failure(message, exc.code, exc.remedy, exc.retryable, is_file)


def _not_shared(path: Path) -> Failure:
    return Failure(
        f"worker {socket.gethostname()} does not see {path}",
        "not_shared",
        "mount the data directory at the same path on every node of the cluster",
        retryable=True,
        of_file=True,
    )


def _other_version() -> Failure:
    return Failure(
        f"worker {socket.gethostname()} runs another version of attest or of its weights",
        "other_version",
        "install the same version and weights on every node, and start Ray there again",
        retryable=False,
        of_file=False,
    )
