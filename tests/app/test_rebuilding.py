"""Rebuilding, with the real store, ledger and parsers; the embedders are small stand-ins."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli.main import app
from app.library import IngestOrder, Library
from app.rebuilding import Rebuilding
from app.services import Services
from core.errors import ConflictError, NotFoundError
from core.settings import IngestSettings, Settings
from core.types import Scope

pytestmark = pytest.mark.slow


class CountingEmbedder:
    """Vectors that tell its own from another's; counts what it embeds."""

    language_gap = 0.0

    def __init__(self, name: str, dimensions: int) -> None:
        self.fingerprint, self.dimensions, self.embedded = name, dimensions, 0

    def embed_query(self, text):
        return np.eye(self.dimensions, dtype=np.float32)[len(self.fingerprint) % self.dimensions]

    def embed_documents(self, texts):
        self.embedded += len(texts)
        return np.tile(self.embed_query(""), (len(texts), 1)).reshape(len(texts), self.dimensions)

    token_gap = 0.0

    @property
    def token_fingerprint(self):
        return f"{self.fingerprint}/tokens"

    def embed_query_tokens(self, text):
        return self.embed_query(text)[None]

    def embed_documents_and_tokens(self, texts):
        return self.embed_documents(texts), [np.full((1, self.dimensions), 64, np.int8)] * len(texts)

    def count_tokens(self, text):
        return len(text) // 4


@pytest.fixture
def folder(tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.md").write_text("# Leave\n\n" + "Fifteen days of leave a year. " * 60)
    (files / "b.txt").write_text("年假为十五天。" * 100)
    return files


@pytest.fixture
def open_services(tmp_path):
    opened = []

    def build(embedder, ingest=None) -> Services:
        while opened:
            opened.pop().close()
        settings = Settings(data=tmp_path / "data", ingest=ingest or IngestSettings())
        opened.append(Services(settings, {"embedder": embedder}))
        return opened[-1]

    yield build
    for services in opened:
        services.close()


def test_another_embedder_is_refused_until_the_vectors_are_made_anew(open_services, folder):
    order = IngestOrder((folder,), "default")
    chunks = Library(open_services(CountingEmbedder("one", 8))).ingest(order)["chunks"]
    second = CountingEmbedder("second", 16)
    services = open_services(second)
    with pytest.raises(ConflictError, match="attest rebuild --embed-only --collection default"):
        Library(services).ingest(order)
    heard = []
    report = Rebuilding(services).embed_again("default", lambda *step: heard.append(step))
    assert report["chunks"] == second.embedded == chunks and heard[-1] == (chunks, chunks)
    assert (report["former_embedder"], report["embedder"]) == ("one", "second")
    assert report["documents"] == 2
    # The files count as done: nothing is read or embedded again.
    assert Library(services).ingest(order)["skipped"] == 2 and second.embedded == chunks
    store = services.store()
    assert len(store.search_dense(Scope("default"), second.embed_query(""), 100)) == chunks


def test_files_that_would_be_cut_otherwise_stay_due_after_new_vectors(open_services, folder):
    order = IngestOrder((folder,), "default")
    Library(open_services(CountingEmbedder("one", 8))).ingest(order)
    services = open_services(CountingEmbedder("second", 8), IngestSettings(chunk_tokens=60))
    assert Rebuilding(services).embed_again("default", lambda *_: None)["documents"] == 0
    assert Library(services).ingest(order)["updated"] == 2


def test_stored_files_are_cut_again_without_their_sources(open_services, folder):
    before = Library(open_services(CountingEmbedder("one", 8))).ingest(IngestOrder((folder,), "default"))
    for file in folder.iterdir():
        file.unlink()
    services = open_services(CountingEmbedder("one", 8), IngestSettings(chunk_tokens=60, overlap_tokens=0))
    report = Rebuilding(services).chunk_again("default", lambda _: None)
    assert report["updated"] == 2 and report["exit_code"] == 0
    assert report["chunks"] > before["chunks"]
    counts = services.index().count_chunks("default")
    assert sum(counts.values()) == report["chunks"] and len(counts) == 2


def test_a_collection_that_is_not_there(open_services):
    work = Rebuilding(open_services(CountingEmbedder("one", 8)))
    for call in (work.embed_again, work.chunk_again):
        with pytest.raises(NotFoundError, match="attest ingest"):
            call("nowhere", lambda *_: None)


@pytest.mark.parametrize("flags", [[], ["--embed-only", "--rechunk"]])
def test_the_command_wants_to_know_what(flags, tmp_path):
    done = CliRunner().invoke(app, ["rebuild", *flags, "--data", str(tmp_path), "--json"])
    assert done.exit_code == 2
    assert "--embed-only or --rechunk" in json.loads(done.stdout)["error"]["remedy"]


def test_the_command_names_an_unknown_collection(tmp_path):
    arguments = ["rebuild", "--rechunk", "--collection", "nowhere", "--data", str(tmp_path), "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2 and json.loads(done.stdout)["error"]["code"] == "not_found"
