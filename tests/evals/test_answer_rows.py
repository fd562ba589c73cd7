"""Questions with given passages: how they are made, read, kept apart, and measured."""

import json

import pytest

from agents.several_facts import asks_several_facts
from core.errors import InputError
from core.types import Answer, Citation, Scope, Status, Usage
from evals.answer_rows import write_answer_rows
from evals.answers import Row, given_passages, matches, measure, read_questions, report_rows
from evals.comparison import Run, compare_runs
from evals.datasets.spans import answer_groups, read_pools, read_rgb
from evals.evidence_cut import Case, rules
from evals.evidence_cut import measure as measure_cut
from retrieval.relevance import read_pieces
from tests.agents.doubles import CharacterVectors, chunk
from tests.evals.conftest import write_lines


def question(**more) -> dict:
    return {"id": "a", "question": "多久？", "answerable": True, "must_match": [["18 个月"], ["电池", "battery"]], **more}


def answer(text: str, status: Status = Status.ANSWERED, quote: str = "") -> Answer:
    citations = (Citation(1, "c", "d", "t", "u", quote, 0, len(quote)),) if quote else ()
    return Answer("i", status, text, (), citations, usage=Usage(100, 5, 1), timings_ms={"total": 7.0})


def test_each_group_must_match_by_one_of_its_strings():
    assert answer_groups("12人") == (("12人",),)
    assert answer_groups(["1月3日", ["187万", "186.35万"]]) == (("1月3日",), ("187万", "186.35万"))
    assert matches("电池 18个月", [["18 个月"], ["battery", "电池"]]) and not matches("18 个月", [["18 个月"], ["电池"]])


def test_a_report_counts_right_wrong_and_declined():
    none = question(answerable=False, must_match=[])
    rows = [
        Row(question(), answer("电池 18 个月", quote="电池为 18 个月")),
        Row(question(), answer("电池 24 个月", quote="电池")),
        Row(question(), answer("", Status.ABSTAINED)),
        Row(none, answer("", Status.ABSTAINED)),
        Row(none, answer("也许")),
    ]
    report = measure(rows)
    assert report["accuracy"] == pytest.approx(1 / 3, abs=1e-4) and report["right"] == 1
    assert report["abstention_precision"] == 0.5 and report["abstention_recall"] == 0.5
    assert report["citation_precision"] == 0.5 and report["wrong_answered"] == 2
    assert report["prompt_tokens"] == 500 and report["prompt_tokens_per_correct"] == 500


def test_a_failed_question_counts_nowhere_else():
    rows = [Row(question(), answer("电池 18 个月")), Row(question(id="b"), None, "the store is away")]
    report = measure(rows)
    assert report["n"] == 2 and report["failed"] == 1 and report["accuracy"] == 1.0
    assert report["abstention_recall"] is None and report["prompt_tokens"] == 100
    assert measure([rows[1]])["accuracy"] is None and measure([rows[1]])["median_ms"] is None


def test_rows_can_be_compared():
    one = {"kind": "answers", "queries": report_rows([Row(question(), answer("电池 18 个月"))])}
    other = {"kind": "answers", "queries": report_rows([Row(question(), answer("", Status.ABSTAINED))])}
    found = compare_runs(Run.from_report("a", one), Run.from_report("b", other), None, None, False)
    assert found["metric"] == "right" and found["losses"] == 1


def test_a_broken_row_is_named_by_its_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    write_lines(path, [question(), {"id": "b", "question": "?"}])
    with pytest.raises(InputError, match="line 2 .* lacks answerable, must_match"):
        read_questions(path)
    path.write_text("{not json\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        read_questions(path)


def test_a_limit_takes_rows_evenly(tmp_path):
    write_lines(tmp_path / "rows.jsonl", [question(id=str(n)) for n in range(10)])
    assert [row["id"] for row in read_questions(tmp_path / "rows.jsonl", 3)] == ["0", "3", "6"]


@pytest.mark.models
def test_given_passages_are_each_question_s_own_and_go_again(tmp_path, weights_folder):
    from app.services import Services
    from core.settings import Settings

    rows = [question(id="a", passages=["主机的保修期为 18 个月。"]), question(id="b", passages=["电池为 6 个月。", " "])]
    services = Services(Settings(data=tmp_path))
    try:
        with given_passages(services, [*rows, question(id="c")]) as scopes:
            assert set(scopes) == {"a", "b"}
            found = {name: services.retriever().search("保修期多久", scope, 9).hits for name, scope in scopes.items()}
            assert {n: [h.chunk.text for h in hits] for n, hits in found.items()} == {
                "a": ["主机的保修期为 18 个月。"], "b": ["电池为 6 个月。"],
            }  # fmt: skip
            outsider = Scope(scopes["a"].collection)
            assert services.retriever().search("保修期多久", outsider, 9).hits == ()
        assert services.index().collections() == []
    finally:
        services.close()


def test_rows_of_rgb_have_passages_and_strings(eval_data, tmp_path):
    paths = write_answer_rows(eval_data / "rgb", tmp_path)
    assert [path.name for path in paths] == ["rgb-zh-refine.jsonl", "rgb-zh-int.jsonl", "rgb-en-fact.jsonl"]
    for path in paths:
        rows = read_questions(path)
        assert len({row["id"] for row in rows}) == len(rows)
        answerable = [row for row in rows if row["answerable"]]
        held = [matches("\n".join(row["passages"]), row["must_match"]) for row in answerable]
        assert sum(held) / len(held) > 0.8
        assert all(not row["must_match"] for row in rows if not row["answerable"])
        assert len(rows) > len(answerable)


def test_a_question_of_several_facts_gets_a_passage_of_each(eval_data):
    (first, *_) = read_rgb(eval_data / "rgb", "zh_int")
    assert len(first.groups) == 2 and len(first.passages) == 5


@pytest.mark.parametrize(("part", "least", "most"), [("zh_int", 0.8, 1), ("zh_refine", 0, 0.05), ("en_fact", 0, 0.05)])
def test_rules_tell_questions_of_several_facts(eval_data, part, least, most):
    lines = (eval_data / "rgb" / f"{part}.dev.jsonl").read_text(encoding="utf-8").splitlines()
    found = [asks_several_facts(json.loads(line)["query"]) for line in lines]
    assert least <= sum(found) / len(found) <= most


def test_pools_hold_the_answer_and_are_the_same_each_time(eval_data):
    halves = {language: eval_data / f"xquad/xquad.{language}.half.json" for language in ("zh", "en")}
    pools = read_pools(halves["zh"], 5, "x", halves["en"])
    assert pools == read_pools(halves["zh"], 5, "x", halves["en"]) and len(pools) == 5
    for pool in pools:
        assert matches(pool.passages[0], pool.groups) and len(set(pool.passages)) == 4


def test_each_rule_keeps_at_most_what_there_is():
    from evals.datasets.spans import SpanQuestion

    asked = SpanQuestion("s", "主机的保修期？", (), (("18 个月",),))
    chunks = [chunk("主机的保修期为 18 个月。" + "会议室须提前预订。" * 30, 0), chunk("别的事情。", 1)]
    case = Case(asked, read_pieces(CharacterVectors(), asked.question, chunks))
    for name, rule in rules().items():
        found = measure_cut([case], rule)
        assert 0 < found["tokens"] <= 210 and found["held"] == 1.0, name
        assert found["sets"]["s"]["n"] == 1
