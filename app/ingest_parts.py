"""The parts of ingestion, built of the settings. Holds no logic of its own."""

import os
from functools import partial
from typing import TYPE_CHECKING

from core.settings import Settings

if TYPE_CHECKING:
    from app.services import Services
    from ingest.context_lines import ContextLines
    from ingest.isolation import ProcessParserRunner
    from ingest.parser_pool import ParserPool
    from ingest.pipeline import Ingestor
    from ingest.ray_engine import RayEngine
    from retrieval.index import ChunkIndex

RENDER_TIMEOUT_S = 20.0


def build_ingestor(services: "Services") -> "Ingestor":
    """Files to chunks, by threads of this process or on Ray."""
    from app.pictures import build_describer
    from ingest.document_index import DocumentIndex
    from ingest.extras import IngestExtras
    from ingest.pipeline import Ingestor

    settings = services.settings.ingest
    chunks, engine = services.index(), None
    if settings.engine == "ray":
        chunks, engine = _index_on_ray(services), services.ray_engine()
    return Ingestor(
        services.ledger(),
        DocumentIndex(
            chunks,
            services.tables(),
            services.kept_lines(),
            services.figures(),
            services.images(),
            services.entity_graph().documents,
        ),
        services.originals(),
        settings,
        services.parser_pool(),
        IngestExtras(engine, _build_context_lines(services), build_describer(services)),
    )


def build_page_renderer(settings: Settings) -> "ProcessParserRunner":
    """What draws pages: somebody waits for one."""
    return build_parser_runner(settings, RENDER_TIMEOUT_S)


def build_parser_runner(
    settings: Settings, timeout_s: float | None = None, reads_pictures: bool = False
) -> "ProcessParserRunner":
    """What parses in a limited process; one that `reads_pictures` may take the memory of OCR."""
    from ingest.isolation import ProcessParserRunner
    from ingest.parse_options import ParseOptions

    ingest = settings.ingest
    password = ingest.pdf_password.get_secret_value()
    options = ParseOptions(password, ingest.ocr, ingest.figures, _finds_wordless(settings))
    memory_mb = ingest.ocr_memory_mb if reads_pictures else ingest.parse_memory_mb
    limit_s = timeout_s or ingest.parse_timeout_s
    return ProcessParserRunner(limit_s, memory_mb, options=options, reads_pictures=reads_pictures)


def build_parser_pool(settings: Settings) -> "ParserPool":
    """Parse processes, as many as files are read at once."""
    from ingest.parser_pool import ParserPool

    return ParserPool(
        partial(build_parser_runner, settings),
        settings.ingest.workers or os.cpu_count() or 1,
        partial(build_parser_runner, settings, reads_pictures=True),
        settings.ingest.ocr_workers,
    )


def build_ray_engine(services: "Services") -> "RayEngine":
    """What reads files and makes vectors on Ray."""
    from ingest.ray_engine import RayEngine
    from ingest.ray_workers import WorkerSpec, code_versions

    given = services.settings
    spec = WorkerSpec(
        given.ingest,
        given.embedder,
        services.weights_dir.absolute(),
        code_versions(),
        given.captioner,
        _finds_wordless(given),
    )
    return RayEngine(spec, given.ray)


def _finds_wordless(settings: Settings) -> bool:
    """Whether a picture in which nothing is written can be found by what it shows."""
    return bool(settings.captioner.base_url) or settings.image_embedder.kind != "none"


def _index_on_ray(services: "Services") -> "ChunkIndex":
    """The index whose vectors are made on Ray."""
    from app.late_embedder import LateEmbedder
    from ingest.ray_engine import RayEmbedder
    from retrieval.token_vectors import TokenVectors

    ray = services.ray_engine()
    embedder = RayEmbedder(ray, LateEmbedder(services.embedder), built_in=False)
    tokens = TokenVectors(
        services.tokens_engine(), lambda: RayEmbedder(ray, services.token_embedder(), built_in=True)
    )
    return services.build_chunk_index(embedder, tokens)


def _build_context_lines(services: "Services") -> "ContextLines | None":
    """What writes a line for each chunk; None when the settings want none. The chat model is
    built when the first chunk asks for it."""
    settings = services.settings.ingest
    if settings.context_line == "off":
        return None
    from app.chat_models import connect_chat
    from ingest.context_lines import ContextLines

    connect = partial(connect_chat, services.chat_model)
    model, kept = services.settings.chat.model, services.kept_lines()
    return ContextLines(connect, model, kept, settings.context_line_calls)
