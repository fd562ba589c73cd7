"""Ingestion on a Ray of this machine: workers are killed, and every file is in once."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.library import IngestOrder, Library
from app.services import Services
from core.errors import FileError, ServiceError
from core.settings import EmbedderSettings, IngestSettings, LedgerSettings, RaySettings, Settings
from core.telemetry import SWITCHES
from core.types import Document, Scope
from ingest.engine import WORKER_LOST, CutOrder
from ingest.ray_engine import LOCAL_SWITCHES, RayEngine
from ingest.ray_workers import WorkerSpec, code_versions
from tests.ingest.ray_processes import descendants, kill_at_work, listening_addresses, wait_for_end
from tests.postgres_server import PASSWORD

pytestmark = [pytest.mark.ray, pytest.mark.models, pytest.mark.slow]
SAMPLES = Path(__file__).parents[2] / "samples" / "library"
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Thirty files in both languages: the samples and short ones."""
    made = tmp_path_factory.mktemp("library")
    for path in SAMPLES.iterdir():
        (made / path.name).write_bytes(path.read_bytes())
    for at in range(9):
        en = f"# Pump {at}\n\nPump {at} runs at {at + 2} bar. " + "Its filter is cleaned each week. " * 20
        zh = f"# 水泵 {at}\n\n{at} 号水泵的压力是 {at + 2} 巴。" + "过滤器每周清洗一次。" * 30
        (made / f"pump-{at}.md").write_text(en, encoding="utf-8")
        (made / f"水泵-{at}.md").write_text(zh, encoding="utf-8")
    assert len(list(made.iterdir())) == 30
    return made


@pytest.fixture(scope="module")
def by_threads(folder, tmp_path_factory, weights_folder):
    """What the local engine makes of the folder."""
    return ingested(Settings(data=tmp_path_factory.mktemp("local")), folder)


@pytest.fixture(scope="module")
def local_ray(weights_folder):
    """A Ray for all tests of this module; an engine uses the one that runs."""
    spec = WorkerSpec(IngestSettings(workers=5), EmbedderSettings(), weights_folder, code_versions())
    engine = RayEngine(spec, RaySettings())
    engine._start()
    yield
    engine.close()


@dataclass(frozen=True)
class Contents:
    """What stands in the ledger and in the index."""

    files: list
    chunks: list
    amiss: list


def contents(services: Services, report: dict) -> Contents:
    assert (report["added"], report["failures"]) == (30, [])
    rows = services.ingestor().list("default")
    chunks = services.store().find_chunks(Scope("default"), [], 5000)
    verified = Library(services).verify()
    return Contents(
        [
            (row.uri, row.document_id, row.title, row.chunks, row.pages, row.tables, row.warnings)
            for row in rows
        ],
        sorted((c.id, c.text, c.headings, c.page, c.boxes, c.kind, c.uri, c.title) for c in chunks),
        verified["faults"],
    )


def ingested(settings: Settings, folder: Path, on_progress=None) -> Contents:
    services = Services(settings)
    try:
        report = Library(services).ingest(IngestOrder((folder,), "default"), on_progress)
        return contents(services, report)
    finally:
        services.close()


def test_workers_that_are_killed_cost_nothing(folder, by_threads, tmp_path):
    """The command, with a parse worker and the embedding worker killed at their work."""
    attest = Path(sys.executable).with_name("attest")
    command = [attest, "ingest", str(folder), "--data", str(tmp_path), "--json"]
    with subprocess.Popen(
        [*command, "--engine", "ray", "--workers", "2"], stdout=subprocess.PIPE, text=True
    ) as process:
        is_over = lambda: process.poll() is not None  # noqa: E731
        killed = [kill_at_work(process.pid, title, is_over) for title in ("attest_cut", "EmbedWorker.embed")]
        everything = dict(descendants(process.pid))
        addresses = listening_addresses({*everything, process.pid})
        report = json.loads(process.stdout.read())
    assert process.returncode == 0 and all(killed), killed
    assert any("raylet" in title for title in everything.values()) and addresses
    assert addresses <= LOOPBACK, "nothing listens to other machines"
    services = Services(Settings(data=tmp_path))
    try:
        assert contents(services, report) == by_threads
        assert by_threads.amiss == []
    finally:
        services.close()
    assert wait_for_end(everything) == {}, "Ray ended with the command"


def test_the_same_with_the_ledger_on_postgres(folder, by_threads, tmp_path, postgres_server, local_ray):
    settings = Settings(
        data=tmp_path,
        ledger=LedgerSettings(url=postgres_server.new_database(), password=PASSWORD),
        ingest=IngestSettings(engine="ray", workers=2),
    )
    over = threading.Event()
    killed = []
    killer = threading.Thread(
        target=lambda: killed.append(kill_at_work(os.getpid(), "attest_cut", over.is_set))
    )
    killer.start()
    try:
        made = ingested(settings, folder)
    finally:
        over.set()
        killer.join()
    assert killed[0] and made == by_threads
    assert not (tmp_path / "attest.db").exists()


