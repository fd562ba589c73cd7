"""What needs no model works where no weights are: over the real store and ledger."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from app.services import Services
from core.settings import Settings
from ingest.ledger import FileStatus
from ingest.pipeline import IngestRequest
from tests.app.fakes import ledger_row


class SmallEmbedder:
    """Every text the same vector."""

    dimensions, fingerprint, language_gap = 4, "same-4", 0.0
    token_fingerprint, token_gap = "same-4/tokens", 0.0

    def embed_documents(self, texts):
        import numpy as np

        return np.tile(np.array([1, 0, 0, 0], dtype=np.float32), (len(texts), 1))

    def embed_documents_and_tokens(self, texts):
        import numpy as np

        return self.embed_documents(texts), [np.ones((1, 4), np.int8)] * len(texts)

    def count_tokens(self, text):
        return len(text)


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Runs a command over data that was ingested with weights which are gone now."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATTEST_CACHE", str(tmp_path / "none"))
    (tmp_path / "a.txt").write_text("words")
    services = Services(Settings(_env_file=None, data=tmp_path / "data"), {"embedder": SmallEmbedder()})
    services.ingestor().ingest([tmp_path / "a.txt"], IngestRequest("default"))
    failed = ledger_row("/b.pdf", status=FileStatus.FAILED, code="encrypted")
    services.ledger().put(replace(failed, document_id="0" * 64))
    services.close()

    def call(*arguments):
        result = CliRunner().invoke(app, [*arguments, "--json"])
        return result.exit_code, json.loads(result.stdout)

    return call


@pytest.mark.slow
def test_documents_and_collections_need_no_weights(invoke, tmp_path):
    uri = (tmp_path / "a.txt").resolve().as_posix()
    code, listed = invoke("documents", "list")
    assert (code, [row["uri"] for row in listed["documents"]]) == (0, [uri])
    code, shown = invoke("documents", "show", uri)
    assert (code, shown["title"]) == (0, "a")
    code, failed = invoke("documents", "failed")
    assert (code, [row["code"] for row in failed["failures"]]) == (0, ["encrypted"])
    code, collections = invoke("collections", "list")
    assert collections == {"collections": [{"name": "default", "documents": 1, "chunks": 1}]}
    code, error = invoke("ingest", uri, "--force")
    assert (code, error["error"]["code"]) == (3, "model_missing")
    assert invoke("collections", "delete", "default") == (0, {"deleted": "default"})
    assert invoke("collections", "list") == (0, {"collections": []})
