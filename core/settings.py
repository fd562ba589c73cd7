"""All settings, in sections. Read once by a composition root and handed down by section.

Sources, strongest first: arguments, environment (`ATTEST_SECTION__FIELD`), `.env`,
the TOML file, the defaults below.
"""

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.errors import SettingsError
from core.settings_effort import EffortSettings
from core.settings_section import Section
from core.settings_server import ServerSettings
from core.settings_tools import ToolSettings

CONFIG_FILE = Path("attest.toml")
PiiKind = Literal["phone", "id_card", "email", "bank_card", "iban", "ssn"]


class MilvusSettings(Section):
    """Where the vectors live."""

    uri: str = Field("", description="Milvus server, http://host:19530; empty: Milvus Lite in the data directory")
    token: SecretStr = Field(SecretStr(""), description="user:password or API key of the server")
    timeout_s: float = Field(10.0, gt=0, description="how long to wait for the server")
    mirror_chunks: int = Field(
        100_000, ge=0, description="on Milvus Lite, a collection of at most so many chunks is searched in memory, about 4 kB each; 0: none"
    )
    consistency: Literal["session", "bounded", "strong"] = Field(
        "session",
        description="what a search on a server waits for: session (own writes), bounded (writes older than seconds), strong (all writes; about 0.2 s)",
    )


class LedgerSettings(Section):
    """Where the ledger, the queue, the lexical statistics and the API keys are."""

    url: str = Field("", description="PostgreSQL, postgresql://user@host:5432/name (extra [postgres]); empty: SQLite in the data directory")
    password: SecretStr = Field(SecretStr(""), description="password of that user; never part of the url")
    sessions: bool = Field(False, description="true: sessions, unfinished turns, approvals and effects of tools are there too; false: sessions.db")
    session_secret: SecretStr = Field(SecretStr(""), description="what signs the state of sessions, 32 characters or more, the same for all API processes; empty: sessions.key")


class EmbedderSettings(Section):
    """What turns texts into vectors."""

    kind: Literal["e5-openvino", "sentence-transformers", "http"] = Field(
        "e5-openvino", description="e5-openvino (built in), sentence-transformers (extra [models]) or http"
    )
    model: str = Field("", description="id (owner/name, owner/name@revision) or folder for sentence-transformers, served name for http")
    base_url: str = Field("", description="address for kind = http: ends in /v1 for style openai and vllm, the bare server for tei")
    api_key: SecretStr = Field(SecretStr(""), description="key for kind = http")
    style: Literal["openai", "vllm", "tei"] = Field("openai", description="protocol of the server for kind = http")
    query_prompt: str = Field("", description="text put in front of a query; empty: what the model's card says; none: nothing")
    document_prompt: str = Field("", description="text put in front of a passage; empty: what the model's card says; none: nothing")
    truncate: bool = Field(True, description="texts too long for the model are cut (vllm and tei; openai refuses them); false: they are errors")
    max_tokens: int = Field(1024, ge=32, description="where sentence-transformers cuts a text, if the model takes that many")
    batch_texts: int = Field(32, ge=1, le=2048, description="texts of one request or forward pass, for sentence-transformers and http")
    device: str = Field("", description="torch device for sentence-transformers, as cuda:0 or cpu; empty: the best there is")
    timeout_s: float = Field(60.0, gt=0, description="longest wait for one request of kind = http, retries included")
    language_gap: float = Field(
        0.0, ge=0, le=1, description="cosine lost between Chinese and English for the same meaning; the built-in model knows its own"
    )
    threads: int = Field(0, ge=0, description="CPU threads; 0: all")


class CaptionerSettings(Section):
    """What describes the pictures of documents: any OpenAI-compatible server of a model that
    sees, such as vLLM with Qwen2.5-VL. Off while no `base_url` is set."""

    base_url: str = Field("", description="server of a vision model, http://host:8000/v1; empty: pictures are not described")
    model: str = Field("", description="served model name")
    api_key: SecretStr = Field(SecretStr(""), description="key of that server")
    timeout_s: float = Field(60.0, gt=0, description="longest wait for one description")
    max_tokens: int = Field(160, ge=16, le=2048, description="longest description")


