"""The BEIR layout: what is read forgivingly, and what is refused with file and line."""

import json

import pytest

from core.errors import InputError
from evals.beir import CorpusDocument, JudgedQuery, RetrievalSet, read_retrieval_set, write_retrieval_set

CORPUS = '{"_id": "a", "title": "T", "text": "one"}\n{"_id": 2, "text": "two"}\n'
QUERIES = '{"_id": "q1", "text": "first?"}\n{"_id": "q2", "text": "second?", "metadata": {"subset": "s"}}\n'
QRELS = "query-id\tcorpus-id\tscore\nq1\ta\t2\nq1\t2\t0\nq2\t2\t1\n"


def make(tmp_path, corpus=CORPUS, queries=QUERIES, qrels=QRELS, pools=None):
    (tmp_path / "qrels").mkdir(exist_ok=True)
    (tmp_path / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    (tmp_path / "queries.jsonl").write_text(queries, encoding="utf-8")
    (tmp_path / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    if pools is not None:
        (tmp_path / "pools.jsonl").write_text(pools, encoding="utf-8")
    return tmp_path


def test_ids_titles_grades_and_subsets(tmp_path):
    data = read_retrieval_set(make(tmp_path))
    assert list(data.documents) == [CorpusDocument("a", "one", "T"), CorpusDocument("2", "two")]
    assert list(data.queries) == [
        JudgedQuery("q1", "first?", {"a": 2.0}),
        JudgedQuery("q2", "second?", {"2": 1.0}, "s"),
    ]
    assert (data.name, data.unjudged, data.judgements) == (tmp_path.name, 0, 2)


@pytest.mark.parametrize(
    "qrels",
    [
        "q1\ta\t2\nq2\t2\t1\n",  # no header
        "\nquery-id\tcorpus-id\tscore\n\nq1\ta\t2.0\r\nq2\t2\t1\n\n",  # blank lines, carriage return
        "q1 0 a 2\nq2 0 2 1\n",  # TREC
        "q1\ta\t2\nq1\ta\t2\nq2\t2\t1",  # the same judgement again, no newline at the end
    ],
)
def test_qrels_in_their_usual_forms(tmp_path, qrels):
    data = read_retrieval_set(make(tmp_path, qrels=qrels))
    assert [dict(query.gains) for query in data.queries] == [{"a": 2.0}, {"2": 1.0}]


def test_marks_and_blank_lines_in_json(tmp_path):
    corpus = "\ufeff" + CORPUS.replace("\n", "\n\n")
    assert len(read_retrieval_set(make(tmp_path, corpus=corpus)).documents) == 2


def test_line_separators_inside_a_text_do_not_end_the_line(tmp_path):
    corpus = '{"_id": "a", "text": "one\u2028more\x85end"}\n{"_id": "2", "text": "two"}\n'
    assert read_retrieval_set(make(tmp_path, corpus=corpus)).documents[0].text == "one\u2028more\x85end"


def test_a_query_without_anything_relevant_is_left_out_and_counted(tmp_path):
    data = read_retrieval_set(make(tmp_path, qrels="q1\ta\t1\nq2\t2\t0\n"))
    assert [query.id for query in data.queries] == ["q1"]
    assert data.unjudged == 1


def test_pools(tmp_path):
    data = read_retrieval_set(make(tmp_path, pools='{"query-id": "q1", "corpus-ids": ["a", 2]}\n'))
    assert [query.pool for query in data.queries] == [{"a", "2"}, frozenset()]


@pytest.mark.parametrize(
    ("broken", "place", "word"),
    [
        ({"corpus": CORPUS + CORPUS}, "corpus.jsonl:3", "'a' of line 1 again"),
        ({"corpus": CORPUS + "{no json\n"}, "corpus.jsonl:3", "no JSON"),
        ({"corpus": CORPUS + "[1]\n"}, "corpus.jsonl:3", "no JSON object"),
        ({"corpus": CORPUS + '{"text": "x"}\n'}, "corpus.jsonl:3", "no _id"),
        ({"corpus": CORPUS + '{"_id": "c"}\n'}, "corpus.jsonl:3", "no text"),
        ({"corpus": CORPUS + '{"_id": "c", "text": "\\ud800"}\n'}, "corpus.jsonl:3", "surrogate"),
        ({"corpus": ""}, "corpus.jsonl", "no document"),
        ({"queries": QUERIES + '{"_id": "q1", "text": "x"}\n'}, "queries.jsonl:3", "'q1' of line 1 again"),
        ({"qrels": "q1\ta\t1\nq9\ta\t1\n"}, "test.tsv:2", "unknown query 'q9'"),
        ({"qrels": "q1\ta\t1\n\nq1\tz\t1\n"}, "test.tsv:3", "unknown document 'z'"),
        ({"qrels": "q1\ta\n"}, "test.tsv:1", "2 columns"),
        ({"qrels": "q1\ta\t1\nq1\t2\thigh\n"}, "test.tsv:2", "'high'"),
        ({"qrels": "q1\ta\tnan\n"}, "test.tsv:1", "'nan'"),
        ({"qrels": "q1\ta\t1\nq1\ta\t2\n"}, "test.tsv:2", "second score"),
        ({"qrels": "q1\ta\t0\n"}, "", "no judged query"),
        ({"pools": '{"query-id": "q1", "corpus-ids": ["z"]}'}, "pools.jsonl:1", "unknown document 'z'"),
        ({"pools": '{"query-id": "q9", "corpus-ids": ["a"]}'}, "pools.jsonl:1", "unknown query 'q9'"),
        ({"pools": '{"query-id": "q1"}'}, "pools.jsonl:1", "corpus-ids"),
    ],
)
def test_what_is_broken_is_named_with_its_line(tmp_path, broken, place, word):
    with pytest.raises(InputError) as caught:
        read_retrieval_set(make(tmp_path, **broken))
    assert place in caught.value.message
    assert word in caught.value.message
    assert caught.value.remedy


def test_a_missing_file_is_named(tmp_path):
    folder = make(tmp_path)
    (folder / "queries.jsonl").unlink()
    with pytest.raises(InputError, match=r"there is no .*queries\.jsonl"):
        read_retrieval_set(folder)


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    folder = make(tmp_path)
    (folder / "corpus.jsonl").write_bytes('{"_id": "a", "text": "保修"}'.encode("gb18030"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_retrieval_set(folder)


def test_what_is_written_is_read_again(tmp_path):
    queries = [
        JudgedQuery("q1", "一？", {"a": 4.0, "b": 1.0}, "s", frozenset({"a", "b"})),
        JudgedQuery("q2", "two?", {"b": 0.5}),
    ]
    data = RetrievalSet("set", [CorpusDocument("a", "x\ny\u2028z", "T"), CorpusDocument("b", "")], queries)
    write_retrieval_set(tmp_path / "set", data)
    found = read_retrieval_set(tmp_path / "set")
    assert list(found.documents) == list(data.documents)
    assert list(found.queries) == queries
    first = json.loads((tmp_path / "set" / "pools.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first == {"query-id": "q1", "corpus-ids": ["a", "b"]}


def test_writing_again_leaves_no_pools_of_before(tmp_path):
    query = JudgedQuery("q", "?", {"a": 1.0}, pool=frozenset({"a"}))
    write_retrieval_set(tmp_path, RetrievalSet("set", [CorpusDocument("a", "x")], [query]))
    write_retrieval_set(
        tmp_path, RetrievalSet("set", [CorpusDocument("a", "x")], [JudgedQuery("q", "?", {"a": 1.0})])
    )
    assert read_retrieval_set(tmp_path).queries[0].pool == frozenset()
