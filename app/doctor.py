"""`attest doctor`: looks at everything that attest needs, and says what mends each fault.

Knows where to look; changes nothing. Each check is independent of the others.
"""

import shutil
import socket
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from app.server_record import ServerRecord, find_server
from app.services import Services
from app.weights.catalogue import BUILT_IN_CHAT
from core.addresses import hide_credentials
from core.errors import AttestError, StoreLockedError
from core.settings import ChatSettings
from core.types import Chunk, Hit, Stage

LOW_DISK_GB = 2.0
MANY_LITE_CHUNKS = 15_000
CONNECT_TIMEOUT_S = 3.0


class Grade(StrEnum):
    """`fault` keeps attest from working; `warning` does not yet."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw. `remedy` is a command or a setting."""

    check: str
    grade: Grade
    message: str
    remedy: str = ""

    def to_dict(self) -> dict:
        """For JSON."""
        return {
            "check": self.check,
            "grade": self.grade.value,
            "message": self.message,
            "remedy": self.remedy,
        }


def examine(services: Services) -> list[Finding]:
    """All findings, in a stable order. Nothing that is checked is started or changed."""
    running = find_server(services.paths.server_record)
    checks: tuple[Callable[[], Finding], ...] = (
        lambda: _check_data(services),
        lambda: _check_disk(services),
        lambda: _check_embedder(services),
        lambda: _check_reranker(services),
        lambda: _check_chat(services),
        lambda: _check_probes(services),
        lambda: _check_store(services, running),
        lambda: _check_ledger(services),
        lambda: _check_port(services, "API", running),
        lambda: _check_port(services, "page", None),
    )
    found = (check() for check in (*checks, *_checks_of_options(services)))
    return [replace(one, message=hide_credentials(one.message)) for one in found]


def _checks_of_options(services: Services) -> list[Callable[[], Finding]]:
    """Of the second chat model, and of what describes and finds pictures, where it is configured."""
    from app.chat_models import fallback_settings

    checks: list[Callable[[], Finding]] = []
    spare = fallback_settings(services.settings.chat)
    if spare is not None:
        checks.append(lambda: _check_fallback(services, spare))
    if services.settings.captioner.base_url:
        captioner = services.settings.captioner
        checks.append(lambda: _check_chat_server(captioner, "vision model", "ATTEST_CAPTIONER__"))
    if services.settings.image_embedder.kind != "none":
        checks.append(lambda: _check_image_embedder(services))
    return checks


def _check_image_embedder(services: Services) -> Finding:
    settings = services.settings.image_embedder
    try:
        embedder = services.image_embedder()
        begun = time.perf_counter()
        embedder.embed_texts(["a chart of the output by quarter"])
    except AttestError as exc:
        return _fault("image embedder", exc)
    took_ms = (time.perf_counter() - begun) * 1000
    name = f"{settings.kind} {settings.model}"
    message = f"{name} answers in {took_ms:.0f} ms, {embedder.dimensions} dimensions"
    return Finding("image embedder", Grade.OK, message)


def _check_data(services: Services) -> Finding:
    root = services.paths.root
    if not root.exists():
        return Finding("data", Grade.OK, f"{root} will be made at the first use")
    if not root.is_dir():
        return Finding("data", Grade.FAULT, f"{root} is not a folder", "name another with --data")
    mode = stat.S_IMODE(root.stat().st_mode)
    if mode & 0o077:
        message = f"{root} can be read by other users (mode {mode:o})"
        return Finding("data", Grade.WARNING, message, f"chmod 700 {root}")
    if not mode & stat.S_IWUSR:
        return Finding("data", Grade.FAULT, f"{root} cannot be written", f"chmod u+w {root}")
    return Finding("data", Grade.OK, f"{root} is yours alone")


def _check_disk(services: Services) -> Finding:
    folder = services.paths.root.absolute()
    while not folder.exists():
        folder = folder.parent
    free_gb = shutil.disk_usage(folder).free / 1e9
    message = f"{free_gb:.1f} GB free at {folder}"
    if free_gb < LOW_DISK_GB:
        return Finding("disk", Grade.WARNING, message, "free some space, or name another disk with --data")
    return Finding("disk", Grade.OK, message)


def _check_embedder(services: Services) -> Finding:
    settings = services.settings.embedder
    try:
        embedder = services.embedder()
        begun = time.perf_counter()
        embedder.embed_query("how long is the warranty?")
    except AttestError as exc:
        return _fault("embedder", exc)
    took_ms = (time.perf_counter() - begun) * 1000
    name = " ".join(part for part in (settings.kind, settings.model) if part)
    message = f"{name} answers in {took_ms:.0f} ms, {embedder.dimensions} dimensions"
    return Finding("embedder", Grade.OK, message)


def _check_reranker(services: Services) -> Finding:
    settings = services.settings.retrieval
    if settings.reranker == "none" or not settings.rerank_limit:
        return Finding("reranker", Grade.OK, "off: hits keep their fused order")
    texts = ("the warranty lasts two years", "the canteen opens at noon")
    hits = [Hit(Chunk(str(at), "", at, text, "", ""), 0.0, Stage.FUSED) for at, text in enumerate(texts)]
    try:
        reranker = services.reranker()
        begun = time.perf_counter()
        ranked = reranker.rerank("how long is the warranty?", hits)
    except AttestError as exc:
        return _fault("reranker", exc)
    took_ms = (time.perf_counter() - begun) * 1000
    name = " ".join(part for part in (settings.reranker, settings.reranker_model) if part)
    if ranked[0].stage is not Stage.RERANKED:
        message = f"{name} needs more than its {settings.rerank_budget_ms} ms for two chunks"
        remedy = "raise ATTEST_RETRIEVAL__RERANK_BUDGET_MS, or take a quicker one"
        return Finding("reranker", Grade.WARNING, message, remedy)
    return Finding("reranker", Grade.OK, f"{name} orders two chunks in {took_ms:.0f} ms")


