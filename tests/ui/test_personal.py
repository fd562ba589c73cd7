"""The views of what is the reader's own: memory, assistants and instructions, run by Streamlit's own
test harness."""

from datetime import date

import pytest
import streamlit as st

from tests.ui.standin_api import make_app
from tests.ui.test_main import asked, html_of, opened, use_chinese

DESK = {
    "id": "a7", "name": "Desk <b>", "mine": False, "owner": "eve", "instructions": "Be brief.", "tools": None,
    "collections": ["default"], "effort": "deep", "policy": "strict", "language": "zh", "memory": "window+vector",
    "readers": ["everyone"], "role": "",
}  # fmt: skip


def viewed(at, view: str) -> str:
    return html_of(at.segmented_control(key="view").set_value(view).run())


def saved(at):
    return next(button for button in at.button if button.label == "Save")


def test_facts_are_listed_as_text_with_the_day_they_were_said(monkeypatch):
    with opened(monkeypatch) as at:
        html = viewed(at, "memory")
        assert "You said so on 2026-11-26 · holds until 2027-11-26" in html and "the deadline is Friday" in html
        assert "<script" not in html and "&lt;script" in html
        use_chinese(at)
        assert "您在 2026-11-26 说过" in html_of(at) and "姓名" in html_of(at)