class ImageEmbedderSettings(Section):
    """What turns pictures, and the questions about them, into vectors of one space."""

    kind: Literal["none", "clip", "http"] = Field(
        "none", description="none; clip: by sentence-transformers (extra [models]); http: a server"
    )
    model: str = Field("", description="id (owner/name, owner/name@revision) or folder for clip, served name for http")
    text_model: str = Field("", description="for clip: another model for the texts, such as a multilingual one made for it; empty: the same")
    base_url: str = Field("", description="address for kind = http, to which /embeddings is added: http://host:8000/v1")
    api_key: SecretStr = Field(SecretStr(""), description="key for kind = http")
    style: Literal["vllm", "jina", "infinity"] = Field("vllm", description="protocol of that server")
    device: str = Field("", description="torch device for clip, as cuda:0 or cpu; empty: the best there is")
    batch_images: int = Field(8, ge=1, le=256, description="pictures of one forward pass or request")
    timeout_s: float = Field(60.0, gt=0, description="longest wait for one request of kind = http, retries included")
    margin: float = Field(
        0.05, gt=0, le=1, description="by how much a picture is nearer to a text that describes it than to texts in general, in cosine"
    )


class ChatSettings(Section):
    """The conversation model. With `base_url` any OpenAI-compatible server (vLLM); without,
    the embedded one, started and stopped by attest."""

    base_url: str = Field("", description="OpenAI-compatible server such as vLLM, http://host:8000/v1; empty: embedded")
    api_key: SecretStr = Field(SecretStr(""), description="key of that server")
    model: str = Field(
        "qwen2.5-coder-1.5b-instruct",
        description="served model name; embedded: a name of `attest models list`, a Hugging Face id, or a path to a GGUF file or OpenVINO folder",
    )
    timeout_s: float = Field(120.0, gt=0, description="longest wait for the next piece of a reply")
    fallback_base_url: str = Field("", description="second server, asked when the first one fails; empty: none, or an embedded model if fallback_model is set")
    fallback_api_key: SecretStr = Field(SecretStr(""), description="key of the second server")
    fallback_model: str = Field("", description="served name there, or the embedded model to fall back on; empty: as model")
    cache_salt: Literal["off", "user"] = Field(
        "off", description="user: the prefix cache of the server serves each user apart; vLLM knows it, other servers may refuse it"
    )
    cache_secret: SecretStr = Field(SecretStr(""), description="what the salts are made with, the same for all API processes; empty: a new one at each start")
    max_answer_tokens: int = Field(256, ge=16, le=8192, description="longest draft")
    max_instruction_tokens: int = Field(
        200, ge=0, le=4096, description="longest instructions of a user, and as many of an assistant; each prompt holds them; 0: none"
    )
    planner: Literal["off", "model"] = Field(
        "off", description="model: where no rule decides, the chat model chooses the way to an answer and takes the question apart; one more call"
    )
    planner_timeout_s: float = Field(20.0, gt=0, description="longest wait for that plan")
    threads: int = Field(0, ge=0, description="CPU threads of the embedded model; 0: all")
    cache_gb: int = Field(1, ge=1, description="key-value cache of the embedded model")


class RetrievalSettings(Section):
    """How evidence is found."""

    leg_limit: int = Field(60, ge=1, le=1000, description="hits taken from each search leg")
    rerank_limit: int = Field(80, ge=0, le=200, description="fused hits that are reranked; 0: none")
    reranker: Literal["late-interaction", "cross-encoder", "http", "none"] = Field(
        "late-interaction", description="late-interaction (built in), cross-encoder (extra [models]), http or none"
    )
    reranker_model: str = Field("", description="id (owner/name, owner/name@revision) or folder for cross-encoder, served name for http")
    reranker_base_url: str = Field("", description="address for reranker = http, to which /rerank is added: http://host:8000 or http://host:8000/v1")
    reranker_api_key: SecretStr = Field(SecretStr(""), description="key for reranker = http")
    reranker_style: Literal["jina", "vllm", "tei"] = Field("jina", description="protocol of that server; jina is Cohere's too")
    reranker_prompt: str = Field("", description="instruction for a cross-encoder that takes one; empty: the model's own")
    reranker_max_tokens: int = Field(512, ge=32, description="where a cross-encoder cuts question and chunk together")
    reranker_batch: int = Field(32, ge=1, le=1000, description="chunks of one request or forward pass")
    reranker_device: str = Field("", description="torch device of the cross-encoder, as cuda:0 or cpu; empty: the best there is")
    reranker_timeout_s: float = Field(10.0, gt=0, description="longest wait for the reranking server, retries included")
    rerank_budget_ms: int = Field(0, ge=0, description="past it hits keep their fused order, and the trace says so; 0: no limit")
    hyde: Literal["off", "deep", "standard"] = Field(
        "off",
        description="a passage that the chat model makes up is searched for beside the question: off, deep (at that effort) or standard (and deep)",
    )
    graph: Literal["off", "related", "several-hops"] = Field(
        "related", description="searches that use the entities of ingest.entities: off (none), related (those for what two things have to do with each other) or several-hops (and those of several hops)"
    )
    evidence_chunks: int = Field(4, ge=1, le=20, description="chunks the model may be shown")
    evidence_tokens: int = Field(300, ge=100, description="budget of evidence in the prompt")


