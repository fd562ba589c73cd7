"""Where things lie on disk. Knows names of files only; creates nothing at import."""

from dataclasses import dataclass
from pathlib import Path

import platformdirs

from core.errors import StoreError

APP_NAME = "attest"


def weights_dir(configured: Path | None) -> Path:
    """The folder of model weights: shared by all clones of one user."""
    return configured or Path(platformdirs.user_cache_dir(APP_NAME)) / "models"


@dataclass(frozen=True, slots=True)
class DataPaths:
    """The layout of one data directory."""

    root: Path

    @property
    def ledger(self) -> Path:
        """SQLite: ledger, lexical statistics, API keys."""
        return self.root / "attest.db"

    @property
    def tokens(self) -> Path:
        """SQLite: token vectors of chunks, for reranking; can be made again."""
        return self.root / "tokens.db"

    @property
    def lite_store(self) -> Path:
        """Milvus Lite's own folder."""
        return self.root / "milvus.db"

    @property
    def originals(self) -> Path:
        """The accepted files, by document id."""
        return self.root / "originals"

    @property
    def tables(self) -> Path:
        """The tables of documents as Parquet files, by collection and document id."""
        return self.root / "tables"

    @property
    def figures(self) -> Path:
        """The pictures of documents, by collection and document id."""
        return self.root / "figures"

    @property
    def sessions(self) -> Path:
        """SQLite: the graph's checkpoints."""
        return self.root / "sessions.db"

    @property
    def server_record(self) -> Path:
        """Address of the API that owns this directory, while it runs."""
        return self.root / "server.json"

    def create(self) -> None:
        """Makes the folders, readable by this user alone.

        Raises:
            StoreError: they cannot be made.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.originals.mkdir(exist_ok=True, mode=0o700)
            self.tables.mkdir(exist_ok=True, mode=0o700)
            self.figures.mkdir(exist_ok=True, mode=0o700)
        except OSError as exc:
            raise StoreError(
                f"the data directory {self.root} cannot be made: {exc.strerror}",
                remedy="name another with --data, or mend its rights",
            ) from exc
