"""Terms and weights of the lexical leg, and its statistics over adds, deletes and kills."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import snowballstemmer
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from retrieval.lexical import EXACT_SHARE, Lexicon, coverage, encode_document, inner_product, term_id
from retrieval.terms import query_terms, split_terms


@pytest.fixture
def lexicon() -> Lexicon:
    return Lexicon(create_engine("sqlite://"))


def test_chinese_gives_bigrams_and_words_are_stemmed():
    assert split_terms("保修期") == ["保修", "修期"]
    assert split_terms("vLLM的核心") == ["vllm", "的核", "核心"]
    assert split_terms("policies running") == split_terms("policy run")


def test_a_code_counts_whole_and_in_parts_and_width_is_folded():
    assert set(split_terms("ＴＭ－20L")) >= {"tm-20l", "tm", "20l"}
    assert split_terms("") == []


def test_words_that_only_ask_are_not_looked_for():
    assert query_terms("What is the warranty?") == {"warranti", "=warranty"}
    assert query_terms("主机的保修期是多少？") == {"主机", "保修", "修期", "期是"}
    assert query_terms("主機的保修期是多少？") == query_terms("主机的保修期是多少？")
    assert query_terms("the on-site do-not-use list") >= {"on-site", "do-not-use"}


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("吗啡的用量是多少？", "吗啡"),
        ("旅行的目的地是哪里？", "目的"),
        ("标的物由谁交付？", "标的"),
        ("哪吒是谁？", "哪咤"),
        ("Who leads the IT department?", "it"),
        ("What do the WHO guidelines say?", "who"),
        ("Where is the résumé?", "résumé"),
    ],
)
def test_words_of_content_stay(question, kept):
    assert kept in query_terms(question)


def test_capitals_throughout_are_no_names():
    assert query_terms("WHAT IS THE WARRANTY?") == query_terms("What is the warranty?")


def test_parts_of_words_are_no_exact_forms():
    assert not {"=sum", "=th", "=r"} & query_terms("the 4th résumé")


def test_exact_forms_wait_until_all_chunks_are_counted_with_them(lexicon):
    lexicon.add_document("c", "new", [encode_document("loans")])
    assert term_id("=loans") in lexicon.encode_query("c", "loans")
    with lexicon._engine.begin() as connection:  # as an earlier version counted it
        connection.execute(
            text("insert into lexical_documents values ('c', 'old', 3, :counts)"),
            {"counts": json.dumps({term_id("loan"): 3})},
        )
    assert term_id("=loans") not in lexicon.encode_query("c", "loans")
    assert term_id("loan") in lexicon.encode_query("c", "loans")


def test_a_question_of_nothing_else_is_looked_for_as_it_stands():
    assert query_terms("who is it") == {"who", "is", "it"}
    assert query_terms("什么？") == {"什么"}


def test_an_exact_form_adds_to_its_stem_where_a_chunk_holds_it(lexicon):
    lexicon.add_document("c", "a", [encode_document("loans"), encode_document("loan"), encode_document("tax")])
    query = lexicon.encode_query("c", "loans")
    stem, exact = query[term_id("loan")], query[term_id("=loans")]
    assert stem > 0 and exact > stem * EXACT_SHARE  # rarer than the stem
    plural, single = (inner_product(query, encode_document(text).weights) for text in ("loans", "loan"))
    assert plural > single > 0
    assert term_id("=loaning") not in lexicon.encode_query("c", "loaning")


def test_threads_do_not_get_each_others_stems():
    ends = ("ational", "ness", "ibilities", "ing", "ization", "fulness")
    words = [f"{start}{end}" for start in ("gener", "respons", "hopel", "warrant", "conn") for end in ends]
    words = [a + b for a in ("re", "un", "pre", "over", "mis", "sub", "inter", "out") for b in words]
    stemmer = snowballstemmer.stemmer("english")
    right = [[stemmer.stemWord(word)] for word in words]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(split_terms, words))
    finally:
        sys.setswitchinterval(before)
    assert found == right


def test_a_term_that_all_chunks_hold_weighs_less(lexicon):
    lexicon.add_document("c", "a", [encode_document("保修 期限"), encode_document("保修 价格")])
    query = lexicon.encode_query("c", "保修 期限")
    common, rare = (query[next(iter(encode_document(t).weights))] for t in ("保修", "期限"))
    assert 0 < common < rare


def test_a_blind_leg_covers_nothing():
    english = [encode_document("warranty of eighteen months").weights]
    chinese = {term: 1.0 for term in encode_document("保修期").weights}
    assert coverage(chinese, english) == 0
    assert coverage({}, english) == 0
    assert inner_product(chinese, english[0]) == 0


def test_adding_a_document_twice_counts_it_once(lexicon):
    chunks = [encode_document("甲乙丙")]
    lexicon.add_document("c", "a", chunks)
    once = lexicon.encode_query("c", "甲乙")
    lexicon.add_document("c", "a", chunks)
    assert lexicon.encode_query("c", "甲乙") == once


TEXTS = st.lists(st.text(alphabet="甲乙丙丁ab ", min_size=1, max_size=8), min_size=1, max_size=3)
STEPS = st.lists(st.tuples(st.booleans(), st.sampled_from("xyz"), TEXTS), max_size=12)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_statistics_depend_only_on_what_is_there(steps):
    """Whatever the order of adds and deletes, the weights are those of a fresh build."""
    lexicon = Lexicon(create_engine("sqlite://"))
    there: dict[str, list[str]] = {}
    for add, name, texts in steps:
        if add:
            lexicon.add_document("c", name, [encode_document(t) for t in texts])
            there[name] = texts
        else:
            lexicon.remove_document("c", name)
            there.pop(name, None)
    fresh = Lexicon(create_engine("sqlite://"))
    for name, texts in there.items():
        fresh.add_document("c", name, [encode_document(t) for t in texts])
    question = "甲乙丙丁 a b ab"
    assert lexicon.encode_query("c", question) == fresh.encode_query("c", question)


def test_collections_do_not_share_statistics(lexicon):
    lexicon.add_document("one", "a", [encode_document("甲乙")])
    before = lexicon.encode_query("two", "甲乙")
    lexicon.add_document("one", "b", [encode_document("甲乙")])
    assert lexicon.encode_query("two", "甲乙") == before
    lexicon.drop_collection("one")
    assert lexicon.encode_query("one", "甲乙") == before


def test_traditional_and_simplified_full_width_and_case_are_one():
    assert split_terms("資料庫ＡＢＣ") == split_terms("资料库abc")
    assert split_terms("乾隆與梵語") == split_terms("干隆与梵语")


def test_the_languages_of_a_collection_follow_its_documents(lexicon):
    assert lexicon.languages("c") == ("zh", "en")  # nothing was counted: it could be either
    lexicon.add_document("c", "d1", [encode_document("水泵不得无水运行")])
    assert lexicon.languages("c") == ("zh",)
    lexicon.add_document("c", "d3", [encode_document("| 1,204 | 1,377 |")])
    assert lexicon.languages("c") == ("zh",)
    lexicon.add_document("c", "d2", [encode_document("the pump"), encode_document("水泵")])
    assert lexicon.languages("c") == ("zh", "en")
    lexicon.remove_document("c", "d2")
    assert lexicon.languages("c") == ("zh",)
