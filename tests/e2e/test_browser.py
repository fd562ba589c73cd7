"""The web page in a real browser: one question typed, one streamed and cited answer read.

With ATTEST_E2E_URL the page at that address is used (ATTEST_E2E_QUESTION asks another
question); without, `attest up` is started over a copy of the sample library. With
ATTEST_SCREENSHOT the page is saved as a picture.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.browsing import ask, free_port, new_page, wait_until_drawn

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "samples" / "library"
QUESTION = "在中国大陆购买的 TM-20，主机的保修期是多久？"
INGEST_TIMEOUT_S = 600
START_TIMEOUT_S = 300
ANSWER_TIMEOUT_MS = 300_000
# What is gone again before a slow test looks for it is noted by the page itself.
NOTE_WHAT_COMES = """() => {
    window.attestCame = [];
    new MutationObserver(() => {
        for (const one of [".attest-status", ".attest-answer"])
            if (!window.attestCame.includes(one) && document.querySelector(one)) window.attestCame.push(one);
    }).observe(document.body, {subtree: true, childList: true});
}"""
pytestmark = [pytest.mark.browser, pytest.mark.slow]
if not os.environ.get("ATTEST_E2E_URL"):
    pytestmark.append(pytest.mark.models)


def read_document(stream: Iterator[str]) -> str:
    """The JSON document at a stream's start; the stream stays open while the program runs."""
    lines = []
    for line in stream:
        lines.append(line)
        if line == "}\n":
            break
    return "".join(lines)


@contextmanager
def attest_up(data: Path) -> Iterator[str]:
    """The real system over the sample library; yields the page's address."""
    attest = [sys.executable, "-c", "from app.cli.main import run; run()"]
    ingest = [*attest, "ingest", str(LIBRARY), "--data", str(data), "--json"]
    done = subprocess.run(ingest, cwd=ROOT, capture_output=True, text=True, timeout=INGEST_TIMEOUT_S)
    assert done.returncode == 0, done.stderr[-2000:]
    ports = ["--port", str(free_port()), "--ui-port", str(free_port())]
    log = (data / "up.log").open("w")
    child = subprocess.Popen(
        [*attest, "up", *ports, "--data", str(data), "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        printed = read_document(child.stdout)
        assert printed, (data / "up.log").read_text()[-2000:]
        yield json.loads(printed)["ui"]
    finally:
        child.send_signal(signal.SIGINT)  # what Ctrl-C does
        child.wait(timeout=START_TIMEOUT_S)
        log.close()


@contextmanager
def address_of_page(folder: Path) -> Iterator[str]:
    if url := os.environ.get("ATTEST_E2E_URL"):
        yield url
        return
    with attest_up(folder / "data") as url:
        yield url


@pytest.fixture(scope="module")
def shared_url(tmp_path_factory) -> Iterator[str]:
    with address_of_page(tmp_path_factory.mktemp("browser")) as url:
        yield url


@pytest.fixture
def ui_url(request, is_first_try, tmp_path) -> Iterator[str]:
    """That of the module; a test that is tried again gets a system of its own."""
    if is_first_try:
        yield request.getfixturevalue("shared_url")
        return
    with address_of_page(tmp_path) as url:
        yield url


@pytest.fixture
def page(chromium, ui_url):
    """The page in a Chinese browser, and every address it asked for in `page.requested`."""
    return new_page(chromium, ui_url)


def test_a_typed_question_gets_a_streamed_and_cited_answer(page, ui_url):
    question = os.environ.get("ATTEST_E2E_QUESTION", QUESTION)
    page.evaluate(NOTE_WHAT_COMES)
    ask(page, question)
    page.locator(".attest-answer .attest-marker").first.wait_for(timeout=ANSWER_TIMEOUT_MS)
    page.get_by_test_id("stPopover").first.wait_for(timeout=ANSWER_TIMEOUT_MS)
    wait_until_drawn(page)

    # The line that says what is going on stood there before the answer did.
    assert page.evaluate("window.attestCame") == [".attest-status", ".attest-answer"]
    assert page.locator(".attest-question").inner_text() == question
    markers = {mark.strip("[]") for mark in page.locator(".attest-answer .attest-marker").all_inner_texts()}
    numbers = set(page.locator(".attest-card .attest-number").all_inner_texts())
    assert markers and markers <= numbers
    quotes = page.locator(".attest-card .attest-quote mark").all_inner_texts()
    assert all(quote.strip() for quote in quotes) and len(quotes) == len(numbers)
    assert page.locator(".attest-problem, [data-testid='stException']").count() == 0
    save_screenshot(page)


def test_the_page_fetches_nothing_from_elsewhere(page, ui_url):
    own = ui_url.rstrip("/")
    foreign = [url for url in page.requested if not url.startswith((own, "data:", "blob:"))]
    assert foreign == []


def save_screenshot(page) -> None:
    if path := os.environ.get("ATTEST_SCREENSHOT"):
        page.mouse.move(0, 0)
        page.get_by_test_id("stChatInputTextArea").blur()
        page.screenshot(path=path)