def test_a_fact_is_changed_and_a_refusal_is_told(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        viewed(at, "memory")
        at.text_input(key="value-m1").set_value("张伟民")
        at.date_input(key="until-m1").set_value(date(2999, 1, 1))
        html = html_of(saved(at).click().run())
        assert app.state.facts[0]["value"] == "张伟民" and app.state.facts[0]["expires"] == "2999-01-01"
        assert "You noted so on" in html
        at.text_input(key="value-m1").set_value("wrong")
        assert "a memory has 1 to 300 characters" in html_of(saved(at).click().run())


def test_a_fact_is_forgotten_after_one_more_word_and_so_are_all(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        viewed(at, "memory")
        at.button(key="drop-m1").click().run()
        assert len(app.state.facts) == 2
        at.button(key="confirm").click().run()
        assert [fact["id"] for fact in app.state.facts] == ["m2"]
        app.state.facts.append({**app.state.facts[0], "id": "m3"})
        at.run()
        at.button(key="forget_all").click().run()
        at.button(key="confirm").click().run()
        assert app.state.facts == [] and any("Nothing is remembered" in c.value for c in at.caption)


def test_memory_is_switched_off_and_on(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        viewed(at, "memory")
        at.toggle[0].set_value(False).run()
        assert app.state.remembers is False and at.toggle[0].value is False
        at.toggle[0].set_value(True).run()
        assert app.state.remembers is True and not at.exception


def test_a_chat_recalls_by_the_chosen_strategy(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        asked(at, "年假")
        assert app.state.asked["memory"] == ""
        at.selectbox(key="strategy").set_value("summary").run()
        asked(at, "年假")
        assert app.state.asked["memory"] == "summary"
        at.button(key="new_chat").click().run()
        assert at.selectbox(key="strategy").value == ""


def test_without_assistants_none_is_offered(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        assert "assistant" not in [box.key for box in at.selectbox]
        asked(at, "年假")
    assert (app.state.asked["assistant"], app.state.asked["effort"]) == ("", "standard")


def test_an_assistant_is_used_and_brings_its_own_effort(monkeypatch):
    app = make_app()
    app.state.assistants = [DESK]
    with opened(monkeypatch, app) as at:
        html = viewed(at, "assistants")
        assert "Desk &lt;b&gt;" in html and "made by eve" in html and "name-a7" not in [t.key for t in at.text_input]
        at.button(key="use-a7").click().run()
        asked(at, "年假")
        assert (app.state.asked["assistant"], app.state.asked["effort"]) == ("a7", None)
        at.selectbox(key="effort_over").set_value("quick").run()
        asked(at, "年假")
        assert app.state.asked["effort"] == "quick"
        at.selectbox(key="assistant").set_value("").run()
        asked(at, "年假")
        assert (app.state.asked["assistant"], app.state.asked["effort"]) == ("", "standard")


def test_an_earlier_chat_goes_on_with_its_assistant_or_says_that_it_is_gone(monkeypatch):
    app = make_app()
    app.state.assistants = [DESK]
    app.state.sessions[0]["assistant"] = "a7"
    with opened(monkeypatch, app) as at:
        at.button(key="open-s0").click().run()
        asked(at, "继续")
        assert (app.state.asked["assistant"], app.state.asked["session_id"]) == ("a7", "s0")
        app.state.sessions[0]["assistant"] = "gone"
        st.cache_data.clear()
        at.button(key="new_chat").click().run()
        at.button(key="open-s0").click().run()
        assert any("goes on without one" in caption.value for caption in at.caption)
        asked(at, "继续")
        assert app.state.asked["assistant"] == ""


def test_an_assistant_is_made_changed_and_deleted(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        viewed(at, "assistants")
        at.text_input(key="name-new").set_value("Help")
        at.text_area(key="instructions-new").set_value("用敬语。")
        at.multiselect(key="collections-new").set_value(["default"])
        at.selectbox(key="policy-new").set_value("strict")
        at.text_input(key="readers-new").set_value("sales， hr")
        at.button[_save_of(at, 1)].click().run()
        made = app.state.saved[-1]
        assert made == ("", {"name": "Help", "instructions": "用敬语。", "collections": ["default"], "effort": "",
                             "policy": "strict", "language": "", "memory": "", "role": "",
                             "readers": ["sales", "hr"], "tools": None})  # fmt: skip
        assert "shared with sales, hr" in html_of(at)
        at.text_input(key="name-a0").set_value("Helper")
        at.button[_save_of(at, 2)].click().run()
        assert app.state.saved[-1][0] == "a0" and app.state.assistants[0]["name"] == "Helper"
        at.button(key="drop-a0").click().run()
        at.button(key="confirm").click().run()
        assert app.state.assistants == [] and not at.exception


def test_an_assistant_is_narrowed_to_some_tools_or_to_none_and_stays_so(monkeypatch):
    app = make_app()
    app.state.assistants = [
        {**DESK, "id": "a8", "mine": True, "tools": ["search", "gone"]}, {**DESK, "id": "a9", "mine": True, "tools": []}
    ]  # fmt: skip
    with opened(monkeypatch, app) as at:
        viewed(at, "assistants")
        assert at.multiselect(key="tools-a8").options == ["calculate", "search", "gone"]
        # Whatever else is changed: none is not all.
        at.button[_save_of(at, 3)].click().run()
        assert app.state.saved[-1][1]["tools"] == []
        at.multiselect(key="tools-a8").set_value(["calculate"])
        at.button[_save_of(at, 2)].click().run()
        assert app.state.saved[-1][1]["tools"] == ["calculate"]
        at.checkbox(key="tools-only-a8").set_value(False)
        at.button[_save_of(at, 2)].click().run()
        assert app.state.saved[-1][1]["tools"] is None and not at.exception


def _save_of(at, number: int) -> int:
    """Where the button of that form stands: 0 the instructions, 1 the new one, then the list."""
    return [at_ for at_, button in enumerate(at.button) if button.label == "Save"][number]


def test_a_refused_assistant_is_told(monkeypatch):
    with opened(monkeypatch) as at:
        viewed(at, "assistants")
        html = html_of(at.button[_save_of(at, 1)].click().run())
        assert "the name of an assistant has 1 to 80 characters" in html


def test_instructions_are_kept(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        viewed(at, "assistants")
        at.text_area(key="own_instructions").set_value("Be brief.")
        at.button[_save_of(at, 0)].click().run()
        assert app.state.instructions == "Be brief." and not at.exception


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_view_stands_in_both_languages(monkeypatch, language):
    app = make_app()
    app.state.assistants = [DESK, {**DESK, "id": "a8", "mine": True, "memory": "other+new", "collections": ["gone"]}]
    with opened(monkeypatch, app) as at:
        at.selectbox(key="language").set_value(language).run()
        for view in ("assistants", "memory"):
            assert "attest-problem" not in viewed(at, view)
