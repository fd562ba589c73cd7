"""The view of relations, run by Streamlit's own test harness, and its drawing in the DOT language."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.standin_api import HOSTILE, QUOTE, make_app
from tests.ui.test_main import html_of, opened, use_chinese
from ui.entities import drawing_of
from ui.texts import Texts


def shown(at, name: str, to: str = "") -> str:
    at.segmented_control(key="view").set_value("graph").run()
    at.text_input(key="entity").set_value(name)
    at.text_input(key="entity_to").set_value(to)
    return html_of(next(button for button in at.button if button.label in ("Show", "查看")).click().run())


def dot_of(at) -> str:
    return at.get("graphviz_chart")[0].proto.spec


def test_an_entity_is_shown_with_its_relations_their_sentences_and_documents(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        html = shown(at, " acme ")
        assert app.state.looked_up == ("default", "acme", "")
        assert "Organisation · documents: 1 · also Acme Ltd · 20 kg" in html
        assert "— supplies —" in html and "员工手册 · p. 12" in html
        assert "<script" not in html and "Acme supplies &lt;script&gt;" in html
        assert 'n0 -- n1 [label="supplies", dir=forward];' in dot_of(at)
        use_chinese(at)
        assert "机构 · 文档：1 个" in html_of(at) and 'label="供应"' in dot_of(at)


def test_the_way_between_two_leads_on_to_what_stands_between_them(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        assert "— named together —" in shown(at, "acme", "port")
        assert app.state.looked_up == ("default", "acme", "port") and "style=dashed" in dot_of(at)
        further = [button for button in at.button if str(button.key).startswith("further-")]
        assert len(further) == 2  # both links have the third one at an end, and those asked for are shown
        further[0].click().run()
        assert app.state.looked_up == ("default", HOSTILE, "") and at.text_input(key="entity").value == HOSTILE


@pytest.mark.parametrize(
    ("name", "to", "words"),
    [("Alone", "", "No relations are known."), ("acme", "Nowhere", "No way leads from one to the other.")],
)
def test_where_nothing_is_known_it_says_so(monkeypatch, name, to, words):
    with opened(monkeypatch) as at:
        shown(at, name, to)
        assert words in [caption.value for caption in at.caption] and not at.get("graphviz_chart")


def test_an_unknown_name_is_a_problem_with_its_remedy_and_no_name_is_nothing(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        html = shown(at, "Nobody")
        assert "there is no entity" in html and "→ write the name as documents do" in html
        html = shown(at, "  ")
        assert "attest-problem" not in html and app.state.looked_up[1] == "Nobody"


STATEMENT = re.compile(r'n\d+ \[label="(?:[^"\\]|\\["\\])*"(?:, fillcolor="#cfe0f5", penwidth=1\.6)?\];')


@given(st.text(max_size=60))
def test_a_name_stays_one_string_of_the_drawing_whatever_is_in_it(name):
    entity, link = {"key": "a", "name": name}, {"source": "a", "target": "b", "names": ["", name], "kind": "is"}
    nodes = [line for line in drawing_of([entity], [link], Texts("en")).split("\n") if re.match(r"n\d+ \[", line)]
    assert len(nodes) == 2 and all(STATEMENT.fullmatch(line) for line in nodes)


def test_topics_are_listed_with_their_sentences_and_lead_on_to_their_names(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        at.segmented_control(key="view").set_value("graph").run()
        html = html_of(at)
        assert "每年有 15 天带薪年假。<sup" in html and f"<mark>{QUOTE}</mark></blockquote>" in html
        assert "Not shown: 3" in [caption.value for caption in at.caption]
        assert "<script" not in html and len(at.expander) == 1 and at.expander[0].label.startswith("Acme · ")
        use_chinese(at)
        assert "主题" in [header.value for header in at.subheader]
        next(button for button in at.button if button.key == "topic-0-1").click().run()
        assert app.state.looked_up == ("default", HOSTILE, "")
        assert "主题" not in [header.value for header in at.subheader]


@pytest.mark.parametrize("communities", [None, []])
def test_without_topics_nothing_is_said_of_them(monkeypatch, communities):
    app = make_app()
    app.state.communities = communities
    with opened(monkeypatch, app) as at:
        html = html_of(at.segmented_control(key="view").set_value("graph").run())
        assert "attest-problem" not in html and "Topics" not in [header.value for header in at.subheader]
