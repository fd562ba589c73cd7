"""The converters: on small files of each shape, and on the public sets where they lie.

Counts of the real sets are those of the development parts; each set's file is also read
back, so a judgement of an unknown document cannot pass.
"""

import json

import pytest

from core.errors import InputError
from evals.beir import read_retrieval_set
from evals.convert import FAMILIES, convert
from evals.datasets.abstracts import convert_cacm, convert_cranfield
from evals.datasets.locomo import convert_locomo
from evals.datasets.rgb import convert_part
from evals.datasets.squad import convert_mixed, convert_squad, convert_xquad
from evals.datasets.tables import convert_imtqa, convert_tatqa, merged_table

# Folder: documents, queries, judgements.
COUNTS = {
    "cmrc2018": (256, 1002, 1002),
    "drcd": (1000, 3524, 3524),
    "xquad-zh-zh": (120, 612, 612),
    "xquad-en-en": (120, 612, 612),
    "xquad-zh-en": (120, 612, 612),
    "xquad-en-zh": (120, 612, 612),
    "xquad-mixed": (120, 1224, 1224),
    "cranfield": (1400, 225, 1612),
    "cacm": (3204, 52, 796),
    "rgb-zh-refine": (1286, 53, 441),
    "rgb-zh-int": (1043, 19, 228),
    "tatqa": (278, 1668, 1668),
    "tatqa-text": (278, 1668, 1668),
    "imtqa-zh": (111, 464, 464),
    "imtqa-en": (111, 464, 464),
    "locomo-conv-26": (419, 150, 203),
    "locomo-conv-30": (369, 81, 106),
}


@pytest.fixture(scope="module")
def converted(eval_data, tmp_path_factory):
    """Every public set, read back from its folder."""
    target = tmp_path_factory.mktemp("sets")
    return {path.name: read_retrieval_set(path) for path in convert("all", eval_data, target)}


def text_of(data, identity):
    return next(document.text for document in data.documents if document.id == identity)


def query_of(data, text):
    return next(query for query in data.queries if query.text == text)


def test_counts_of_the_public_sets(converted):
    found = {name: (len(d.documents), len(d.queries), d.judgements) for name, d in converted.items()}
    assert found == COUNTS


def test_a_known_row_of_each_squad_set(converted):
    row = query_of(converted["cmrc2018"], "生命数耗完即算为什么？")
    assert "生命数耗完即算为踢爆" in text_of(converted["cmrc2018"], *row.gains)
    row = query_of(converted["xquad-zh-en"], "黑豹队的防守丢了多少分？")
    assert "gave up just 308 points" in text_of(converted["xquad-zh-en"], *row.gains)
    row = query_of(converted["xquad-en-zh"], "How many points did the Panthers defense surrender?")
    assert "308" in text_of(converted["xquad-en-zh"], *row.gains)


def test_half_of_the_mixed_set_is_in_each_language(converted):
    data = converted["xquad-mixed"]
    subsets = [query.subset for query in data.queries]
    assert subsets.count("same") == subsets.count("other") == 612
    assert all(query.id.startswith(f"{query.subset}-") for query in data.queries)
    row = query_of(data, "How many points did the Panthers defense surrender?")
    assert row.subset == "other"  # the first paragraph is a Chinese one
    assert "黑豹队" in text_of(data, *row.gains)


def test_known_rows_of_the_abstracts(converted):
    data = converted["cranfield"]
    first = data.queries[0]
    assert first.text.startswith("what similarity laws must be obeyed when constructing aeroelastic models")
    assert first.gains["184"] == 3.0  # code 2
    assert "aeroelastic" in text_of(data, "184")
    assert sum(not document.text for document in data.documents) == 2  # 471 and 995 have none
    assert {gain for query in data.queries for gain in query.gains.values()} == {1.0, 2.0, 3.0, 4.0}
    cacm = {document.id: document for document in converted["cacm"].documents}
    assert cacm["CACM-1501"].title == "Eigenvectors of a 2n x 2n Matrix"
    assert cacm["CACM-1501"].text.endswith("Charmonman, S.")
    assert set(converted["cacm"].queries[0].gains) == {
        "CACM-1410",
        "CACM-1572",
        "CACM-1605",
        "CACM-2020",
        "CACM-2358",
    }


