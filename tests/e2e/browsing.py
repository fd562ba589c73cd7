"""A browser on the page: what the browser tests share."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from playwright.sync_api import expect

from tests.ui.standin_api import serving

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 180
START_TIMEOUT_MS = 120_000
STEP_TIMEOUT_MS = 60_000
"""For what follows a click: enough for a loaded machine, and nothing is measured by it."""
TRY_TIMEOUT_MS = 5_000
"""For one try of what is tried again."""
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


@contextmanager
def page_over(app: FastAPI) -> Iterator[str]:
    """The address of the page, which talks to this stand-in for the API."""
    port = free_port()
    with serving(app) as api_url:
        command = [sys.executable, "-m", "streamlit", "run", "ui/main.py", "--server.port", str(port)]
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "ATTEST_UI_API_URL": api_url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/_stcore/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            child.terminate()
            child.wait(timeout=START_TIMEOUT_S)


def _wait_until_up(health: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(health, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise TimeoutError(f"nothing answers at {health}")


def open_view(page, name: str) -> None:
    """Goes to a view of the page by its name."""
    views = page.get_by_test_id("stSidebar").get_by_test_id("stButtonGroup")
    views.get_by_text(name, exact=True).last.click()


def choose(page, box, option: str) -> None:
    """Picks one of what a box of choices offers, by its list: while the page is drawn anew, what is typed
    and pressed may be lost, so it is offered again until the box shows it."""
    deadline = time.monotonic() + STEP_TIMEOUT_MS / 1000
    offered = page.get_by_role("option", name=option, exact=True)
    while option not in box.inner_text():
        assert time.monotonic() < deadline, f"the box never took {option}: {box.inner_text()!r}"
        wait_until_drawn(page)
        if not offered.is_visible():
            box.get_by_role("combobox").click()
        try:
            offered.click(timeout=TRY_TIMEOUT_MS)
            expect(box).to_contain_text(option, timeout=TRY_TIMEOUT_MS)
        except (PlaywrightTimeoutError, AssertionError):
            continue