class IngestSettings(Section):
    """How files become chunks."""

    chunk_tokens: int = Field(220, ge=32, le=480, description="longest chunk, in the embedder's tokens")
    overlap_tokens: int = Field(40, ge=0, le=200, description="text shared by neighbouring chunks")
    context_line: Literal["off", "model"] = Field(
        "off",
        description="model: the chat model writes a line on where each chunk stands, which is searched and never shown",
    )
    context_line_calls: int = Field(
        1, ge=1, le=64, description="chunks that the chat model is asked for at once; the embedded one takes one after the other"
    )
    entities: Literal["off", "rules", "model"] = Field(
        "off", description="names of people, organisations, places and products, and what sentences say between them, are kept as a graph beside the chunks: found by rules, or by the chat model (model; by rules where it fails)"
    )
    communities: Literal["off", "on-demand", "after-ingest"] = Field("off", description="groups of entities are summarised by the chat model: when asked for (attest communities --make), or also in the background after each ingest through the API; needs the extra [communities]")
    max_file_mb: float = Field(64.0, gt=0, description="larger files are refused")
    max_chunks: int = Field(5000, ge=1, description="a file that would give more chunks is refused")
    max_pages: int = Field(500, ge=1, description="addresses that one call may fetch, sitemaps expanded")
    fetch_timeout_s: float = Field(30.0, gt=0, description="an address that takes longer fails")
    allow_private_addresses: bool = Field(False, description="fetch from this machine and the inner network too")
    parse_timeout_s: float = Field(120.0, gt=0, description="a parse that takes longer fails; each page read by OCR gives as much again")
    ocr: bool = Field(True, description="scanned pages and pictures are read by OCR; false: such files fail with needs_ocr")
    figures: bool = Field(True, description="pictures in documents are cut out, stored and shown with what is found of them")
    pdf_password: SecretStr = Field(SecretStr(""), description="tried on locked PDF files; kept out of the ledger and of logs")
    near_duplicates: Literal["off", "flag", "link"] = Field(
        "flag", description="documents that are nearly others: off, flag (a warning names the other one) or link (not indexed twice)"
    )
    near_duplicate_at: float = Field(0.7, ge=0.5, le=1, description="share of their text from which two documents are nearly the same")
    pii: Literal["off", "flag", "mask"] = Field(
        "off", description="personal data: off, flag (a warning counts it) or mask (replaced in all that is kept but the stored original)"
    )
    pii_kinds: tuple[PiiKind, ...] = Field(
        ("phone", "id_card", "email", "bank_card", "iban", "ssn"), description="kinds of personal data that are looked for, as a JSON list"
    )
    pii_show_originals: bool = Field(False, description="show the pages of files in which personal data was masked; the stored original holds it still")
    hidden_text: Literal["drop", "keep"] = Field("drop", description="text that people do not see, such as white on white: drop or keep; a warning tells of it")
    repair_encoding: bool = Field(True, description="mend text that was read in a wrong encoding before it came into the file; a warning tells of it")
    workers: int = Field(0, ge=0, description="files parsed at once; 0: as many as there are CPU cores")
    engine: Literal["local", "ray"] = Field("local", description="what reads files and embeds chunks: threads and processes here, or Ray (extra [ray])")
    parse_memory_mb: int = Field(448, ge=256, description="memory of one parse process above its start (about 40), OCR apart")
    ocr_workers: int = Field(1, ge=1, description="files read by OCR at once, each in a process of about 570 MB")
    ocr_memory_mb: int = Field(2048, ge=256, description="address space of a process that reads pictures, of which OCR takes 1.8 GB; resident are 570 MB")


