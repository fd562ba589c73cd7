"""What is a user's own, in a real browser over a stand-in API: assistants, memory, and what tools did."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from playwright.sync_api import expect

from tests.e2e.browsing import (
    START_TIMEOUT_S,
    ask,
    choose,
    click,
    fill,
    new_page,
    open_view,
    page_over,
    repeat_until,
    wait_until_drawn,
)
from tests.ui.standin_api import make_app

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Stops:
    """The pace of the stand-in API: nothing follows an event of these names until it is let on."""

    def __init__(self) -> None:
        self._held: dict[str, threading.Event] = {}

    def __call__(self, sent: list[str]) -> None:
        if sent and (held := self._held.get(sent[-1])):
            held.wait(START_TIMEOUT_S)

    def hold(self, *names: str) -> None:
        self._held = {name: threading.Event() for name in names}

    def go_on(self, name: str) -> None:
        self._held[name].set()


@dataclass(frozen=True)
class Site:
    """The page's address, and the stand-in behind it."""

    url: str
    app: FastAPI
    stops: Stops


@contextmanager
def new_site():
    """A page over a stand-in that nobody has used."""
    stops = Stops()
    app = make_app(pace=stops)
    with page_over(app) as url:
        yield Site(url, app, stops)


@pytest.fixture(scope="module")
def shared_site():
    with new_site() as site:
        yield site


@pytest.fixture
def site(request, is_first_try):
    """The module's, of which each test uses a part; a test that is tried again gets its own."""
    if is_first_try:
        yield request.getfixturevalue("shared_site")
        return
    with new_site() as site:
        yield site


def test_an_assistant_is_made_narrowed_in_its_tools_and_answers_in_the_chat(chromium, site):
    page = new_page(chromium, site.url, "en-GB")
    open_view(page, "Assistants", page.get_by_text("No assistants yet."))
    form = page.get_by_test_id("stExpander").filter(has_text="New assistant")
    name = form.get_by_label("Name", exact=True)
    click(page, form.get_by_text("New assistant", exact=True), name)
    fill(page, name, "Helpdesk")
    fill(page, form.get_by_label("Instructions", exact=True), "Answer briefly.")
    saved = site.app.state.saved
    click(page, form.get_by_role("button", name="Save"), lambda: saved != [])
    card = page.locator(".attest-document")
    expect(card).to_contain_text("Helpdesk")
    expect(card).to_contain_text("Answer briefly.")
    assert saved[-1][1]["tools"] is None

    form = page.get_by_test_id("stExpander").filter(has_text="Edit")
    only_these = form.get_by_text("Only these tools", exact=True)
    click(page, form.get_by_text("Edit", exact=True), only_these)
    click(page, only_these, form.get_by_role("checkbox", name="Only these tools").is_checked)
    choose(page, form.locator(".st-key-tools-a0"), "calculate")
    fill(page, form.get_by_label("Instructions", exact=True), "Reckon for me.")
    click(page, form.get_by_role("button", name="Save"), card.filter(has_text="Reckon for me."))
    assert saved[-1][0] == "a0" and saved[-1][1]["tools"] == ["calculate"]

    assistant = page.get_by_role("combobox", name="Assistant", exact=True)
    used = page.get_by_test_id("stChatInputTextArea")
    click(page, page.get_by_role("button", name="Use", exact=True), used)
    expect(assistant).to_have_value("Helpdesk")
    ask(page, "年假有多少天？")
    expect(page.locator(".attest-answer")).to_contain_text("没有休完的可以留到次年三月底。[2]")
    assert site.app.state.asked["assistant"] == "a0"


def test_what_is_remembered_is_listed_changed_forgotten_and_switched_off(chromium, site):
    page = new_page(chromium, site.url, "en-GB")
    facts = page.locator(".attest-document")
    open_view(page, "Memory", facts)
    expect(facts).to_have_count(2)
    expect(facts.nth(1)).to_contain_text("the deadline is Friday")
    wait_until_drawn(page)
    assert page.title() == "Attest" and page.locator("[onerror]").count() == 0

    field = page.get_by_label("What is remembered", exact=True)
    editors = page.get_by_test_id("stPopover")
    expect(editors).to_have_count(2)
    click(page, editors.nth(1).get_by_role("button"), field)
    expect(field).to_have_value("the deadline is Friday")
    fill(page, field, "the deadline is Monday")
    click(page, page.get_by_role("button", name="Save"), facts.filter(has_text="the deadline is Monday"))
    expect(facts.nth(1)).to_contain_text("the deadline is Monday")

    repeat_until(page, lambda: page.keyboard.press("Escape"), field.is_hidden)
    asked = page.get_by_text("Delete deadline for good?")
    click(page, page.locator(".st-key-drop-m2 button").first, asked)
    click(page, page.locator(".st-key-confirm button").first, asked.is_hidden)
    expect(facts).to_have_count(1)
    assert [fact["id"] for fact in site.app.state.facts] == ["m1"]

    switch = page.get_by_text("Remember what I say of myself")
    click(page, switch, lambda: site.app.state.remembers is False)
    expect(page.get_by_role("switch").or_(page.get_by_role("checkbox"))).not_to_be_checked()


def test_each_call_of_a_tool_is_a_line_while_the_answer_is_made(chromium, site):
    page = new_page(chromium, site.url, "en-GB")
    site.stops.hold("tool_call", "tool_result")
    ask(page, "reckon 15 times 3")
    step = page.locator(".attest-step")
    expect(step).to_contain_text('calculate{"expression": "15 * 3"}→ called')
    site.stops.go_on("tool_call")
    expect(step).to_contain_text("→ 45 <script>")
    site.stops.go_on("tool_result")
    page.get_by_text("By tools").wait_for()
    expect(step).to_have_count(0)
    expect(page.locator(".attest-answer")).to_contain_text("15 × 3 = 45[1]")
    wait_until_drawn(page)
    assert page.title() == "Attest" and page.locator("[onerror], [href^='javascript']").count() == 0
    assert not [address for address in page.requested if not address.startswith((site.url, "data:", "blob:"))]
