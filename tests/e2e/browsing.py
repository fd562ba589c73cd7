"""A browser on the page: what the browser tests share.

Streamlit draws the page anew after each input, and what is typed or clicked meanwhile may be lost. So nothing
is done while the page is at work, and what is done is done again where nothing came of it.
"""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import expect

from tests.ui.standin_api import serving

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 180
START_TIMEOUT_MS = 120_000
STEP_TIMEOUT_MS = 120_000
"""For what follows a click: enough for a loaded machine, and nothing is measured by it."""
TRY_TIMEOUT_MS = 15_000
"""For one try of what is tried again: longer than a loaded machine takes, for a click that was only slow
must not be made twice."""
POLL_MS = 50
STARTS = 3
"""A port that was free may be taken before a server has it."""
BELOW_WHAT_SYSTEMS_GIVE_AWAY = range(20_000, 32_000)
expect.set_options(timeout=STEP_TIMEOUT_MS)

# True once the script of the page has run to its end and for a while nothing was drawn.
DRAWN = """() => {
    const now = performance.now();
    if (!window.attestDrawing) {
        window.attestDrawing = {at: now};
        new MutationObserver(() => { window.attestDrawing.at = performance.now(); })
            .observe(document.body, {subtree: true, childList: true, characterData: true});
    }
    const app = document.querySelector("[data-testid='stApp']");
    if (!app || app.dataset.testScriptState !== "notRunning") window.attestDrawing.at = now;
    return now - window.attestDrawing.at > 250;
}"""


def free_port() -> int:
    """A loopback port that nobody holds just now, and that no connection is given by the system."""
    for port in random.sample(BELOW_WHAT_SYSTEMS_GIVE_AWAY, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("none of a hundred loopback ports is free")


def new_page(browser, url: str, locale: str = "zh-CN"):
    """The page in a new tab, ready for a question; `page.requested` lists what it asked for."""
    page = browser.new_context(locale=locale, viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(STEP_TIMEOUT_MS)
    page.requested = []
    page.on("request", lambda request: page.requested.append(request.url))
    page.goto(url, timeout=START_TIMEOUT_MS)
    page.get_by_test_id("stChatInputTextArea").wait_for(timeout=START_TIMEOUT_MS)
    return page


def wait_until_drawn(page) -> None:
    """Waits until the script of the page has run to its end: what is read then is no longer on its way."""
    page.wait_for_function(DRAWN)


def becomes(page, is_so: Callable[[], bool], within_ms: int = STEP_TIMEOUT_MS) -> bool:
    """Whether it is so within this time."""
    deadline = time.monotonic() + within_ms / 1000
    while not is_so():
        if time.monotonic() > deadline:
            return False
        page.wait_for_timeout(POLL_MS)
    return True


def repeat_until(page, act: Callable[[], object], is_so: Callable[[], bool], *, at_work: bool = False) -> None:
    """Acts, and acts again where a page that stands still shows that nothing came of it. A page that is
    `at_work`, as while an answer comes, is not waited for."""
    deadline = time.monotonic() + STEP_TIMEOUT_MS / 1000
    said = "nothing came of it"
    while time.monotonic() < deadline:
        if not at_work and not becomes(page, lambda: page.evaluate(DRAWN) or is_so()):
            break
        if is_so():
            return
        try:
            act()
        except BrowserError as error:
            said = error.message
            continue
        if becomes(page, is_so, TRY_TIMEOUT_MS):
            return
    raise AssertionError(f"what was done on the page was not taken: {said}")


def click(page, target, leads_to, *, at_work: bool = False) -> None:
    """Clicks until what it leads to is seen: a locator, or whether it is so."""
    is_so = leads_to if callable(leads_to) else lambda: leads_to.first.is_visible()
    repeat_until(page, lambda: target.click(timeout=TRY_TIMEOUT_MS), is_so, at_work=at_work)


def fill(page, field, text: str) -> None:
    """Types into a field until it holds the text on a page that is drawn."""

    def type_and_wait() -> None:
        field.fill(text, timeout=TRY_TIMEOUT_MS)
        wait_until_drawn(page)

    repeat_until(page, type_and_wait, lambda: field.is_visible() and field.input_value() == text)


def ask(page, question: str) -> None:
    """Types the question and sends it, until it stands in the chat."""
    field = page.get_by_test_id("stChatInputTextArea")

    def send() -> None:
        field.fill(question, timeout=TRY_TIMEOUT_MS)
        field.press("Enter", timeout=TRY_TIMEOUT_MS)

    asked = page.locator(".attest-question").get_by_text(question, exact=True)
    repeat_until(page, send, lambda: asked.count() > 0)


def open_view(page, name: str, leads_to, *, at_work: bool = False) -> None:
    """Goes to a view of the page by its name."""
    views = page.get_by_test_id("stSidebar").get_by_test_id("stButtonGroup")
    click(page, views.get_by_text(name, exact=True).last, leads_to, at_work=at_work)


def choose(page, box, option: str) -> None:
    """Picks one of what a box of choices offers, by its list."""
    offered = page.get_by_role("option", name=option, exact=True)

    def pick() -> None:
        if not offered.is_visible():
            box.get_by_role("combobox").click(timeout=TRY_TIMEOUT_MS)
        offered.click(timeout=TRY_TIMEOUT_MS)

    repeat_until(page, pick, lambda: option in box.inner_text())


@contextmanager
def page_over(app: FastAPI) -> Iterator[str]:
    """The address of the page, which talks to this stand-in for the API."""
    with serving(app) as api_url:
        child, address = _start_page(api_url)
        try:
            yield address
        finally:
            child.terminate()
            child.wait(timeout=START_TIMEOUT_S)


def _start_page(api_url: str) -> tuple[subprocess.Popen, str]:
    for _ in range(STARTS):
        port = free_port()
        child = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "ui/main.py", "--server.port", str(port)],
            cwd=ROOT,
            env={**os.environ, "ATTEST_UI_API_URL": api_url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if _comes_up(child, f"http://127.0.0.1:{port}/_stcore/health"):
            return child, f"http://127.0.0.1:{port}"
        child.kill()
        child.wait()
    raise TimeoutError("Streamlit does not come up")


def _comes_up(child: subprocess.Popen, health: str) -> bool:
    """Whether the page answers in time; not when its process has ended."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while child.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(health, trust_env=False).is_success:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    return False