def test_pools_of_the_public_sets(converted):
    first = converted["rgb-zh-refine"].queries[0]
    assert (len(first.gains), len(first.pool)) == (6, 35)
    assert set(first.gains) < first.pool
    assert all(query.pool for query in converted["rgb-zh-int"].queries)


def test_tables_of_the_public_sets(converted):
    table = converted["tatqa"].documents[0].text
    assert table.splitlines()[1] == "| --- | --- | --- | --- |"
    assert "| Total sales | $1,496.5 | $1,202.9 | $1,107.7 |" in table
    whole = converted["tatqa-text"].documents[0].text
    assert whole.startswith(f"{table}\n\nSales by Contract Type:")
    subsets = [query.subset for query in converted["tatqa"].queries]
    assert {name: subsets.count(name) for name in set(subsets)} == {
        "table": 772,
        "table-text": 507,
        "text": 389,
    }
    zh, en = converted["imtqa-zh"], converted["imtqa-en"]
    assert text_of(zh, "Q3UjFweO").startswith(
        "| 项目 | 期初余额 | 本期增加 | 本期减少 | 期末余额 | 形成原因 |"
    )
    assert text_of(en, "Q3UjFweO").startswith("| project | Opening balance |")
    assert [query.gains for query in zh.queries] == [query.gains for query in en.queries]


def test_turns_of_the_conversations(converted):
    data = converted["locomo-conv-26"]
    third = data.documents[2]
    assert (third.id, third.title) == ("D1:3", "1:56 pm on 8 May, 2023")
    assert third.text == "Caroline: I went to a LGBTQ support group yesterday and it was so powerful."
    assert query_of(data, "When did Caroline go to the LGBTQ support group?").gains == {"D1:3": 1.0}
    assert any(query.gains.keys() >= {"D8:6", "D9:17"} for query in data.queries)  # "D8:6; D9:17"


def squad(*paragraphs):
    """One article; each paragraph a text and its (id, question, impossible)."""
    rows = [
        {"context": text, "qas": [{"id": i, "question": q, "is_impossible": no} for i, q, no in asked]}
        for text, asked in paragraphs
    ]
    return json.dumps({"data": [{"title": "left out", "paragraphs": rows}]})


def test_equal_paragraphs_are_one_and_unanswerable_questions_none(tmp_path):
    path = tmp_path / "set.json"
    path.write_text(
        squad(
            ("same text", [("1", "one?", False)]),
            ("other text", [("2", "two?", False), ("3", "three?", True)]),
            ("same text", [("4", "four?", False)]),
        )
    )
    data = convert_squad(path, "set")
    assert [(d.id, d.title, d.text) for d in data.documents] == [
        ("0-0", "", "same text"),
        ("0-1", "", "other text"),
    ]
    assert {query.id: dict(query.gains) for query in data.queries} == {
        "1": {"0-0": 1.0},
        "2": {"0-1": 1.0},
        "4": {"0-0": 1.0},
    }


def test_languages_are_joined_by_the_ids_of_the_questions(tmp_path):
    """The English file has its paragraphs in another order: places would mislead."""
    zh = squad(("甲", [("1", "一？", False)]), ("乙", [("2", "二？", False)]))
    en = squad(("B", [("2", "two?", False)]), ("A", [("1", "one?", False)]))
    (tmp_path / "xquad.zh.half.json").write_text(zh)
    (tmp_path / "xquad.en.half.json").write_text(en)
    sets = {data.name: data for data in convert_xquad(tmp_path)}
    crossed = sets["xquad-zh-en"]
    assert {q.text: text_of(crossed, *q.gains) for q in crossed.queries} == {"一？": "A", "二？": "B"}
    crossed = sets["xquad-en-zh"]
    assert {q.text: text_of(crossed, *q.gains) for q in crossed.queries} == {"one?": "甲", "two?": "乙"}


