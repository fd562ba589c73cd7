"""A browser on the page: what the browser tests share."""

import socket

START_TIMEOUT_MS = 120_000


def free_port() -> int:
    """A loopback port that nobody holds just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def new_page(browser, url: str, locale: str = "zh-CN"):
    """The page in a new tab, ready for a question; `page.requested` lists what it asked for."""
    page = browser.new_context(locale=locale, viewport={"width": 1280, "height": 900}).new_page()
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
