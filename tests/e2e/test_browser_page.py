"""The page alone in a real browser, over a stand-in API: what only a browser can tell."""

import json
import os
import re
import threading
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import (
    ask,
    click,
    fill,
    new_page,
    open_view,
    page_over,
    wait_until_drawn,
)
from tests.ui.standin_api import HOSTILE, make_app

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class FirstSentence:
    """The pace of the stand-in API: while it holds, nothing follows the first sentence of an answer."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()

    def __call__(self, sent: list[str]) -> None:
        if "sentence" in sent:
            self._open.wait()

    def hold(self) -> None:
        self._open.clear()

    def go_on(self) -> None:
        self._open.set()


@contextmanager
def paced_page():
    """The page over a stand-in API, and the pace of that."""
    pace = FirstSentence()
    with page_over(make_app(pace=pace)) as address:
        yield address, pace


@pytest.fixture(scope="module")
def shared_page():
    with paced_page() as both:
        yield both


@pytest.fixture
def address_and_pace(request, is_first_try):
    """Those of the module; a test that is tried again gets its own."""
    if is_first_try:
        yield request.getfixturevalue("shared_page")
        return
    with paced_page() as both:
        yield both


@pytest.fixture
def url(address_and_pace):
    """The page over a stand-in API."""
    return address_and_pace[0]


@pytest.fixture
def held(address_and_pace):
    """Answers stop behind their first sentence until `go_on`."""
    pace = address_and_pace[1]
    pace.hold()
    yield pace
    pace.go_on()


def test_hostile_document_text_neither_runs_nor_links_nor_loads(chromium, url):
    page = new_page(chromium, url, "en-GB")
    ask(page, "hostile")
    page.get_by_test_id("stPopover").first.wait_for()
    wait_until_drawn(page)
    assert page.locator(".attest-quote mark").inner_text() == HOSTILE
    assert page.title() == "Attest"
    assert page.locator("[href*='198.51.100.7'], [src*='198.51.100.7'], [href^='javascript']").count() == 0
    assert page.locator("[onerror]").count() == 0
    assert not [address for address in page.requested if not address.startswith((url, "data:", "blob:"))]


def test_hostile_arguments_that_wait_for_approval_are_words_and_go_on_when_it_is_given(chromium, url):
    page = new_page(chromium, url, "en-GB")
    ask(page, "/remember my phone")
    expect(page.locator(".attest-arguments")).to_contain_text(HOSTILE)
    field = page.get_by_label("Arguments, as JSON")
    click(page, page.get_by_role("button", name="Edit"), field)
    expect(field).to_have_value(re.compile(re.escape(json.dumps(HOSTILE, ensure_ascii=False)[1:-1])))
    assert page.title() == "Attest" and page.locator("[onerror], [href^='javascript']").count() == 0
    click(page, page.get_by_role("button", name="Approve with these"), page.get_by_text("By tools"))
    expect(page.locator(".attest-arguments")).to_have_count(0)
    assert not [address for address in page.requested if not address.startswith((url, "data:", "blob:"))]


def test_relations_are_drawn_of_hostile_names_as_words_and_lead_on(chromium, url):
    page = new_page(chromium, url, "en-GB")
    name, other = page.get_by_label("Name", exact=True), page.get_by_label("Related to (may stay empty)")
    open_view(page, "Relations", other)
    fill(page, name, "acme")
    fill(page, other, "port")
    drawing = page.locator("[data-testid='stGraphVizChart'] svg")
    click(page, page.get_by_role("button", name="Show", exact=True), drawing)
    wait_until_drawn(page)
    expect(drawing.locator("g.node")).to_have_count(3)
    expect(drawing.locator("g.edge")).to_have_count(2)
    assert drawing.locator("g.edge polygon").count() == 1  # an arrow where it is told which way it goes
    words = [text.text_content() for text in drawing.locator("g.node text").all()]
    assert {"Acme", "Port"} < set(words) and any(word.startswith("<script>document") for word in words)
    assert page.locator(".attest-quote").first.inner_text().startswith("Acme supplies <script>")
    assert page.title() == "Attest" and page.locator("[onerror], a[*|href^='javascript']").count() == 0
    if place := os.environ.get("ATTEST_SCREENSHOT"):
        page.screenshot(path=place, full_page=True)
    further = page.locator("[class*='st-key-further-'] button").first
    click(page, further, lambda: other.is_visible() and other.input_value() == "")
    assert not [address for address in page.requested if not address.startswith((url, "data:", "blob:"))]


def test_a_picture_that_is_cited_is_drawn_and_nothing_is_loaded_for_it(chromium, url):
    page = new_page(chromium, url, "en-GB")
    ask(page, "picture")
    picture = page.locator(".attest-card img.attest-figure")
    picture.wait_for()
    page.wait_for_function("document.querySelector('img.attest-figure').naturalWidth === 1")
    assert not [address for address in page.requested if not address.startswith((url, "data:", "blob:"))]


def test_the_first_sentence_is_there_before_the_last(chromium, url, held):
    page = new_page(chromium, url)
    ask(page, "年假有多少天？")
    expect(page.locator(".attest-answer")).to_have_text("每年有 15 天带薪年假。[1]", use_inner_text=True)
    expect(page.locator(".attest-status")).to_be_visible()
    held.go_on()
    page.get_by_test_id("stPopover").wait_for()
    expect(page.locator(".attest-answer")).to_contain_text("没有休完的可以留到次年三月底。[2]")
    expect(page.locator(".attest-status")).to_have_count(0)


def test_a_click_elsewhere_stops_the_answer_and_keeps_what_was_released(chromium, url, held):
    page = new_page(chromium, url)
    ask(page, "年假有多少天？")
    page.locator(".attest-answer").wait_for()
    open_view(page, "文档", page.get_by_test_id("stFileUploader"), at_work=True)
    open_view(page, "提问", page.get_by_text("回答已中止。"))
    expect(page.locator(".attest-answer")).to_contain_text("每年有 15 天带薪年假。[1]")
