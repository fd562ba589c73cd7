"""A client to Milvus: a server, or Lite in this process.

Knows how each is reached and what each can do; knows nothing of collections.
"""

import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import SettingsError, StoreError, StoreLockedError
from core.settings import MilvusSettings
from retrieval.filters import behind

SERVER_REMEDY = "start it, or mend ATTEST_MILVUS__URI"
FIRST_WITH_SPARSE = (2, 4)


def _nothing() -> None:
    """What closing a server's connection needs beyond the client."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connected pymilvus.MilvusClient and what is behind it. `lite_path` is Lite's folder,
    None on a server; `release` is called after the client is closed; `consistency` is what a
    server's reads wait for. `engine` is Lite itself, a milvus_lite.MilvusLite, None on a
    server."""

    client: Any
    version: str
    lite_path: Path | None = None
    release: Callable[[], None] = _nothing
    consistency: str = "session"
    engine: Any = None

    @property
    def is_lite(self) -> bool:
        """Whether the engine runs in this process."""
        return self.lite_path is not None

    @property
    def read_options(self) -> dict[str, str]:
        """How a search is to be asked for. Lite always sees every write."""
        return {} if self.is_lite else {"consistency_level": self.consistency.capitalize()}

    @property
    def has_sparse(self) -> bool:
        """Whether there are sparse vectors. A version that cannot be read is taken for new."""
        found = re.match(r"v?(\d+)\.(\d+)", self.version)
        return self.is_lite or not found or tuple(map(int, found.groups())) >= FIRST_WITH_SPARSE

    def require_sparse(self) -> None:
        """Raises SettingsError when lexical search cannot work there."""
        if not self.has_sparse:
            raise SettingsError(
                f"the Milvus server is {self.version}, which has no sparse vectors",
                remedy="use a server of 2.4 or later, or leave ATTEST_MILVUS__URI empty",
            )

    def read_pages(self, physical: str, fields: list[str], page: int) -> Iterator[list[dict]]:
        """All rows of a loaded collection of Lite, by id, straight from the engine: over the
        client it takes three times as long. A sparse vector comes as Milvus's bytes.

        Raises:
            StoreError: the engine failed.
        """
        from milvus_lite.exceptions import MilvusLiteError

        last, rows = "", []
        while not last or len(rows) == page:
            try:
                collection = self.engine.get_collection(physical)
                rows = collection.query(behind(last), fields, limit=page, order_by_pk=True)
            except MilvusLiteError as exc:
                raise StoreError(f"Milvus Lite failed: {exc}", remedy="run: attest doctor") from exc
            if not rows:
                return
            last = rows[-1]["id"]
            yield rows

    def close(self) -> None:
        """Closes the client and what belongs to it."""
        self.client.close()
        self.release()


@contextmanager
def translated() -> Iterator[None]:
    """Milvus errors as ours: an outage must never look like an empty result."""
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as exc:
        raise StoreError(f"Milvus failed: {exc.message or exc}", remedy="run: attest doctor") from exc


def connect_server(settings: MilvusSettings) -> Connection:
    """A server's connection. Raises StoreError when it does not answer."""
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    try:
        client = MilvusClient(
            uri=settings.uri, token=settings.token.get_secret_value(), timeout=settings.timeout_s
        )
        return Connection(client, client.get_server_version(), consistency=settings.consistency)
    except MilvusException as exc:
        raise StoreError(
            f"the Milvus server at {settings.uri} does not answer", remedy=SERVER_REMEDY
        ) from exc


def open_lite(path: Path) -> Connection:
    """Milvus Lite in this process, on a socket that only this user can reach: by itself it
    would listen on a TCP port without any password.

    Raises:
        StoreLockedError: another process owns the folder.
        StoreError: the folder cannot be opened.
    """
    from milvus_lite.adapter.grpc.server import start_server_in_thread
    from milvus_lite.exceptions import DataDirLockedError, MilvusLiteError
    from pymilvus import MilvusClient

    folder = tempfile.mkdtemp(prefix="attest-")
    try:
        server, database, _ = start_server_in_thread(str(path), host=f"unix:{folder}/milvus")
    except DataDirLockedError as exc:
        shutil.rmtree(folder, ignore_errors=True)
        raise StoreLockedError(
            f"another attest process is using {path.parent}",
            remedy="stop it, or talk to it: attest finds a running `attest serve` by itself",
        ) from exc
    except (MilvusLiteError, OSError) as exc:
        shutil.rmtree(folder, ignore_errors=True)
        raise StoreError(
            f"the local index {path} cannot be opened ({exc})",
            remedy=f"remove {path} and run: attest ingest PATH --force",
        ) from exc

    def release() -> None:
        server.stop(grace=2).wait()
        database.close()
        shutil.rmtree(folder, ignore_errors=True)

    # Lite has no time stamps, which each iteration reports as a warning.
    logging.getLogger("pymilvus").setLevel(logging.ERROR)
    # pymilvus pings every ten seconds, which the server next door takes for an attack.
    quiet = {"grpc.keepalive_time_ms": 2**31 - 1, "grpc.keepalive_permit_without_calls": False}
    client = MilvusClient(uri=f"unix:{folder}/milvus:0", grpc_options=quiet)
    return Connection(client, client.get_server_version(), path, release, engine=database)
