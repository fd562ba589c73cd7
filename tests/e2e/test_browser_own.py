"""What is a user's own, in a real browser over a stand-in API: assistants, memory, and what tools did."""

import threading
import time
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from playwright.sync_api import expect

from tests.e2e.browsing import START_TIMEOUT_S, ask, choose, new_page, open_view, page_over, wait_until_drawn
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


@pytest.fixture(scope="module")
def site():
    stops = Stops()
    app = make_app(pace=stops)
    with page_over(app) as url:
        yield Site(url, app, stops)


def until(page, is_so) -> None:
    """Waits for what the stand-in is told: a click is over before its request is."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline, "the page told the API nothing of the kind"
        page.wait_for_timeout(100)


def test_an_assistant_is_made_narrowed_in_its_tools_and_answers_in_the_chat(chromium, site):
    page = new_page(chromium, site.url, "en-GB")
    open_view(page, "Assistants")
    expect(page.get_by_text("No assistants yet.")).to_be_visible()
    form = page.get_by_test_id("stExpander").filter(has_text="New assistant")
    form.get_by_text("New assistant", exact=True).click()
    form.get_by_label("Name", exact=True).fill("Helpdesk")
    form.get_by_label("Instructions", exact=True).fill("Answer briefly.")
    form.get_by_role("button", name="Save").click()
    card = page.locator(".attest-document")
    expect(card).to_contain_text("Helpdesk")
    expect(card).to_contain_text("Answer briefly.")
    until(page, lambda: site.app.state.saved[-1][1]["tools"] is None)

    form = page.get_by_test_id("stExpander").filter(has_text="Edit")
    form.get_by_text("Edit", exact=True).click()
    form.get_by_text("Only these tools", exact=True).click()
    tools = form.locator(".st-key-tools-a0")
    choose(page, tools, "calculate")
    form.get_by_label("Instructions", exact=True).fill("Reckon for me.")
    form.get_by_role("button", name="Save").click()
    expect(card).to_contain_text("Reckon for me.")
    assert site.app.state.saved[-1] == ("a0", site.app.state.saved[-1][1])
    assert site.app.state.saved[-1][1]["tools"] == ["calculate"]

    page.get_by_role("button", name="Use", exact=True).click()
    expect(page.get_by_role("combobox", name="Assistant", exact=True)).to_have_value("Helpdesk")
    ask(page, "年假有多少天？")
    expect(page.locator(".attest-answer")).to_contain_text("没有休完的可以留到次年三月底。[2]")
    assert site.app.state.asked["assistant"] == "a0"
    page.context.close()


def test_what_is_remembered_is_listed_changed_forgotten_and_switched_off(chromium, site):
    page = new_page(chromium, site.url, "en-GB")
    open_view(page, "Memory")
    facts = page.locator(".attest-document")
    expect(facts).to_have_count(2)
    expect(facts.nth(1)).to_contain_text("the deadline is Friday")
    wait_until_drawn(page)
    assert page.title() == "Attest" and page.locator("[onerror]").count() == 0

    page.get_by_test_id("stPopover").nth(1).get_by_role("button").click()
    field = page.get_by_label("What is remembered", exact=True)
    expect(field).to_have_value("the deadline is Friday")
    field.fill("the deadline is Monday")
    page.get_by_role("button", name="Save").click()
    expect(facts.nth(1)).to_contain_text("the deadline is Monday")

    page.keyboard.press("Escape")
    page.locator(".st-key-drop-m2 button").first.click()
    expect(page.get_by_text("Delete deadline for good?")).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).last.click()
    expect(facts).to_have_count(1)
    assert [fact["id"] for fact in site.app.state.facts] == ["m1"]

    page.get_by_text("Remember what I say of myself").click()
    until(page, lambda: site.app.state.remembers is False)
    expect(page.get_by_role("switch").or_(page.get_by_role("checkbox"))).not_to_be_checked()
    page.context.close()


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
    page.context.close()
