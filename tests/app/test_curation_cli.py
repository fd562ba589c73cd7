"""`attest faq` and `attest feedback`, over a data directory of their own and over a running API."""

import json

import pytest
from typer.testing import CliRunner

from agents.kept_answers import KeptAnswer
from app.cli.main import app
from app.library import IngestOrder, Library
from app.services import Services
from core.settings import Settings
from core.types import Answer, Citation, Label, Scope, Sentence, Status, Verdict
from evals.answers import read_questions
from tests.app.test_cli import served  # noqa: F401

TEXT = "The probation period is six months."
QUESTION = "How long is the probation period?"


@pytest.fixture
def attest(tmp_path, built_in_embedder, monkeypatch):
    """Runs a command over a directory with one document and two answers about it, one withheld."""
    settings = Settings(_env_file=None, data=tmp_path / "data")
    services = Services(settings, {"embedder": built_in_embedder, "token_embedder": built_in_embedder})
    path = tmp_path / "hr.md"
    path.write_text(f"# Staff\n\n{TEXT}\n", encoding="utf-8")
    assert Library(services).ingest(IngestOrder((path,), "default"))["added"] == 1
    scope = Scope("default")
    [chunk] = services.store().find_chunks(scope, [], 9)
    start = chunk.text.index(TEXT)
    citation = Citation(
        1, chunk.id, chunk.document_id, chunk.title, chunk.uri, TEXT, start, start + len(TEXT)
    )
    sentence = Sentence(TEXT, (1,), Verdict(Label.SUPPORTED, 0.9, "g"))
    good = Answer("good", Status.ANSWERED, f"{TEXT}[1]", (sentence,), (citation,), session_id="s1")
    withheld = (Sentence("It is nine months.", (), Verdict(Label.CONTRADICTED, 0.1, "exact", "nine")),)
    bad = Answer("bad", Status.ABSTAINED, "…", withheld=withheld, session_id="s2")
    for answer in (good, bad):
        kept = KeptAnswer(answer, QUESTION, "local", scope)
        services.loop().answers.keep(kept)
        services.loop().cases.note_answer(kept, True)
    services.close()
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, exit_code: int = 0):
        result = CliRunner().invoke(app, [*arguments, "--data", str(tmp_path / "data")])
        assert result.exit_code == exit_code, result.output
        return result

    return run


@pytest.mark.slow
def test_from_a_bad_case_to_a_curated_answer_and_to_rows_of_an_evaluation(attest, tmp_path):
    assert "withheld: It is nine months." in attest("feedback", "cases").stdout
    attest("feedback", "rate", "good", "up")
    [found] = json.loads(attest("faq", "suggest", "--json").stdout)["suggestions"]
    assert (found["count"], found["answer"]["answer_id"]) == (2, "good")
    assert f"attest faq add --suggestion {found['id']}" in attest("faq", "suggest").stdout
    entry = json.loads(attest("faq", "add", "--suggestion", found["id"], "--json").stdout)
    assert entry["status"] == "valid" and entry["citations"][0]["quote"] == TEXT
    shown = attest("faq", "list").stdout
    assert f"{entry['id']}  valid  {QUESTION}" in shown and TEXT in shown
    rows = tmp_path / "golden.jsonl"
    assert json.loads(attest("feedback", "export", str(rows), "--json").stdout)["written"] == 1
    [row] = read_questions(rows)
    assert row["question"] == QUESTION and row["must_match"] == [["six", "6"]]
    assert attest("faq", "delete", entry["id"]).stdout == f"deleted {entry['id']}\n"


@pytest.mark.slow
def test_what_is_refused_says_why_and_how_to_keep_it(attest):
    words = ["faq", "add", "--question", QUESTION, "--answer", "The probation period is nine months."]
    refused = attest(*words, exit_code=2)
    assert "nine months" in refused.stderr and "--force" in refused.stderr
    assert "unverified" in attest(*words, "--force").stdout
    attest("feedback", "rate", "good", "sideways", exit_code=2)
    attest("feedback", "rate", "none", "up", exit_code=2)


def test_a_running_api_is_asked(served):  # noqa: F811
    assert served("faq", "list").stdout.startswith("No entries.")
    assert served("faq", "suggest").stdout.startswith("No question came up 2 times.")
    assert served("feedback", "cases").stdout == "No bad cases.\n"
    assert json.loads(served("faq", "list", "--reader", "hr", "--json").stdout)["entries"] == []
    missing = served("faq", "delete", "none")
    assert missing.exit_code == 2 and "there is no FAQ entry" in missing.stderr
    missing = served("feedback", "rate", "none", "down", "--reason", "x")
    assert missing.exit_code == 2 and "no kept answer" in missing.stderr
