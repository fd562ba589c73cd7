"""The engine that reads files and makes vectors on Ray: on this machine or on a cluster.

Ray places the tasks, moves them from dead workers to living ones and starts these again. Here
stays what there is one of: the queue, the ledger, the index. Knows Ray; ray_workers.py knows
what is done there.
"""

import logging
import os
import queue
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from core.errors import FileError, ServiceError, SettingsError
from core.settings import RaySettings
from core.telemetry import silence_libraries
from ingest.engine import WORKER_LOST, CutFile, CutOrder
from ingest.ray_workers import EmbedWorker, Failure, Vectors, WorkerSpec, cut_file

if TYPE_CHECKING:
    import numpy as np

    from core.seams import Embedder, MultiVectorEmbedder

LOCAL_SWITCHES = {
    # Ray's name for: this machine alone, so that nothing listens but on loopback.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # A busy machine takes longer than the seconds that Ray gives its own processes.
    "RAY_agent_register_timeout_ms": "120000",
    "RAY_gcs_server_port_wait_time_s": "120",
}
START_ATTEMPTS = 3
"""One wait of Ray is fixed at 30 s; what the first attempt has read from disk, the next finds there."""
KNOCK_S = 10
OBJECT_STORE_BYTES = 256 * 2**20
"""Of a local Ray. What is under way is bounded by the stages: some files and passes."""
_SAME_EVERYWHERE = "install the same attest[ray] on every node, and start Ray there again"

_log = logging.getLogger(__name__)


class RayEngine:
    """An `IngestEngine`. Ray is started, or its cluster joined, at the first file.

    Raises:
        SettingsError: ray is not installed.
        ServiceError: from `cut` and `embed`: the cluster does not answer, or a worker cannot work.
    """

    def __init__(self, spec: WorkerSpec, settings: RaySettings) -> None:
        if find_spec("ray") is None:
            raise SettingsError(
                "ingest.engine is ray, and ray is not installed",
                remedy="run: pip install 'attest[ray]', or take --engine local",
            )
        self._spec = spec
        self._settings = settings
        self._lock = threading.Lock()
        # Linux ends Ray's processes with the thread that started them, so that one has to stay.
        self._home = ThreadPoolExecutor(1, "ray")
        self._opening: Future[None] | None = None
        self._is_ours = False
        self._cut: Any = None
        self._shared_spec: Any = None
        self._actors: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def workers(self) -> int:
        """Files read at once: `ingest.workers`, else as many as there are CPUs without the
        embedding actors' own."""
        if self._spec.ingest.workers:
            return self._spec.ingest.workers
        if not self._settings.address:
            return os.cpu_count() or 1
        self._start()
        import ray

        return max(1, int(ray.cluster_resources().get("CPU", 0)) - self.embedders)

    @property
    def embedders(self) -> int:
        """Embedding actors, each with a model of its own."""
        return self._settings.embedders

    def cut(self, order: CutOrder) -> CutFile:
        """See IngestEngine."""
        self._start()
        return self._wait(self._cut.remote(self._shared_spec, order))

    def embed(self, built_in: bool, with_tokens: bool, fingerprint: str, texts: Sequence[str]) -> Vectors:
        """One pass on one actor; waits while all are at work. Raises FileError `worker_lost`
        when the actor ended each time that it had these texts."""
        self._start()
        actor = self._actors.get()
        try:
            return self._wait(actor.embed.remote(built_in, with_tokens, fingerprint, list(texts)))
        finally:
            self._actors.put(actor)

    def close(self) -> None:
        """Leaves the cluster; ends it when it was started here."""
        with self._lock:
            self._home.submit(self._leave).result()
            self._home.shutdown()

    def _start(self) -> None:
        """Threads that come while Ray is started share its outcome; a later call tries again."""
        with self._lock:
            failed = self._opening and self._opening.done() and self._opening.exception()
            if self._opening is None or failed:
                self._opening = self._home.submit(self._open)
            opening = self._opening
        opening.result()

    def _open(self) -> None:
        silence_libraries()
        # Read when Ray is imported.
        if self._settings.address:
            os.environ.setdefault("RAY_AUTH_MODE", "token")  # with an address Ray would join without
        else:
            os.environ.update(LOCAL_SWITCHES)
        import ray
        from ray._private import worker as ray_driver

        logging.getLogger("ray").setLevel(logging.ERROR)
        # Its debugger's own switch: Ray prints that a worker died on stdout, where our JSON goes.
        ray_driver._worker_logs_enabled = False
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            self._join()
        again = self._settings.attempts - 1
        options = {"num_cpus": 1, "max_retries": again, "scheduling_strategy": "SPREAD"}
        self._cut = ray.remote(cut_file).options(name="attest_cut", **options)
        self._shared_spec = ray.put(self._spec)
        actor = ray.remote(EmbedWorker).options(num_cpus=1, max_restarts=-1, max_task_retries=again)
        for _ in range(self.embedders):
            self._actors.put(actor.remote(self._spec))

    def _leave(self) -> None:
        self._actors = queue.SimpleQueue()  # an actor ends with the last handle to it
        if self._is_ours:
            import ray

            ray.shutdown()

    def _join(self) -> None:
        quiet = {"log_to_driver": False, "configure_logging": False, "logging_level": "error"}
        if address := self._settings.address:
            _knock(address)
            _init(f"the Ray cluster {address} cannot be joined", 1, address, quiet)
            import ray

            self._check_size(int(ray.cluster_resources().get("CPU", 0)))
            return
        size = {"num_cpus": self.workers + self.embedders, "object_store_memory": OBJECT_STORE_BYTES}
        alone = {"include_dashboard": False, **size, **quiet}
        _init("Ray cannot be started", START_ATTEMPTS, "local", alone)

    def _check_size(self, cpus: int) -> None:
        """Tasks that find no CPU would wait for ever."""
        if cpus <= self.embedders:
            import ray

            ray.shutdown()
            raise ServiceError(
                f"the Ray cluster has {cpus} CPUs, and {self.embedders} are for embedding",
                remedy="add a node, or lower ray.embedders",
            )

    def _wait(self, reference: Any) -> Any:
        import ray
        from ray import exceptions

        lost = (
            exceptions.WorkerCrashedError,
            exceptions.RayActorError,
            exceptions.NodeDiedError,
            exceptions.OutOfMemoryError,
            exceptions.ObjectLostError,
        )
        try:
            made = ray.get(reference)
        except lost as exc:
            raise FileError(
                f"its worker ended each of the {self._settings.attempts} times that it was given it",
                code=WORKER_LOST,
                remedy="see the logs of Ray and the memory of its nodes; then use --retry-failed",
                retryable=True,
            ) from exc
        except exceptions.RayTaskError as exc:
            raise ServiceError(f"a Ray worker fails: {exc.cause!r}", remedy=_SAME_EVERYWHERE) from exc
        except exceptions.RayError as exc:
            raise ServiceError(f"Ray fails: {_first_line(exc)}", remedy="see: ray status") from exc
        if isinstance(made, Failure):
            raise _as_error(made)
        return made


