"""The page run by Streamlit's own test harness against the stand-in API."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.ui.standin_api import CARRY, FIGURE, HOSTILE, PNG, QUOTE, make_app, serving

MAIN = Path(__file__).parents[2] / "ui" / "main.py"
TIMEOUT_S = 120


@contextmanager
def opened(monkeypatch, app=None, token: str = "") -> Iterator[AppTest]:
    """The page of a new tab, after its first run."""
    with serving(app or make_app()) as url:
        monkeypatch.setenv("ATTEST_UI_API_URL", url)
        monkeypatch.setenv("ATTEST_UI_API_TOKEN", token)
        st.cache_data.clear()
        yield AppTest.from_file(str(MAIN), default_timeout=TIMEOUT_S).run()


def html_of(at: AppTest) -> str:
    """All HTML of the page but its style sheet."""
    assert not at.exception
    return "\n".join(item.proto.body for item in at.get("html") if not item.proto.body.startswith("<style"))


def asked(at: AppTest, question: str) -> str:
    return html_of(at.chat_input(key="question").set_value(question).run())


def use_chinese(at: AppTest) -> AppTest:
    return at.selectbox(key="language").set_value("zh").run()


def test_an_answer_shows_its_sentences_markers_and_quotes(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        html = asked(at, "年假有多少天？")
        assert "年假有多少天？" in html
        assert "每年有 15 天带薪年假。<sup" in html
        for quote in (QUOTE, CARRY):
            assert f"<mark>{quote}</mark></blockquote>" in html
        assert "员工手册" in html and "p. 12" in html
        assert f"第三章 休假。<mark>{QUOTE}</mark>{CARRY}" in html
        assert at.code[0].value.startswith("每年有 15 天带薪年假。[1]没有休完的可以留到次年三月底。[2]")
        asked(at, "and then?")
        assert app.state.asked["session_id"] == "s1"


def test_a_source_that_is_a_picture_shows_it_without_an_address_to_fetch(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        html = asked(at, "show me the picture")
        data = base64.b64encode(PNG).decode("ascii")
        assert f'src="data:image/png;base64,{data}"' in html and f"<mark>{QUOTE}</mark>" in html
        asked(at, "and then?")
    assert app.state.seen.count(("GET", FIGURE)) == 1


def test_an_abstention_is_no_error_and_says_what_was_looked_for(monkeypatch):
    with opened(monkeypatch) as at:
        html = asked(at, "nothing about this")
    assert "The documents do not answer this" in html
    assert "<li>1998 cup winner</li>" in html
    assert "<li>员工手册" in html
    assert "attest-problem" not in html and not at.error


def test_a_partial_answer_names_what_was_withheld(monkeypatch):
    with opened(monkeypatch) as at:
        html = asked(at, "partial")
        assert at.expander[0].label == "1 sentence was withheld: the evidence does not bear it out"
        assert "高级员工有 20 天。" in html
        assert "The evidence says otherwise · 15 ≠ 20" in html
        assert "高级员工" not in at.code[0].value


@pytest.mark.parametrize(
    ("question", "message", "remedy"),
    [
        ("fail", "the chat model does not answer", "run: attest doctor"),
        ("refuse", "Milvus does not answer", "run: attest doctor"),
        ("cut", "The reply ended before the answer was complete", "Ask again."),
    ],
)
def test_a_failure_shows_message_and_remedy_and_the_chat_goes_on(monkeypatch, question, message, remedy):
    with opened(monkeypatch) as at:
        html = asked(at, question)
        assert message in html and f"→ {remedy}" in html
        assert "Traceback" not in html
        assert QUOTE in asked(at, "年假")


def test_hostile_document_text_stays_text(monkeypatch):
    with opened(monkeypatch) as at:
        html = asked(at, f"hostile {HOSTILE}")
        rest = "".join(item.value for item in [*at.markdown, *at.caption])
    for live in ("<script", "<img", "<a "):
        assert live not in html
    assert "&lt;script&gt;document.title=&#x27;owned&#x27;&lt;/script&gt; ![x](http" in html
    assert "198.51.100.7" not in rest


def test_a_hostile_title_is_inert_in_the_list_and_in_the_question_before_deletion(monkeypatch):
    row = {"document_id": "d9", "uri": HOSTILE, "title": HOSTILE, "status": "done"}
    with opened(monkeypatch, make_app(documents=[row])) as at:
        at.segmented_control(key="view").set_value("documents").run()
        html = html_of(at.button(key=f"drop-{HOSTILE}").click().run())
        assert html.count("![x](http://198.51.100.7/x.png)") >= 2
        assert "<script" not in html and "<img" not in html
        for item in [*at.markdown, *at.caption]:
            assert "198.51.100.7" not in item.value


def test_no_api_says_how_to_start_it(monkeypatch):
    monkeypatch.setenv("ATTEST_UI_API_URL", "http://127.0.0.1:1")
    st.cache_data.clear()
    at = AppTest.from_file(str(MAIN), default_timeout=TIMEOUT_S).run()
    assert "No API answers at http://127.0.0.1:1" in html_of(at)
    assert "Start it with: attest up" in html_of(at)
    assert not at.chat_input
    assert "请先启动服务：attest up" in html_of(use_chinese(at))


def test_an_api_key_is_asked_for_and_then_used(monkeypatch):
    with opened(monkeypatch, make_app(token="sesame")) as at:
        assert "asks for an API key" in at.info[0].value
        at.text_input(key="token").set_value("wrong").run()
        assert "does not accept this API key" in at.warning[0].value
        at.text_input(key="token").set_value("sesame").run()
        assert QUOTE in asked(at, "年假")


def test_the_token_of_the_environment_is_used(monkeypatch):
    with opened(monkeypatch, make_app(token="sesame"), token="sesame") as at:
        assert not at.info
        assert at.chat_input


def test_an_empty_collection_says_how_to_add_documents(monkeypatch):
    with opened(monkeypatch, make_app(documents=[])) as at:
        assert "No documents yet" in html_of(at)
        assert "attest ingest ./docs" in html_of(at)
        at.button(key="add_documents").click().run()
        assert at.get("file_uploader")
        assert not at.chat_input
        assert "No documents yet" in html_of(at)
        assert "attest-problem" not in html_of(at)


def test_upload_reports_each_failure_and_the_list_grows(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        at.segmented_control(key="view").set_value("documents").run()
        at.file_uploader[0].set_value([("guide.md", b"# Guide", "text/markdown"), ("a.exe", b"MZ", "x/y")])
        at.run()
        html = html_of(at.button(key="upload_button").click().run())
        assert at.warning[0].value == "Added 1 · updated 0 · unchanged 0 · failed 1"
        cells = "<td>a.exe</td><td>unsupported</td><td>no parser reads &lt;b&gt;this&lt;/b&gt;</td>"
        assert cells in html
        assert "guide.md" in html
        assert app.state.seen.count(("POST", "/v1/documents")) == 2


def test_copies_of_a_file_are_listed_each_and_the_one_that_is_meant_goes(monkeypatch):
    rows = [{"document_id": "d", "uri": f"upload:{name}", "title": name, "pages": 1} for name in ("a", "b")]
    rows[1] |= {"readers": ["hr", "li"], "chunks": 2}
    app = make_app(documents=rows)
    with opened(monkeypatch, app) as at:
        html = html_of(at.segmented_control(key="view").set_value("documents").run())
        assert not at.exception and "1 page<" in html and "1 page · 2 passages · for hr, li only" in html
        at.button(key="drop-upload:b").click().run()
        at.button(key="confirm").click().run()
        assert [row["uri"] for row in app.state.documents] == ["upload:a"]


def test_an_upload_is_for_those_who_are_named_and_tells_what_is_to_be_known_of_it(monkeypatch):
    app = make_app()
    warning = {"uri": "upload:a.zip", "code": "corrupt", "words": "inner/bad.pdf: <b>damaged</b>"}
    with opened(monkeypatch, app) as at:
        at.segmented_control(key="view").set_value("documents").run()
        app.state.ends_with = {"state": "done", "report": {"added": 1, "warnings": [warning]}}
        at.file_uploader[0].set_value([("a.zip", b"PK", "application/zip")])
        at.text_input(key="readers").set_value(" hr，li, ").run()
        html = html_of(at.button(key="upload_button").click().run())
        assert app.state.readers == ["hr", "li"]
        assert "<td>a.zip</td><td>corrupt</td><td>inner/bad.pdf: &lt;b&gt;damaged&lt;/b&gt;</td>" in html


def test_an_upload_that_breaks_off_is_told_as_that_files_failure(monkeypatch):
    app = make_app()
    error = {"code": "store_unavailable", "message": "Milvus is down", "remedy": "run: attest doctor"}
    with opened(monkeypatch, app) as at:
        at.segmented_control(key="view").set_value("documents").run()
        app.state.ends_with = {"state": "failed", "error": error}
        at.file_uploader[0].set_value([("guide.md", b"# Guide", "text/markdown")])
        at.run()
        html = html_of(at.button(key="upload_button").click().run())
        cells = "<td>guide.md</td><td>store_unavailable</td><td>Milvus is down. run: attest doctor</td>"
        assert cells in html and at.warning[0].value.endswith("failed 1")


def test_a_document_is_deleted_only_after_a_second_word(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        at.segmented_control(key="view").set_value("documents").run()
        at.button(key="drop-file:///handbook.pdf").click().run()
        assert len(app.state.documents) == 1
        at.button(key="keep").click().run()
        assert "confirm" not in [button.key for button in at.button]
        at.button(key="drop-file:///handbook.pdf").click().run()
        at.button(key="confirm").click().run()
        assert app.state.documents == []
        assert "No documents yet" in html_of(at)


def test_an_older_chat_is_continued_and_deleted(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        assert r"\*如何\*" in at.button(key="open-s0").label
        html = html_of(at.button(key="open-s0").click().run())
        assert "凭发票报销。[1]" in html
        assert "Ask again to see their sources." in [
            caption.value.split("kept. ")[-1] for caption in at.caption
        ]
        asked(at, "继续")
        assert app.state.asked["session_id"] == "s0"
        at.button(key="drop-s0").click().run()
        at.button(key="confirm").click().run()
        assert app.state.sessions == []
        at.button(key="new_chat").click().run()
        assert "What would you like to know?" in html_of(at)


def test_a_rerun_reads_nothing_again(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        before = list(app.state.seen)
        at.run()
        use_chinese(at)
        assert app.state.seen == before
        assert at.chat_input(key="question").placeholder == "就您的文档提问…"


def test_effort_and_collection_go_with_the_question(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        at.selectbox(key="effort").set_value("deep").run()
        asked(at, "年假")
    assert (app.state.asked["effort"], app.state.asked["collection"]) == ("deep", "default")