def _check_chat(services: Services) -> Finding:
    settings = services.settings.chat
    if settings.base_url:
        return _check_chat_server(settings)
    try:
        services.chat_model()
    except AttestError as exc:
        return _fault("chat model", exc)
    return Finding("chat model", Grade.OK, f"{settings.model} is present")


def _check_probes(services: Services) -> Finding:
    """Whether the guards read with a language model's states; it is not opened."""
    from app.guard_parts import build_probe_reader

    try:
        probes = build_probe_reader(services.settings)
    except AttestError as exc:
        return _fault("second reading", exc)
    if probes is None:
        message = "guards read with the small model alone: ATTEST_GUARD__PROBES, or the chat model, says so"
        return Finding("second reading", Grade.OK, message)
    return Finding("second reading", Grade.OK, f"guards read with {BUILT_IN_CHAT.name} too, where they doubt")


def _check_fallback(services: Services, spare: ChatSettings) -> Finding:
    from app.chat_models import find_model_path

    check = "fallback chat model"
    if spare.base_url:
        return _check_chat_server(spare, check, "ATTEST_CHAT__FALLBACK_")
    try:
        find_model_path(spare.model, services.weights_dir)
    except AttestError as exc:
        return _fault(check, exc)
    return Finding(check, Grade.OK, f"{spare.model} is present")


def _check_chat_server(settings, check: str = "chat model", setting: str = "ATTEST_CHAT__") -> Finding:
    import httpx

    url = f"{settings.base_url.rstrip('/')}/models"
    key = settings.api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        reply = httpx.get(url, headers=headers, timeout=CONNECT_TIMEOUT_S).raise_for_status()
        served = [str(entry["id"]) for entry in reply.json()["data"]]
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        message = f"{url} does not answer ({exc})"
        return Finding(check, Grade.FAULT, message, f"start it, or mend {setting}BASE_URL")
    except (ValueError, KeyError, TypeError):
        message = f"{url} does not speak the OpenAI protocol"
        return Finding(check, Grade.FAULT, message, f"mend {setting}BASE_URL; it ends in /v1")
    if settings.model not in served:
        message = f"{settings.base_url} serves {', '.join(served) or 'no model'}, not {settings.model}"
        return Finding(check, Grade.FAULT, message, f"set {setting}MODEL to one of these")
    return Finding(check, Grade.OK, f"{settings.base_url} serves {settings.model}")


def _check_store(services: Services, running: ServerRecord | None) -> Finding:
    if running is not None:
        return Finding("store", Grade.OK, f"in use by the API at {running.url} (process {running.pid})")
    is_lite = not services.settings.milvus.uri
    if is_lite and not services.paths.lite_store.exists():
        return Finding("store", Grade.OK, "will be made at the first ingest")
    begun = time.perf_counter()
    try:
        store = services.store()
        chunks = sum(sum(store.count_chunks(name).values()) for name in store.collections())
    except StoreLockedError as exc:
        return Finding("store", Grade.FAULT, exc.message, "wait for it to end, or stop that process")
    except AttestError as exc:
        return _fault("store", exc)
    message = f"{chunks} chunks, opened in {time.perf_counter() - begun:.1f} s"
    if is_lite and chunks > MANY_LITE_CHUNKS:
        remedy = "point ATTEST_MILVUS__URI at a Milvus server"
        return Finding("store", Grade.WARNING, f"{message}; the local store becomes slow", remedy)
    return Finding("store", Grade.OK, message)


def _check_ledger(services: Services) -> Finding:
    if not services.settings.ledger.url:
        return Finding("ledger", Grade.OK, "SQLite, in the data directory")
    from sqlalchemy import text

    from core.database import place_of

    begun = time.perf_counter()
    try:
        engine = services.engine()
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except AttestError as exc:
        remedy = "start it, or mend ATTEST_LEDGER__URL and ATTEST_LEDGER__PASSWORD"
        return Finding("ledger", Grade.FAULT, exc.message, remedy)
    took_ms = (time.perf_counter() - begun) * 1000
    return Finding("ledger", Grade.OK, f"{place_of(engine)} answers in {took_ms:.0f} ms")


def _check_port(services: Services, what: str, running: ServerRecord | None) -> Finding:
    settings = services.settings
    place, setting = (
        (settings.server, "ATTEST_SERVER__PORT") if what == "API" else (settings.ui, "ATTEST_UI__PORT")
    )
    check = f"port of the {what}"
    if running is not None:
        return Finding(check, Grade.OK, f"the API is at {running.url}")
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        socket.create_server((place.host, place.port), family=family).close()
    except OSError as exc:
        message = f"{place.host}:{place.port} cannot be used ({exc.strerror or exc})"
        return Finding(check, Grade.WARNING, message, f"stop what uses it, or set {setting}")
    return Finding(check, Grade.OK, f"{place.host}:{place.port} is free")


def _fault(check: str, exc: AttestError) -> Finding:
    return Finding(check, Grade.FAULT, exc.message, exc.remedy)