@dataclass(frozen=True)
class DeadlySpec(WorkerSpec):
    """Workers that one file kills, as a fault in a native library would."""

    def build_reader(self):
        return DeadlyReader(super().build_reader())


class DeadlyReader:
    """Ends its process when it meets a file of a certain name."""

    def __init__(self, reader) -> None:
        self._reader = reader

    def cut(self, order: CutOrder):
        if order.name == "deadly.md":
            os.kill(os.getpid(), signal.SIGKILL)
        return self._reader.cut(order)


@pytest.fixture
def engine(local_ray, weights_folder):
    def make(kind=WorkerSpec, versions="") -> RayEngine:
        spec = kind(
            IngestSettings(workers=2), EmbedderSettings(), weights_folder, versions or code_versions()
        )
        return RayEngine(spec, RaySettings(attempts=2))

    return make


def order(path: Path) -> CutOrder:
    document = Document("d" * 64, str(path), path.name, "text/markdown", 1, "default")
    return CutOrder(path, document, path.name)


def test_a_file_that_kills_every_worker_fails_and_the_others_go_on(engine, tmp_path):
    made = engine(DeadlySpec)
    for name in ("deadly.md", "good.md"):
        (tmp_path / name).write_text("# Title\n\nSome words stand here.", encoding="utf-8")
    with pytest.raises(FileError, match="each of the 2 times") as caught:
        made.cut(order(tmp_path / "deadly.md"))
    assert (caught.value.code, caught.value.retryable) == (WORKER_LOST, True)
    cut = made.cut(order(tmp_path / "good.md"))
    assert cut.document.title == "Title" and "Some words" in cut.chunks[0].text


def test_what_a_worker_does_not_see_or_cannot_read_is_that_files_failure(engine, tmp_path):
    made = engine()
    with pytest.raises(FileError, match="does not see") as caught:
        made.cut(order(tmp_path / "missing.md"))
    assert caught.value.code == "not_shared" and "same path on every node" in caught.value.remedy
    (tmp_path / "empty.md").write_text(" ", encoding="utf-8")
    with pytest.raises(FileError) as caught:
        made.cut(order(tmp_path / "empty.md"))
    assert caught.value.code == "no_text"


def test_workers_of_another_version_or_without_weights_are_named(engine, tmp_path):
    (tmp_path / "a.md").write_text("words", encoding="utf-8")
    with pytest.raises(ServiceError, match="another version") as caught:
        engine(versions="older").cut(order(tmp_path / "a.md"))
    assert "every node" in caught.value.remedy
    bare = engine()
    bare._spec = replace(bare._spec, weights=tmp_path)
    with pytest.raises(ServiceError, match="weights are not in") as caught:
        bare.cut(order(tmp_path / "a.md"))
    assert "attest models fetch" in caught.value.remedy


@pytest.fixture
def cluster(tmp_path):
    """The environment of a command that joins a cluster of one node, started beside it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = {**os.environ, **SWITCHES, **LOCAL_SWITCHES, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "ab" * 32}
    command = [Path(sys.executable).with_name("ray"), "start", "--head", "--block", "--port", port]
    command += ["--num-cpus", "3", "--include-dashboard=false", "--node-ip-address", "127.0.0.1"]
    with (tmp_path / "log").open("w") as log:
        head = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 120
        while "Ray runtime started" not in (tmp_path / "log").read_text():
            assert head.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.2)
        yield environment | {"ATTEST_RAY__ADDRESS": f"127.0.0.1:{port}"}
    finally:
        below = dict(descendants(head.pid))
        head.terminate()
        head.wait(60)
        for pid in wait_for_end(below):
            os.kill(pid, signal.SIGKILL)


def test_a_running_cluster_is_joined_by_its_address_and_token(cluster, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# 水泵\n\n压力是三巴。 The pump runs at three bar.", encoding="utf-8")
    command = [Path(sys.executable).with_name("attest"), "ingest", tmp_path / "docs", "--engine", "ray", "--json"]
    done = subprocess.run(
        [*command, "--data", tmp_path / "data"], env=cluster, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["added"] == 1


def test_a_cluster_that_is_not_there_is_named(tmp_path):
    spec = WorkerSpec(IngestSettings(), EmbedderSettings(), tmp_path, "")
    with pytest.raises(ServiceError, match="the Ray cluster 127.0.0.1:1 cannot be joined") as caught:
        RayEngine(spec, RaySettings(address="127.0.0.1:1"))._join()
    assert "ray.address" in caught.value.remedy
