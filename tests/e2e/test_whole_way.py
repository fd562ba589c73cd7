"""The whole way by the command line, with the real embedder, Milvus Lite and chat model:
ingest the sample library, ask, abstain, take up a session; and five real notes if they are
there."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "samples" / "library"
NOTES = ROOT.parent / "shared" / "library" / "llm-notes"
ATTEST = [sys.executable, "-c", "from app.cli.main import run; run()"]
# With the second reading, as it is installed.
ENVIRONMENT = {**os.environ, "ATTEST_GUARD__PROBES": "auto"}
pytestmark = [pytest.mark.models, pytest.mark.slow]


def attest(data: Path, *words: str, code: int = 0) -> dict:
    """Runs a command with --json; its whole stdout must be one JSON document."""
    done = subprocess.run(
        [*ATTEST, *words, "--json", "--data", str(data)],
        cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def library(tmp_path_factory, weights_folder) -> Path:
    """A data directory with the sample library in it, owned by a running API: the commands
    of these tests find it there. The last test needs no API and opens the store itself."""
    data = tmp_path_factory.mktemp("library")
    report = attest(data, "ingest", str(LIBRARY))
    assert (report["added"], report["failed"], report["failures"]) == (12, 0, [])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (data / "serve.log").open("w") as log:
        api = subprocess.Popen(
            [*ATTEST, "serve", "--port", str(port), "--data", str(data)], cwd=ROOT, env=ENVIRONMENT, stderr=log
        )
    until = time.monotonic() + 180
    while not (data / "server.json").exists():
        assert api.poll() is None and time.monotonic() < until, (data / "serve.log").read_text()
        time.sleep(0.1)
    yield data
    api.terminate()
    assert api.wait(120) is not None


def test_a_second_run_skips_what_is_done(library):
    report = attest(library, "ingest", str(LIBRARY))
    assert (report["added"], report["updated"], report["skipped"]) == (0, 0, 12)


@pytest.mark.parametrize(
    ("question", "source", "words"),
    [
        ("苏州工厂的员工有多少天陪产假？", "employee-handbook-zh.md", "15"),
        ("动火许可证的有效期是多长？", "safety-rules-zh.pdf", "8"),
        ("How soon must a lost laptop be reported to the service desk?", "faq-it-en.md", "2 hours"),
        ("误删的共享盘文件在删除后多少天内可以恢复？", "faq-it-en.md", "60"),
    ],
)
def test_an_answer_quotes_its_source_letter_by_letter(library, question, source, words):
    answer = attest(library, "ask", question)
    assert answer["status"] == "answered" and words in answer["text"]
    assert answer["sentences"] and all(s["citations"] for s in answer["sentences"])
    assert {Path(c["uri"]).name for c in answer["citations"]} == {source}
    hits = attest(library, "search", question, "-k", "20")["hits"]
    texts = {hit["chunk_id"]: hit["text"] for hit in hits}
    for citation in answer["citations"]:
        quote = texts[citation["chunk_id"]][citation["start"] : citation["end"]]
        assert citation["quote"] == quote != ""
        if source.endswith(".md"):
            assert quote in (LIBRARY / source).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "question",
    [
        "公司员工的婚假有多少天？",
        "在中国大陆购买的 FS-85 流量计保修期是多久？",
        "What is the list price of the FS-80 in euros?",
    ],
)
def test_what_the_library_does_not_hold_is_said(library, question):
    answer = attest(library, "ask", question)
    assert answer["status"] == "abstained" and answer["citations"] == [] == answer["sentences"]
    assert answer["looked_for"] == [question]


def test_a_session_goes_on_in_another_process(library):
    attest(library, "ask", "TM-20L 的量产推迟到哪一天？", "--session", "s1")
    follow_up = attest(library, "ask", "那原因是什么？", "--session", "s1")
    assert "TM-20L" in follow_up["looked_for"][0] and "密封圈" in follow_up["text"]


def test_ranks_of_every_stage_are_shown(library):
    hit = attest(library, "search", "保修期是多久", "-k", "3")["hits"][0]
    assert {"fused", "reranked"} <= hit["ranks"].keys() and hit["stage"] == "reranked"


def test_a_document_of_one_reader_is_hidden_from_the_others(library, tmp_path):
    secret = tmp_path / "secret.md"
    secret.write_text("# 薪酬\n\n总经理的年薪为 987654 元。\n", encoding="utf-8")
    attest(library, "ingest", str(secret), "--reader", "ann")
    question = "总经理的年薪是多少？"
    assert "987654" in attest(library, "ask", question, "--reader", "ann")["text"]
    for reader in ([], ["--reader", "bob"]):
        assert "987654" not in json.dumps(attest(library, "ask", question, *reader), ensure_ascii=False)
        hits = attest(library, "search", question, "-k", "30", *reader)["hits"]
        assert not any("987654" in hit["text"] for hit in hits)


@pytest.mark.skipif(
    not NOTES.is_dir(), reason="the five real notes are not there (../shared/library/llm-notes)"
)
def test_real_notes_are_read_and_asked(tmp_path, weights_folder):
    report = attest(tmp_path, "ingest", str(NOTES))
    assert (report["added"], report["failed"]) == (5, 0)
    hits = attest(tmp_path, "search", "vLLM的核心创新机制叫什么？", "-k", "3")["hits"]
    assert any("PagedAttention" in hit["text"].replace(" ", "") for hit in hits)
    answer = attest(tmp_path, "ask", "vLLM的核心创新机制叫什么？")
    assert answer["status"] in ("answered", "partial")
    assert "pagedattention" in answer["text"].casefold().replace(" ", "")
    right = {p.name for p in NOTES.glob("*.txt") if "PagedAttention" in p.read_text(encoding="utf-8")}
    assert {Path(c["uri"]).name for c in answer["citations"]} <= right
