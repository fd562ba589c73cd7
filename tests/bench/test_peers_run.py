"""The driver with two tiny workers in processes of their own."""

import sys

import pytest

from bench.peers.libraries import Plan, Question, Size
from bench.peers.protocol import Passage
from bench.peers.run import OURS, cold_starts, commands, measure, report
from bench.peers.workers import Worker, WorkerCommand, WorkerFailed, rotated, worker_environment

PASSAGES = [Passage("p:1", "wool and linen"), Passage("p:2", "copper, zinc"), Passage("p:3", "beer")]
QUESTIONS = [
    Question("xquad-en-en", "q1", "wool, linen", "p:1"),
    Question("xquad-en-en", "q2", "zinc copper", "p:2"),
    Question("xquad-zh-en", "q3", "beber", "p:3"),
]
PLAN = Plan({"en": PASSAGES}, QUESTIONS)


def tiny(name, *arguments):
    return WorkerCommand(name, sys.executable, "tests.bench.tiny_system", arguments)


@pytest.mark.slow
def test_a_run_gives_every_figure(tmp_path):
    started = [tiny(OURS, str(tmp_path)), tiny("other", str(tmp_path))]
    measured = measure(started, PLAN, tmp_path)
    assert (tmp_path / "closed").exists()
    assert len(measured.asked) == len(QUESTIONS) * 2 * 2
    found = report(measured, PLAN, Size(3, 0, 0, 7))
    own, theirs = (found["quality"]["xquad-en-en"][f"{name}: forward"] for name in (OURS, "other"))
    assert own == theirs and own["recall@1"] == 1.0
    assert found["quality"]["xquad-en-en"]["other: backward"]["recall@1"] == 0.0
    assert found["same model: cosines of question vectors with ours"]["other"]["min"] == 1.0
    assert found["indexing"]["other"]["texts"] == len(PASSAGES)
    assert found["libraries"]["en"]["sources"] == {"p": {"passages": 3, "ids": "1 2 3"}}
    assert found["failures against the best other way"]["xquad-zh-en"]["1 - ndcg@10"]["best"] == "other: forward"
    cold = cold_starts(started, measured.about, PLAN, tmp_path, runs=1)
    assert cold["other"]["first_hit_s"]["runs"] == 1
    assert 0 < cold["other"]["ready_s"]["median"] <= cold["other"]["first_hit_s"]["median"]


def test_a_worker_that_fails_is_quoted(tmp_path):
    worker = Worker(tiny("broken", "fail"), tmp_path / "log")
    with worker, pytest.raises(WorkerFailed, match="was told to fail"):
        worker.receive()


def test_a_worker_that_dies_while_asked_is_quoted(tmp_path):
    with Worker(tiny("broken", str(tmp_path)), tmp_path / "log") as worker:
        worker.receive()
        with pytest.raises(WorkerFailed, match="KeyError"):
            worker.ask({"do": "query", "library": "none", "question": "?", "ways": ["forward"], "limit": 1})


def test_everybody_is_first_in_turn():
    assert [rotated("abc", turn)[0] for turn in range(4)] == ["a", "b", "c", "a"]
    assert sorted(rotated("abc", 2)) == ["a", "b", "c"]
    assert rotated([], 5) == []


def test_workers_may_keep_compiled_files_and_reach_no_hub():
    environment = worker_environment({"PYTHONDONTWRITEBYTECODE": "1", "HOME": "/h", "HF_HUB_OFFLINE": "0"})
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["HOME"] == "/h" and environment["HF_HUB_OFFLINE"] == "1"


def test_each_system_runs_in_its_environment(tmp_path):
    ours, peer, with_files = commands([OURS, "haystack", "langchain_milvus"], "/peers/python", tmp_path, tmp_path)
    assert ours.python == sys.executable and ours.arguments == (str(tmp_path / OURS),)
    assert peer.python == "/peers/python" and peer.arguments == (str(tmp_path),)
    assert with_files.arguments == (str(tmp_path), str(tmp_path / "langchain_milvus"))
