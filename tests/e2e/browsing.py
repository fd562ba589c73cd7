"""A browser on the page: what the browser tests share."""

import socket

from playwright.sync_api import expect

START_TIMEOUT_MS = 120_000
STEP_TIMEOUT_MS = 60_000
"""For what follows a click: enough for a loaded machine, and nothing is measured by it."""
expect.set_options(timeout=STEP_TIMEOUT_MS)


def free_port() -> int:
    """A loopback port that nobody holds just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def new_page(browser, url: str, locale: str = "zh-CN"):
    """The page in a new tab, ready for a question; `page.requested` lists what it asked for."""
    page = browser.new_context(locale=locale, viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(STEP_TIMEOUT_MS)
    page.requested = []
    page.on("request", lambda request: page.requested.append(request.url))
    page.goto(url, timeout=START_TIMEOUT_MS)
    page.get_by_test_id("stChatInputTextArea").wait_for(timeout=START_TIMEOUT_MS)
    return page


def ask(page, question: str) -> None:
    """Types the question and sends it."""
    field = page.get_by_test_id("stChatInputTextArea")
    field.fill(question)
    field.press("Enter")


def wait_until_drawn(page) -> None:
    """Waits until the script of the page has run to its end: what is read then is no longer on its way."""
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for()