class RaySettings(Section):
    """The cluster that ingest.engine = ray works on. It trusts whoever reaches its ports."""

    address: str = Field("", description="host:6379 of a running cluster, or auto for the one that this machine is part of; empty: a Ray of this machine alone, started and ended with the command")
    embedders: int = Field(1, ge=1, description="actors that embed, each with the model in memory and one CPU of the cluster")
    attempts: int = Field(3, ge=1, description="workers that may end over a file before it fails")


class GuardSettings(Section):
    """When a sentence may leave."""

    policy: Literal["strict", "balanced", "open"] = Field(
        "strict",
        description="what may leave: only what is supported (strict); also what is unsure, marked (balanced); all "
        "but what is contradicted, marked (open)",
    )
    policies: dict[str, Literal["strict", "balanced", "open"]] = Field(
        {}, description="the policy of single collections, as JSON: collection to policy"
    )
    supported_at: float = Field(0.5, ge=0, le=1, description="probability from which a sentence counts as supported")
    unsure_at: float = Field(0.35, ge=0, le=1, description="from here up to supported_at a sentence is unsure; below it is unsupported")
    model: str = Field("", description="bigger model asked about unsure sentences: id or folder of a cross-encoder for entailment or consistency (extra [models]); empty: none")
    device: str = Field("", description="torch device of that model, as cuda:0 or cpu; empty: the best there is")
    probes: Literal["auto", "on", "off"] = Field("auto", description="read evidence with the built-in chat model's states where the small reader is in doubt: auto, where that model answers")
    judge: bool = Field(False, description="the chat model is asked about sentences that stay unsure")
    judge_timeout_s: float = Field(20.0, gt=0, description="longest wait for its word on one sentence")
    sufficient_at: float = Field(0.2, ge=0, le=1, description="evidence score below which no draft is made")
    answered_at: float = Field(0.15, ge=0, le=1, description="probability that a passage answers the question, below which a sentence that rests on it begins no answer")
    answer_at: float = Field(0.55, ge=0, le=1, description="probability that a sentence is the answer, below which it begins none")
    quoted_at: float = Field(0.7, ge=0, le=1, description="evidence score below which no sentence is quoted when no draft was supported")
    screen: bool = Field(True, description="text in documents that speaks to a language model is neither shown to it nor quoted")
    refuse: bool = Field(True, description="questions that order the model about or fish for its prompt and keys are refused")
    pii: Literal["off", "mask"] = Field("off", description="personal data in answers, quotes and events: off or mask (the kinds of ingest.pii_kinds)")


class TableSettings(Section):
    """Questions that are answered from tables by rules and SQL."""

    answer: bool = Field(True, description="answer from a table, without the chat model, where rules are sure of its rows and columns")
    sure_at: float = Field(0.8, ge=0, le=1, description="share of the question that the labels of a table must explain for that")
    model: bool = Field(False, description="where rules are not sure, have the chat model choose operation, rows and columns from lists")
    max_rows: int = Field(200, ge=1, le=10_000, description="most rows that SQL over tables gives")
    timeout_s: float = Field(5.0, gt=0, le=60, description="longest run of SQL over tables")
    memory_mb: int = Field(256, ge=64, le=4096, description="most memory that SQL over tables takes")


class FaqSettings(Section):
    """Curated answers to known questions."""

    near_at: float = Field(
        0.96, ge=0, le=1, description="likeness from which another wording is the known question, if its facts agree; 1: that wording alone"
    )


class FeedbackSettings(Section):
    """What is kept of questions so that they can be answered better."""

    keep_answers_days: float = Field(30, ge=0, description="days that an answer can be rated and taken into the FAQ; 0: none is kept")
    keep_cases_days: float = Field(180, ge=0, description="days that a question which was not answered well is kept; 0: none is kept")