def test_the_mixed_set_holds_each_paragraph_once(tmp_path):
    zh = squad(("甲", [("1", "一？", False)]), ("乙", [("2", "二？", False)]))
    en = squad(("A", [("1", "one?", False)]), ("B", [("2", "two?", False)]))
    (tmp_path / "xquad.zh.half.json").write_text(zh)
    (tmp_path / "xquad.en.half.json").write_text(en)
    (data,) = convert_mixed(tmp_path)
    assert [document.text for document in data.documents] == ["甲", "B"]
    assert {query.id: text_of(data, *query.gains) for query in data.queries} == {
        "same-zh-1": "甲",
        "other-zh-2": "B",
        "other-en-1": "甲",
        "same-en-2": "B",
    }


def test_cranfield_counts_queries_and_grades_from_the_best(tmp_path):
    (tmp_path / "cran.all.1400").write_text(
        ".I 1\n.T\na wing .\n.A\nme\n.B\nhere\n.W\na wing .\n  lift is\nlarge .\n"
        ".I 2\n.T\nheat .\n.A\n.B\n.W\nheat .\n.A\n flows .W on\n"
    )
    (tmp_path / "cran.qry").write_text(".I 001\n.W\nwhich wing\n?\n.I 004\n.W\nwhat heat ?\n")
    (tmp_path / "cranqrel").write_text("1 1 1 \n1 2 4\n2 2 3\r\n2 1 -1\n2 2 2\n")
    (data,) = convert_cranfield(tmp_path)
    assert [(d.id, d.title, d.text) for d in data.documents] == [
        ("1", "a wing .", "lift is large ."),
        ("2", "heat .", ".A flows .W on"),
    ]
    assert [(q.id, q.text, dict(q.gains)) for q in data.queries] == [
        ("1", "which wing ?", {"1": 4.0, "2": 1.0}),
        ("2", "what heat ?", {"2": 3.0}),  # judged twice: the better grade
    ]


