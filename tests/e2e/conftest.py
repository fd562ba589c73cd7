"""Chromium for the browser tests; without it they are skipped with a word on how to get it."""

import os
import shutil

import pytest

START_TIMEOUT_MS = 120_000
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browsers():
    """Starts browsers. Of a module, not of the session: while Playwright runs, the thread counts as one
    that is in an event loop, and no asynchronous test can run in it."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is absent: pip install playwright"
    )
    path = os.environ.get("ATTEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is absent: apt-get install chromium, or set ATTEST_CHROMIUM to its path")
    with sync_api.sync_playwright() as playwright:
        yield lambda: playwright.chromium.launch(
            executable_path=path, args=CHROMIUM_ARGS, timeout=START_TIMEOUT_MS
        )


@pytest.fixture(scope="module")
def shared_browser(browsers):
    """The browser of a module's tests."""
    browser = browsers()
    yield browser
    browser.close()


@pytest.fixture
def is_first_try(request) -> bool:
    """Whether the test is not tried again: what a failed try left behind is not to be used."""
    return getattr(request.node, "execution_count", 1) == 1


@pytest.fixture
def chromium(request, is_first_try):
    """A browser without a page; a test that is tried again gets one of its own."""
    if is_first_try:
        browser = request.getfixturevalue("shared_browser")
        yield browser
        for context in browser.contexts:
            context.close()
        return
    browser = request.getfixturevalue("browsers")()
    yield browser
    browser.close()