class MemorySettings(Section):
    """What of a conversation, and of what users said of themselves, the chat model is told."""

    strategy: str = Field(
        "window+vector",
        description="full, window, first-and-latest, key-turns, summary, entities, graph, vector, or several joined by +; a session may choose another",
    )
    tokens: int = Field(300, ge=0, le=8192, description="budget of what is recalled in the prompt; 0: nothing")
    summary: Literal["extractive", "model"] = Field(
        "extractive", description="what writes the older part of the strategy summary: sentences of the conversation, or the chat model with one call for ten remarks"
    )
    facts: bool = Field(True, description="what users say of themselves, or ask to be remembered, is kept over their sessions")
    facts_days: float = Field(365, ge=0, description="days that such a fact is kept after it was last said; 0: no end")


class UiSettings(Section):
    """The web page."""

    host: str = Field("127.0.0.1", description="address of the web page")
    port: int = Field(8766, ge=0, le=65535, description="port of the web page")


class Settings(BaseSettings):
    """The whole tree. Unknown sections and fields are an error in the file, unknown sections
    in the environment too."""

    model_config = SettingsConfigDict(
        env_prefix="ATTEST_", env_nested_delimiter="__", env_file=".env", extra="ignore", frozen=True
    )

    data: Path = Field(Path("data"), description="folder of the ledger, originals, index and sessions")
    cache: Path | None = Field(None, description="folder of model weights; empty: the user's cache directory")
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    milvus: MilvusSettings = MilvusSettings()
    ledger: LedgerSettings = LedgerSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    captioner: CaptionerSettings = CaptionerSettings()
    image_embedder: ImageEmbedderSettings = ImageEmbedderSettings()
    chat: ChatSettings = ChatSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    effort: EffortSettings = EffortSettings()
    ingest: IngestSettings = IngestSettings()
    ray: RaySettings = RaySettings()
    guard: GuardSettings = GuardSettings()
    tables: TableSettings = TableSettings()
    faq: FaqSettings = FaqSettings()
    feedback: FeedbackSettings = FeedbackSettings()
    memory: MemorySettings = MemorySettings()
    tools: ToolSettings = ToolSettings()
    server: ServerSettings = ServerSettings()
    ui: UiSettings = UiSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment beats the file: the file's values come in as `_file` below."""
        from pydantic_settings import InitSettingsSource

        given = dict(init_settings())
        file_values = given.pop("_file", {})
        return (
            InitSettingsSource(settings_cls, given),
            env_settings,
            dotenv_settings,
            InitSettingsSource(settings_cls, file_values),
        )


def load_settings(config: Path | None = None, **overrides) -> Settings:
    """Settings from all sources.

    Raises:
        SettingsError: the file cannot be read or a value is not allowed; names the value.
    """
    _check_environment(os.environ)
    path = config or (CONFIG_FILE if CONFIG_FILE.exists() else None)
    return _validate(_read_toml(path) if path else {}, path, overrides)


def _check_environment(names: Iterable[str]) -> None:
    """A slip in a section's name would otherwise pass in silence."""
    for name in names:
        section = name.removeprefix("ATTEST_").partition("__")[0].lower()
        if name.startswith("ATTEST_") and "__" in name and section not in Settings.model_fields:
            raise SettingsError(
                f"the environment variable {name} names no known section",
                remedy=f"known sections: {', '.join(Settings.model_fields)}",
            )


def _read_toml(path: Path) -> dict:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise SettingsError(f"there is no settings file {path}", remedy="run: attest init") from exc
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise SettingsError(f"{path} cannot be read: {exc}", remedy="mend the file") from exc
    if unknown := sorted(set(values) - set(Settings.model_fields)):
        raise SettingsError(
            f"{path} has an unknown section {unknown[0]!r}",
            remedy=f"known: {', '.join(Settings.model_fields)}",
        )
    return values


def _validate(file_values: dict, path: Path | None, overrides: dict) -> Settings:
    try:
        return Settings(_file=file_values, **overrides)
    except ValidationError as exc:
        first = exc.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"setting {name} is not allowed: {first['msg']}",
            remedy=f"see the environment ATTEST_{name.upper().replace('.', '__')} and {path or CONFIG_FILE}",
        ) from exc
