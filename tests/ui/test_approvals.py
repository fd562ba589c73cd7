"""A turn that waits for its reader's word: its card, the decision, and what comes of it."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import create_app
from tests.app.fakes import TOKEN
from tests.app.test_tools import services_over
from tests.ui.standin_api import HOSTILE, make_app
from tests.ui.standin_approvals import CALL, WORDS, done, failed, waiting
from tests.ui.test_main import asked, html_of, opened, use_chinese
from tests.ui.test_turn import fold
from ui.approvals import arguments_text, read_arguments
from ui.client import ApiClient, AskEvent
from ui.sources import footer_html, steps_html
from ui.texts import Texts
from ui.turn import Turn

EN = Texts("en")
KEY = f"arguments-{CALL['id']}"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def send_edit(at, written: str) -> str:
    at.text_area(key=KEY).set_value(written)
    return html_of(sender(at).click().run())


def sender(at):
    return next(button for button in at.button if button.label == "Approve with these")


def keys(at) -> set[str]:
    return {button.key for button in at.button}


def test_a_waiting_turn_shows_the_call_as_text_and_takes_no_question(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        html = asked(at, "/remember my phone")
        assert "remember waits for your approval" in html and "13800000000" in html
        # The event's arguments are masked: an edit of those would send the mask.
        assert "[phone]" not in html and "[phone]" not in at.text_area(key=KEY).value
        for live in ("<script", "<img", "<a "):
            assert live not in html
        assert "&lt;script&gt;" in html and "198.51.100.7" not in "".join(m.value for m in at.markdown)
        assert at.chat_input(key="question").disabled and not at.get("feedback")
        before = app.state.seen.count(("GET", "/v1/approvals"))
        assert "remember 等待您的批准" in html_of(use_chinese(at))
        assert app.state.seen.count(("GET", "/v1/approvals")) == before == 1
        assert app.state.decided == []


def test_an_approved_call_goes_on_to_the_answer(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        asked(at, "/remember my phone")
        html = html_of(at.button(key="approve").click().run())
        assert app.state.decided == [("run1-0", {"decision": "approve", "stream": True})]
        assert "Noted." in html and "By tools" in html and html.count("attest-question") == 1
        assert "approve" not in keys(at) and not at.chat_input(key="question").disabled
        asked(at, "年假")
        assert app.state.asked["session_id"] == "s1"


def test_a_rejected_call_ends_too(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        asked(at, "/remember my phone")
        assert "Rejected." in html_of(at.button(key="reject").click().run())
    assert app.state.decided == [("run1-0", {"decision": "reject", "stream": True})]


def test_arguments_are_edited_and_a_broken_edit_is_told_before_it_is_sent(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        asked(at, "/remember my phone")
        assert json.loads(at.text_area(key=KEY).value) == {"text": WORDS}
        assert "not valid JSON: look at line 2, column 1" in send_edit(at, '{"text":\n')
        assert "must be one JSON object" in send_edit(at, f'["{HOSTILE}"]'.replace("'", ""))
        assert app.state.decided == [] and "approve" in keys(at)
        assert "Noted." in send_edit(at, '{"text": "我在采购部"}')
    edit = {"decision": "edit", "stream": True, "arguments": {"text": "我在采购部"}}
    assert app.state.decided == [("run1-0", edit)]


def test_a_refused_decision_is_told_and_the_call_still_waits(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        asked(at, "/remember my phone")
        html = send_edit(at, '{"other": 1}')
        assert "remember takes no argument &#x27;other&#x27;" in html and "→ look at the list" in html
        assert "waits for your approval" in html
        html = html_of(at.button(key="approve").click().run())
        assert "Noted." in html and "no argument" not in html


def test_the_next_call_of_the_turn_has_a_card_of_its_own(monkeypatch):
    app = make_app()
    app.state.later = [{**CALL, "id": "run1-1", "tool": "tickets_create", "arguments": {}}]
    with opened(monkeypatch, app) as at:
        asked(at, "/remember my phone")
        html = html_of(at.button(key="approve").click().run())
        assert "tickets_create waits for your approval" in html and "It takes no arguments." in html
        assert "Noted." in html_of(at.button(key="approve").click().run())
    assert [call for call, _ in app.state.decided] == ["run1-0", "run1-1"]


def test_a_turn_that_breaks_off_after_the_decision_goes_on_from_there(monkeypatch):
    app = make_app()
    app.state.turns = [{"question": "/remember my phone", "answer": "It waits.", "status": "waiting"}]
    app.state.breaks = True
    with opened(monkeypatch, app) as at:
        asked(at, "/remember my phone")
        html = html_of(at.button(key="approve").click().run())
        assert "The reply ended before the answer was complete" in html
        assert "approve" not in keys(at) and not at.chat_input(key="question").disabled
        assert "Noted." in html_of(at.button(key="go_on").click().run())
    assert app.state.resumed == [("s1", {"stream": True})] and len(app.state.decided) == 1


@pytest.mark.parametrize("waits", [True, False])
def test_an_older_chat_that_waits_shows_its_card_when_it_is_opened(monkeypatch, waits):
    app = make_app()
    app.state.turns.append({"question": "/remember it", "answer": "It waits.", "status": "waiting"})
    app.state.approvals.append({**CALL, "id": "run0-0", "session_id": "s0" if waits else "s7"})
    with opened(monkeypatch, app) as at:
        html = html_of(at.button(key="open-s0").click().run())
        assert "/remember it" in html and "凭发票报销。[1]" in html
        assert ("approve" in keys(at)) is waits and ("go_on" in keys(at)) is not waits
        assert "Noted." in html_of(at.button(key="approve" if waits else "go_on").click().run())
    assert [call for call, _ in app.state.decided] == (["run0-0"] if waits else [])


def test_a_turn_that_ended_elsewhere_shows_its_answer(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        asked(at, "/remember my phone")
        app.state.approvals.clear()
        app.state.turns = [
            {"question": "/remember my phone", "answer": "Done by hand.", "status": "answered"}
        ]
        assert "Done by hand." in html_of(at.button(key="approve").click().run())
        assert not at.chat_input(key="question").disabled


def test_a_list_that_cannot_be_read_is_told_and_asked_again(monkeypatch):
    app = make_app()
    with opened(monkeypatch, app) as at:
        app.state.approvals, kept = None, app.state.approvals
        html = asked(at, "/remember my phone")
        assert "/v1/approvals has no list" in html and "approve" not in keys(at)
        app.state.approvals = kept
        assert "remember waits" in html_of(at.button(key="retry").click().run())


def test_a_waiting_turn_that_was_left_behind_says_that_it_stopped(monkeypatch):
    app = make_app()
    first = {"question": "/remember it", "answer": "It waits.", "status": "waiting"}
    app.state.turns = [first, *app.state.turns]
    with opened(monkeypatch, app) as at:
        html = html_of(at.button(key="open-s0").click().run())
        assert "It waits." not in html and "approve" not in keys(at)
        assert "Stopped before the end." in [caption.value for caption in at.caption]


def test_a_fault_of_a_turn_that_was_taken_up_leaves_it_waiting():
    turn = fold(waiting())
    assert (turn.status, turn.session_id, turn.approval) == ("waiting", "s1", None)
    turn.take_up()
    turn.apply(AskEvent(*failed("no")[0]))
    assert (turn.status, turn.message) == ("waiting", "no")
    turn.take_up()
    turn.stop()
    assert turn.status == "waiting"
    turn.take_up()
    for event in done():
        turn.apply(AskEvent(*event))
    assert (turn.status, turn.message, turn.route) == ("answered", "", "tool")


def test_calls_are_told_in_one_inert_line_each():
    turn = fold(done()[:1])
    assert steps_html(turn, EN).count("attest-step") == 2 and "→ called" in steps_html(turn, EN)
    turn.apply(AskEvent("tool_call", {"tool": HOSTILE, "arguments": HOSTILE}))
    turn.apply(AskEvent("tool_result", {"tool": "remember", "text": f"{HOSTILE}\n" * 9}))
    html = steps_html(turn, EN)
    assert [step.text is None for step in turn.steps] == [False, True]
    for live in ("<script", "<img", "<a ", "\n"):
        assert live not in html
    assert "&lt;script&gt;" in html and len(html) < 2000


@pytest.mark.parametrize(
    ("route", "words"),
    [
        ("search", ""),
        ("", ""),
        ("faq", "Curated answer"),
        ("table", "Read from a table"),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_an_answer_says_by_which_way_it_came(route, words):
    html = footer_html(Turn("q", status="answered", route=route), EN)
    assert html == (f'<div class="attest-footer">{words}</div>' if words else "")


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_what_is_shown_reads_back_as_the_same_arguments(arguments):
    shown = arguments_text(arguments)
    assert read_arguments(shown, EN) == arguments
    assert not any(char in shown for char in "\u202e\u200b\u2028\x7f")


@pytest.mark.parametrize(
    "written",
    ["[]", "3", '{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud800"}', "[" * 100_000, '{"a": ' * 100_000],
)
def test_what_json_cannot_say_is_no_argument(written):
    with pytest.raises(ValueError, match="one JSON object"):
        read_arguments(written, EN)


def test_what_turns_the_order_of_letters_is_shown_as_its_escape():
    assert arguments_text({"to": "a\u202eb\U000e0041"}) == '{\n  "to": "a\\u202eb\\udb40\\udc41"\n}'


def test_an_id_of_an_approval_cannot_leave_its_place_in_the_path():
    paths = []

    def respond(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(200, headers={"content-type": "text/event-stream"})

    client = ApiClient("http://api.test", transport=httpx.MockTransport(respond))
    assert list(client.decide("../keys?x", "approve")) == [] == list(client.resume("a/b"))
    assert paths == [b"/v1/approvals/..%2Fkeys%3Fx", b"/v1/sessions/a%2Fb/resume"]


def test_the_page_and_the_whole_api_agree(monkeypatch, tmp_path):
    with opened(monkeypatch, create_app(services_over(tmp_path), TOKEN), token=TOKEN) as at:
        asked(at, "/remember my team is red\n/remember my town is Hefei")
        [area] = at.text_area
        assert json.loads(area.value) == {"text": "my team is red"}
        area.set_value('{"txt": "x"}')
        assert "attest-problem" in html_of(sender(at).click().run())
        [area] = at.text_area
        area.set_value('{"text": "my team is blue"}')
        assert "my town is Hefei" in html_of(sender(at).click().run())
        html = html_of(at.button(key="approve").click().run())
        assert "By tools" in html and "approve" not in keys(at)
        remembered = html_of(at.segmented_control(key="view").set_value("memory").run())
        assert ">Hefei<" in remembered and ">blue<" in remembered and ">red<" not in remembered
