"""`attest eval parsing`: what counts as found, forbidden, failed."""

import json

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from core.errors import InputError
from evals.parsing import evaluate_parsing, plain_words, read_expectations
from ingest.parsing import DirectParserRunner

LIMIT = 2**20


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.md").write_text(
        "# 手册\n\nThe **warranty** is *two* years.", "utf-8"
    )
    (tmp_path / "b.bin").write_bytes(b"\0\1\2")
    rows = [
        {
            "filename": "a.md",
            "must_include": ["## 手册", "warranty is two years", "nowhere", "](http://y.example"],
            "must_not_include": ["**warranty**", "WARRANTY"],
        },
        {"filename": "b.bin", "must_include": ["words"]},
        {"filename": "gone.txt", "must_include": ["words"]},
    ]
    (tmp_path / "expect.json").write_text(json.dumps(rows), "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("## Head", "Head"),
        ("a **b** _c_ `d` snake_case", "abcdsnake_case"),
        ('by [Bill](/wiki/Bill "Bill")', "byBill"),
        ("![alt](p.png)", "alt"),
        ("](https://en.example/", ""),
        ("data:image/png;base64,iVBOR", ""),
        ("```python", ""),
        ("| a | b |\n| --- | --- |", "ab"),
        ("* item\n> quote", "itemquote"),
        ("5 * 3 # 2", "53#2"),
    ],
)
def test_markup_is_set_aside(text, words):
    assert plain_words(text) == words


def test_strings_are_counted_and_failures_named(folder):
    report = evaluate_parsing(folder, read_expectations(folder / "expect.json"), DirectParserRunner(), LIMIT)
    assert report["found"] == 0.5 and report["failed_files"] == 1 and report["pages_per_second"] > 0
    assert report["counts"] == {
        "files": 2, "strings": 4, "found": 2, "markup_only": 1, "verbatim": 1, "must_not": 2, "forbidden": 0,
        "empty_without_reason": 0,
    }  # fmt: skip
    assert [row["missing"] for row in report["files"]] == [["nowhere"], ["words"]]
    assert report["failures"][0]["code"] == "unknown_type"
    assert report["absent_files"] == ["gone.txt"]


def test_forbidden_strings_are_looked_for_as_they_stand(folder):
    (folder / "expect.json").write_text(
        json.dumps([{"filename": "a.md", "must_not_include": ["is two  years", "手册"]}]), "utf-8"
    )
    report = evaluate_parsing(folder, read_expectations(folder / "expect.json"), DirectParserRunner(), LIMIT)
    assert report["found"] is None and report["files"][0]["forbidden"] == ["is two  years", "手册"]


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1}', '[{"must_include": []}]'])
def test_what_is_no_list_of_expectations_is_refused(tmp_path, text):
    (tmp_path / "e.json").write_text(text)
    with pytest.raises(InputError):
        read_expectations(tmp_path / "e.json")


def test_the_command(folder):
    found = CliRunner().invoke(app, ["eval", "parsing", str(folder), "--expect", "expect.json", "--json"])
    assert found.exit_code == 0, found.stderr
    assert len(json.loads(found.stdout)["settings_fingerprint"]) == 16
    assert json.loads(found.stdout)["found"] == 0.5
    shown = CliRunner().invoke(app, ["eval", "parsing", str(folder)])
    assert "unknown_type" in shown.stdout and "failed" in shown.stdout


@pytest.mark.slow
def test_the_public_list_of_another_parser(eval_data):
    """Of the kinds that are read here; spreadsheets have tests of their own."""
    wanted = [
        e
        for e in read_expectations(eval_data / "markitdown" / "expectations.json")
        if not e.filename.endswith((".csv", ".xls", ".xlsx"))
    ]
    report = evaluate_parsing(eval_data / "markitdown", wanted, DirectParserRunner(), 64 * LIMIT)
    counts = report["counts"]
    missing = [text for row in report["files"] for text in row["missing"]]
    assert missing == ["## Content"], "a heading that the other program adds to a mail"
    assert (counts["forbidden"], report["failed_files"], counts["empty_without_reason"]) == (0, 0, 0)
