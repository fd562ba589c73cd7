"""Questions to tables: rows of our own, how a number is right, and the public sets."""

import json
from decimal import Decimal

import pytest

from agents.tables.cues import Operation
from core.errors import InputError
from core.settings import Settings
from core.types import Table
from evals.datasets.table_questions import TableQuestionRow, read_file
from evals.table_derivations import read_derivation
from evals.tables import is_held_out, is_right
from evals.tables_run import TablesJob, run_tables

TABLE = {"header": ["", "2019", "2018"], "rows": [["Revenue", "$ 1,200", "1,000"], ["Cost", "(70)", "65"]]}


def write(tmp_path, *rows):
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


def run(job) -> dict:
    return run_tables(job, Settings(_env_file=None), lambda _: None)


def test_own_questions_are_asked_and_counted(tmp_path):
    rows = [
        {"id": "1", "table": TABLE, "question": "What was the revenue in 2018?", "answer": "1000"},
        {"id": 2, "table": TABLE, "question": "What is the change in revenue from 2018 to 2019?", "answer": 200},
        {"id": "3", "table": TABLE, "question": "What were revenue and cost in 2019?", "answer": ["-70", "1,200"]},
        {"id": "4", "table": TABLE, "question": "Who is the chairman?", "answer": "Ann"},
        {"id": "5", "table": {**TABLE, "header": [["", "Year", "Year"], ["", "2019", "2018"]]},
         "question": "What was the cost in 2018?", "answer": "65.0"},
    ]  # fmt: skip
    report = run(TablesJob(write(tmp_path, *rows), (), None))
    assert (report["kind"], report["n"], report["exact_match"]) == ("tables", 5, 0.8)
    rules = report["sets"]["questions.jsonl"]["routes"]["rules"]
    assert rules["precision"] == 1.0 and rules["answered"] == 0.8
    assert report["queries"]["4"]["right"] == 0.0 and report["queries"]["2"]["sql"].startswith("SELECT")


@pytest.mark.parametrize(
    "line", ["{", "{}", "[]", json.dumps({"id": 1, "table": {"header": [], "rows": [1]}, "question": "q", "answer": 1})]
)
def test_a_broken_line_is_named(tmp_path, line):
    path = tmp_path / "broken.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2"):
        read_file(path)


@pytest.mark.parametrize(
    "job",
    [
        TablesJob(None, (), None),
        TablesJob(None, ("tatqa",), None),
        TablesJob(None, ("nothing",), "here"),
        TablesJob(None, ("tatqa",), "here", half="third"),
    ],
)
def test_what_names_no_questions_is_refused(tmp_path, job):
    with pytest.raises(InputError) as error:
        run(TablesJob(job.file, job.sets, tmp_path if job.data else None, job.half))
    assert error.value.remedy


@pytest.mark.parametrize(
    ("given", "known", "right"),
    [
        (("-19.9275",), ("-19.93",), True),
        (("-19.9275",), ("-19.92",), False),
        (("$ 1,200",), ("1200",), True),
        (("(19)", "(41)"), ("-41", "-19"), True),
        (("(19)",), ("-41", "-19"), False),
        (("Years ended 2019",), ("2019",), True),
        (("25.7 %",), ("25.70",), True),
        ((), ("0",), False),
    ],
)
def test_a_number_is_right_to_the_places_of_the_known_one(given, known, right):
    assert is_right(given, TableQuestionRow("1", "q", Table(()), known)) is right


@pytest.mark.parametrize(
    ("text", "operation", "value"),
    [
        ("4,206-4,860", Operation.DIFFERENCE, "-654"),
        ("($159 - 219)/219", Operation.PERCENT_CHANGE, None),
        ("(16,684 + 8,078) / 2", Operation.AVERAGE, "12381"),
        ("1+2+3.5", Operation.SUM, "6.5"),
        ("-2,085-(-3,343)", Operation.DIFFERENCE, "1258"),
        ("6/4", Operation.RATIO, "1.5"),
    ],
)
def test_derivations_are_read_in_exact_decimals(text, operation, value):
    found = read_derivation(text)
    assert found.operation is operation and (value is None or found.value == Decimal(value))


@pytest.mark.parametrize("text", ["", "Fourth quarter", "1/0", "__import__('os')", "2**9", "(1+2)/3", "73.2%>72.2%", "9" * 5000])
def test_other_derivations_are_none(text):
    assert read_derivation(text) is None


def test_halves_are_the_same_everywhere():
    rows = [TableQuestionRow(str(at), "q", Table(()), ()) for at in range(8)]
    assert [is_held_out(row) for row in rows] == [at % 2 == 1 for at in range(8)]


@pytest.mark.parametrize(("name", "least"), [("imtqa-zh", 0.5), ("tatqa", 0.5)])
def test_rules_reach_their_mark_on_the_half_that_nobody_looked_at(eval_data, name, least):
    report = run(TablesJob(None, (name,), eval_data, limit=200))
    rules = report["sets"][name]["routes"]["rules"]
    assert rules["exact_match"] >= least and rules["precision"] >= 0.8
    assert rules["numeric_exactness"] in (None, 1.0)
