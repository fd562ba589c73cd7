"""The engine behind the stages: how many at once, and what it costs when a worker is lost."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.library import IngestOrder, Library
from app.services import Services
from core.errors import FileError, SettingsError
from core.settings import EmbedderSettings, IngestSettings, Settings
from core.types import Document
from ingest.discover import find_candidates
from ingest.engine import WORKER_LOST, CutFile, CutOrder, LocalEngine
from ingest.extras import IngestExtras
from ingest.ledger import FileStatus
from ingest.parsers.media_types import DOCX
from ingest.parsing import DirectParserRunner
from ingest.pipeline import Ingestor
from ingest.queue import IngestQueue
from ingest.ray_workers import EmbedWorker, Failure, WorkerSpec, code_versions, cut_file
from ingest.report import Outcome
from ingest.request import IngestRequest
from tests.ingest.pictures import WORDS, save_docx


class TwoOfEach(LocalEngine):
    """The local engine with several passes of the model at once."""

    embedders = 2


def build(bench, engine_class=TwoOfEach) -> Ingestor:
    runner = DirectParserRunner()
    engine = engine_class(runner, bench.index.count_tokens, bench.settings)
    return Ingestor(bench.ledger, bench.index, bench.originals, bench.settings, runner, IngestExtras(engine))


def test_several_embedding_threads_end_every_file_once(bench):
    for at in range(40):
        bench.write(f"{at}.md", f"# Number {at}\n\nSome words of file {at}.")
    report = build(bench).ingest([bench.docs], IngestRequest("default"))
    assert (report.added, report.failed, report.chunks) == (40, 0, 40)
    assert len({row["uri"] for row in bench.index.rows()}) == 40


def test_a_lost_worker_costs_only_the_file_that_it_was_lost_over(bench):
    embed, passes = bench.index.embed, []

    def fragile(documents):
        passes.append(len(documents))
        if any("deadly" in chunk.text for _, chunks in documents for chunk in chunks):
            raise FileError("its worker ended", code=WORKER_LOST, retryable=True)
        return embed(documents)

    bench.index.embed = fragile
    for name in ("a", "b", "deadly", "c"):
        bench.write(f"{name}.md", f"The word is {name}.")
    report = build(bench).ingest([bench.docs], IngestRequest("default"))
    assert (report.added, report.failed) == (3, 1)
    [row] = bench.ingestor.failures("default")
    assert (Path(row.uri).name, row.code, row.retryable) == ("deadly.md", WORKER_LOST, True)
    assert ("remove", row.document_id) in bench.index.history, "tables and token vectors may be there"
    assert bench.ingestor.queue.has("default", row.uri), "it is tried again later"
    assert bench.ingestor.verify("default").is_sound
    assert passes


def test_what_another_process_holds_is_skipped_with_a_warning(bench):
    path = bench.write("a.md", "words")
    bench.write("b.md", "other words")
    other = IngestQueue(bench.ledger)
    request = IngestRequest("default")
    [decision] = bench.ingestor._intake.decide(find_candidates([path], None), request)
    other.accept([decision.row])
    seen = []
    report = bench.ingestor.ingest([bench.docs], request, seen.append)
    assert (report.added, report.skipped) == (1, 1)
    assert [(Path(w.uri).name, w.code) for w in report.warnings] == [("a.md", "in_work")]
    assert bench.ledger.get("default", str(path)).status is FileStatus.WRITING
    assert {step.outcome for step in seen} == {Outcome.ADDED, Outcome.SKIPPED}


class TestRayWorkers:
    """What a worker does can be seen without Ray."""

    def spec(self, weights: Path) -> WorkerSpec:
        return WorkerSpec(IngestSettings(), EmbedderSettings(), weights, code_versions())

    def test_missing_weights_come_back_as_a_value_with_their_remedy(self, tmp_path):
        made = EmbedWorker(self.spec(tmp_path)).embed(True, True, "any", ["words"])
        assert isinstance(made, Failure) and not made.of_file
        assert "weights are not in" in made.message and "attest models fetch" in made.remedy

    @pytest.mark.models
    def test_other_weights_than_the_drivers_are_refused(self, weights_folder, built_in_embedder):
        worker = EmbedWorker(self.spec(weights_folder))
        assert worker.embed(False, False, "other", ["words"]).code == "other_version"
        made = worker.embed(False, True, built_in_embedder.fingerprint, ["words", "字"])
        dense, tokens = built_in_embedder.embed_documents_and_tokens(["words", "字"])
        assert (made.dense == dense).all() and all(
            (a == b).all() for a, b in zip(made.tokens, tokens, strict=True)
        )


    @pytest.mark.slow
    @pytest.mark.models
    @pytest.mark.parametrize("figures", [True, False])
    def test_pictures_are_read_as_by_the_driver(self, weights_folder, tmp_path, figures):
        spec = replace(self.spec(weights_folder), ingest=IngestSettings(figures=figures))
        path = save_docx(tmp_path / "a.docx")
        document = Document("d" * 64, str(path), "", DOCX, path.stat().st_size, "default")
        made = cut_file(spec, CutOrder(path, document, "a.docx"))
        assert isinstance(made, CutFile), made
        assert len(made.figures) == figures
        assert any(WORDS in chunk.text for chunk in made.chunks) == figures


def test_without_ray_the_error_names_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    services = Services(Settings(data=tmp_path, ingest=IngestSettings(engine="ray")))
    with pytest.raises(SettingsError, match="ray is not installed") as caught:
        Library(services).ingest(IngestOrder((tmp_path,), "default"))
    assert "attest[ray]" in caught.value.remedy
