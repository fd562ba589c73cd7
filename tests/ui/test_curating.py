"""Thumbs and the view of curated answers, run by Streamlit's own test harness."""

from tests.ui.standin_api import make_app
from tests.ui.test_main import asked, html_of, opened


def test_a_thumb_is_sent_once_and_a_thumb_down_asks_for_words(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        asked(at, "年假有多少天？")
        at.feedback(key="thumb-0-a1").set_value(0).run()
        at.run()
        assert app.state.rated == [{"answer_id": "a1", "vote": "down"}]
        at.text_input(key="reason-0").set_value("old")
        at.text_area(key="right-0").set_value("20 天")
        next(b for b in at.button if b.label == "Send").click().run()
        assert not at.exception
    words = {"answer_id": "a1", "vote": "down", "reason": "old", "right_answer": "20 天"}
    assert app.state.rated[1:] == [words]


def test_thumbs_stand_in_the_column_of_their_answer(monkeypatch):
    with opened(monkeypatch, make_app()) as at:
        asked(at, "年假有多少天？")
        assert [message.name for message in at.chat_message if message.get("feedback")] == ["assistant"]


def test_a_thumb_up_wants_no_words(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        asked(at, "年假有多少天？")
        at.feedback(key="thumb-0-a1").set_value(1).run()
        assert [b for b in at.button if b.label == "Send"] == []
    assert app.state.rated == [{"answer_id": "a1", "vote": "up"}]


def opened_faq(at):
    return html_of(at.segmented_control(key="view").set_value("faq").run())


def test_entries_are_shown_as_text_and_deleted_after_one_more_word(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        html = opened_faq(at)
        assert "Expired, not used · &lt;b&gt;gone&lt;/b&gt;" in html and "<script" not in html
        at.button(key="drop-f1").click().run()
        html = html_of(at.button(key="confirm").click().run())
        assert "年假有多少天" not in html and app.state.faq == []


def test_a_suggestion_is_accepted_with_one_click(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        assert "产假有多少天？" not in opened_faq(at) and app.state.looked == 0
        assert "产假有多少天？" in html_of(at.button(key="faq_look").click().run())
        at.run()
        assert app.state.looked == 1, "looking is costly"
        html = html_of(at.button(key="accept-s1").click().run())
        assert "产假有多少天？" not in html and app.state.looked == 1
    assert app.state.added == [{"collection": "default", "suggestion": "s1"}]


def test_a_refused_entry_says_why_and_keeps_what_was_typed(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        opened_faq(at)
        at.text_input(key="faq_question").set_value("q?")
        at.text_area(key="faq_answer").set_value("wrong")
        html = html_of(next(b for b in at.button if b.label == "Add").click().run())
        assert "do not bear out" in html and at.text_area(key="faq_answer").value == "wrong"


def test_who_may_not_curate_sees_entries_alone(monkeypatch):
    app = make_app()
    app.state.may_curate = False
    with opened(monkeypatch, app) as at:
        html = opened_faq(at)
        assert "年假有多少天？" in html and "产假" not in html
        assert not [b for b in at.button if b.key == "drop-f1"] and not at.expander