def test_passages_at_several_questions_are_one_document(tmp_path):
    path = tmp_path / "part.jsonl"
    rows = [
        {"id": 0, "query": "一？", "positive": [["甲", "乙"], ["丙"]], "negative": ["丁"]},
        {"id": 1, "query": "二？", "positive": ["丁"], "negative": ["甲"]},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    data = convert_part(path, "part")
    names = {document.text: document.id for document in data.documents}
    assert len(data.documents) == 4
    assert data.queries[0].gains.keys() == {names["甲"], names["乙"], names["丙"]}
    assert data.queries[1].gains.keys() == {names["丁"]}
    assert data.queries[1].pool == {names["丁"], names["甲"]}


def test_merged_cells_are_written_once_in_each_row():
    values = ["Title", "Year", "Sum", "2020", "7", "8"]
    matrix = [[0, 0, 0], [1, 2, 2], [3, 4, 5], [3, 5, 4]]
    assert merged_table(matrix, values).splitlines() == [
        "| Title |  |  |",
        "| --- | --- | --- |",
        "| Year | Sum |  |",
        "| 2020 | 7 | 8 |",
        "| 2020 | 8 | 7 |",
    ]


def test_tables_and_their_languages(tmp_path):
    table = {
        "table_id": "t",
        "cell_ID_matrix": [[0, 1], [2, 2]],
        "chinese_cell_value_list": ["年", "数", "无"],
        "english_cell_value_list": ["year", "number", "none"],
    }
    asked = {
        "table_id": "t",
        "question_id": "t_0",
        "chinese_question": "几？",
        "english_question": "How many?",
    }
    (tmp_path / "dev_tables.json").write_text(json.dumps([table]))
    (tmp_path / "dev_questions.json").write_text(json.dumps([asked]))
    zh, en = convert_imtqa(tmp_path)
    assert (zh.name, zh.documents[0].text.splitlines()[0], zh.queries[0].text) == (
        "imtqa-zh",
        "| 年 | 数 |",
        "几？",
    )
    assert (en.name, en.documents[0].text.splitlines()[2], en.queries[0].text) == (
        "imtqa-en",
        "| none |  |",
        "How many?",
    )


def test_tables_with_the_text_beside_them(tmp_path):
    context = {
        "table": {"uid": "t", "table": [["", "2020"], ["Sales", "7"]]},
        "paragraphs": [{"order": 2, "text": "Second."}, {"order": 1, "text": "First."}],
        "questions": [{"uid": "q", "question": "How many?", "answer_from": "table"}],
    }
    (tmp_path / "tatqa_dataset_dev.json").write_text(json.dumps([context]))
    alone, whole = convert_tatqa(tmp_path)
    assert whole.documents[0].text == f"{alone.documents[0].text}\n\nFirst.\n\nSecond."
    assert alone.queries == whole.queries
    assert alone.queries[0].subset == "table"


def test_a_conversation(tmp_path):
    def turn(identity, text, **more):
        return {"speaker": "Li", "dia_id": identity, "text": text, **more}

    sample = {
        "sample_id": "c",
        "conversation": {
            "session_10": [turn("D10:1", "Later.")],
            "session_10_date_time": "June",
            "session_2": [turn("D2:1", "Look.", blip_caption="a cat")],
            "session_2_date_time": "May",
            "session_11_date_time": "no turns",
        },
        "qa": [
            {"question": "both?", "evidence": ["D2:1; D10:1"], "category": 1},
            {"question": "gone?", "evidence": ["D9:9"], "category": 4},
            {"question": "none?", "evidence": ["D2:1"], "category": 5},
            {"question": "bare?", "category": 2},
        ],
    }
    (tmp_path / "locomo_dev2.json").write_text(json.dumps([sample]))
    (data,) = convert_locomo(tmp_path)
    assert [(d.id, d.title, d.text) for d in data.documents] == [
        ("D2:1", "May", "Li: Look. [picture: a cat]"),
        ("D10:1", "June", "Li: Later."),
    ]
    assert [(q.text, dict(q.gains), q.subset) for q in data.queries] == [
        ("both?", {"D2:1": 1.0, "D10:1": 1.0}, "several-hops")
    ]


def test_numbers_are_padded_in_the_files_and_not_in_the_judgements(tmp_path):
    import io
    import tarfile

    page = "<html>\n<pre>\n\n\nA &amp; B\n\nOn both.\n\nLi, H.\n\nCA581203 JB March 22, 1978\n\n100\t5\t1\n</pre></html>"
    with tarfile.open(tmp_path / "cacm.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("CACM-0007.html")
        member.size = len(page)
        archive.addfile(member, io.BytesIO(page.encode()))
    (tmp_path / "qrels.cacm.txt").write_text("1 0 CACM-7 1\n2 0 CACM-7 0\n")
    (tmp_path / "topics.cacm.txt").write_text(
        "<DOC>\n<DOCNO> 1 </DOCNO>\nA or\nB?\n</DOC>\n<DOC><DOCNO>2</DOCNO>C</DOC>"
    )
    (data,) = convert_cacm(tmp_path)
    assert [(d.id, d.title, d.text) for d in data.documents] == [("CACM-7", "A & B", "On both.\n\nLi, H.")]
    assert [(q.id, q.text, dict(q.gains)) for q in data.queries] == [("1", "A or B?", {"CACM-7": 1.0})]


def test_wrong_use_is_named(tmp_path):
    with pytest.raises(InputError, match="no converter 'squad'"):
        convert("squad", tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="holds no known set"):
        convert("all", tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match=r"cmrc2018: .*cmrc2018_trial\.json"):
        convert("cmrc2018", tmp_path, tmp_path / "out")
    (tmp_path / "cmrc2018_trial.json").write_text('{"data": [{"paragraphs": [{}]}]}')
    with pytest.raises(InputError, match="another shape"):
        convert("cmrc2018", tmp_path, tmp_path / "out")
    assert set(FAMILIES) >= {"xquad", "mixed", "rgb"}
