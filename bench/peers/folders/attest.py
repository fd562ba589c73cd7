"""The product, as `attest ingest` does it: limited parse processes, a durable ledger and index,
token vectors for reranking.

`python -m bench.peers.folders.attest unused FOLDER`.
"""

import shutil
import tempfile
from pathlib import Path

from app.services import Services
from bench.peers.folders.clock import Pipeline, Texts, main
from core.settings import load_settings
from core.types import Scope, chunk_id
from ingest.pipeline import IngestRequest


def load(model: str) -> Pipeline:
    """The services over a new data folder, the built-in embedder loaded."""
    settings = load_settings(data=Path(tempfile.mkdtemp(prefix="folder-bench-")))
    services = Services(settings)
    services.embedder().embed_query("warm")

    def ingest(folder: Path) -> Texts:
        report = services.ingestor().ingest([folder], IngestRequest("default"))
        if report.failures:
            raise RuntimeError(f"files failed: {report.failures[:3]}")
        services.close()  # so that the processor time of the parse processes is counted
        return texts

    def texts() -> list[str]:
        reopened = Services(settings)
        try:
            rows = reopened.ledger().rows("default")
            ids = [chunk_id(row.document_id, at) for row in rows for at in range(row.chunks)]
            return [chunk.text for chunk in reopened.store().get_chunks(Scope("default"), ids)]
        finally:
            reopened.close()
            shutil.rmtree(settings.data, ignore_errors=True)

    return ingest


if __name__ == "__main__":
    main(load)