class RayEmbedder:
    """An `Embedder`, and a `MultiVectorEmbedder` where `local` is one, whose documents are
    embedded on Ray. What it is, its questions and its tokens are those of `local`."""

    def __init__(self, engine: RayEngine, local: "Embedder | MultiVectorEmbedder", built_in: bool) -> None:
        self._engine = engine
        self._local = local
        self._built_in = built_in

    def __getattr__(self, name: str) -> Any:
        """All that documents are not needed for."""
        return getattr(self._local, name)

    def embed_documents(self, texts: Sequence[str]) -> "np.ndarray":
        """See `Embedder.embed_documents`."""
        return self._engine.embed(self._built_in, False, self._local.fingerprint, texts).dense

    def embed_documents_and_tokens(self, texts: Sequence[str]) -> "tuple[np.ndarray, list[np.ndarray]]":
        """See `MultiVectorEmbedder.embed_documents_and_tokens`."""
        made = self._engine.embed(self._built_in, True, self._local.fingerprint, texts)
        return made.dense, list(made.tokens)


def _knock(address: str) -> None:
    """Ray itself waits for a minute, and then ends the process."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        return  # `auto`
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S).close()
    except (OSError, OverflowError) as exc:
        raise ServiceError(
            f"the Ray cluster {address} cannot be joined: {exc}", remedy="mend ray.address; see: ray status"
        ) from exc


def _init(refusal: str, attempts: int, address: str, options: dict[str, Any]) -> None:
    import ray

    for attempt in range(1, attempts + 1):
        try:
            ray.init(address=address, **options)
            return
        except Exception as exc:  # Ray raises that itself when its processes are too slow
            _log.warning("Ray did not start, attempt %s of %s", attempt, attempts, exc_info=True)
            ray.shutdown()
            if attempt == attempts:
                remedy = "see /tmp/ray/session_latest/logs, and: ray status"
                raise ServiceError(f"{refusal}: {_first_line(exc)}", remedy=remedy) from exc


def _as_error(failure: Failure) -> FileError | ServiceError:
    if failure.of_file:
        return FileError(
            failure.message, code=failure.code, remedy=failure.remedy, retryable=failure.retryable
        )
    return ServiceError(failure.message, remedy=failure.remedy)


def _first_line(exc: BaseException) -> str:
    return next(iter(str(exc).strip().splitlines()), type(exc).__name__)[:300]
