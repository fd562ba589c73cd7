"""Web addresses as sources: what is fetched, and what is never reached."""

import contextlib
import gzip
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from core.errors import FileError
from ingest.fetching import Fetcher, FetchLimits, is_public
from ingest.publish import name_of
from ingest.web import fetch_candidates

PAGE = b"<html><body><h1>Page</h1><p>Words.</p></body></html>"


class Site:
    """A small server; `hosts` holds the Host header of each request."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.pages: dict[str, tuple[int, dict, bytes]] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.hosts.append(self.headers["Host"])
                status, headers, body = site.pages.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for block in body if isinstance(body, list) else [body]:
                    try:
                        self.wfile.write(block)
                    except OSError:
                        return
                    if isinstance(body, list):
                        time.sleep(0.1)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.base = f"http://docs.example:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site():
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


def fetcher(allow=True, limit=100_000, timeout=30.0, names=None):
    return Fetcher(FetchLimits(limit, timeout, allow), lambda host, _: (names or {}).get(host, ["127.0.0.1"]))


def code_of(address, tmp_path, **options):
    with pytest.raises(FileError) as caught:
        fetcher(**options).fetch(address, tmp_path / "x")
    return caught.value.code


def test_a_page_is_fetched_from_the_address_that_was_looked_up(site, tmp_path):
    site.pages["/a"] = (200, {}, PAGE)
    assert fetcher().fetch(f"{site.base}/a#part", tmp_path / "x") == f"{site.base}/a"
    assert (tmp_path / "x").read_bytes() == PAGE
    assert site.hosts == [f"docs.example:{site.port}"], "the name stays in the Host header"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "240.0.0.1", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::a00:1",
        "2002:7f00:1::", "ff02::1", "no address",
    ],
)  # fmt: skip
def test_inner_addresses_are_not_public(address, site, tmp_path):
    assert not is_public(address)
    assert (
        code_of(f"{site.base}/a", tmp_path, allow=False, names={"docs.example": [address]})
        == "forbidden_address"
    )
    assert site.hosts == []


def test_public_addresses_are():
    assert is_public("93.184.216.34") and is_public("2606:2800:220:1:248:1893:25c8:1946")


def test_one_inner_address_among_others_is_enough_to_refuse(site, tmp_path):
    names = {"docs.example": ["93.184.216.34", "127.0.0.1"]}
    assert code_of(f"{site.base}/a", tmp_path, allow=False, names=names) == "forbidden_address"


def test_a_name_is_looked_up_once_a_request_so_that_it_cannot_change(site, tmp_path):
    site.pages["/a"] = (200, {}, PAGE)
    asked = []

    def rebinding(host, _port):
        asked.append(host)
        return ["127.0.0.1"]

    Fetcher(FetchLimits(1000, 5, True), rebinding).fetch(f"{site.base}/a", tmp_path / "x")
    assert asked == ["docs.example"]


@pytest.mark.parametrize(
    "target", ["http://inner.example/", "//inner.example/x", "file:///etc/passwd", "ftp://a.example/"]
)
def test_a_redirect_is_checked_like_an_address(tmp_path, target):
    names = {"docs.example": ["93.184.216.34"], "inner.example": ["192.168.0.1"]}
    asked = []

    def answer(request):
        asked.append((request.url.host, request.headers["Host"], request.extensions["sni_hostname"]))
        return httpx.Response(302, headers={"Location": target})

    made = Fetcher(FetchLimits(1000, 5), lambda host, _: names[host], httpx.MockTransport(answer))
    with pytest.raises(FileError) as caught:
        made.fetch("https://docs.example/a", tmp_path / "x")
    assert caught.value.code in ("forbidden_address", "bad_address")
    assert asked == [("93.184.216.34", "docs.example", "docs.example")]


def test_a_loop_of_redirects_ends(site, tmp_path):
    site.pages["/a"] = (301, {"Location": "/a"}, b"")
    assert code_of(f"{site.base}/a", tmp_path) == "fetch_failed"
    assert len(site.hosts) == 6


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://a.example/x", "gopher://a.example", "http://", "http://u:p@a.example/",
     "http://a.example/" + "x" * 3000, "javascript://x"],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(address, tmp_path):
    assert code_of(address, tmp_path) == "bad_address"


def test_size_time_and_status_have_limits(site, tmp_path):
    site.pages["/big"] = (200, {}, b"x" * 2000)
    site.pages["/packed"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 10**6))
    site.pages["/slow"] = (200, {}, [b"x"] * 50)
    assert code_of(f"{site.base}/big", tmp_path, limit=1000) == "too_large"
    assert code_of(f"{site.base}/packed", tmp_path) == "too_large"
    assert code_of(f"{site.base}/slow", tmp_path, timeout=0.5) == "fetch_failed"
    assert code_of(f"{site.base}/none", tmp_path) == "fetch_failed"


def test_a_server_that_never_ends_its_header_is_left(tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))

    def drip():
        client, _ = listener.accept()
        client.sendall(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(OSError):
            while True:
                client.sendall(b"X-More: x\r\n")
                time.sleep(0.1)

    threading.Thread(target=drip, daemon=True).start()
    started = time.monotonic()
    address = f"http://docs.example:{listener.getsockname()[1]}/"
    assert code_of(address, tmp_path, timeout=1.0) == "fetch_failed"
    assert time.monotonic() - started < 30
    listener.close()


def sitemap(*addresses, root="urlset", row="url"):
    rows = "".join(f"<{row}><loc>{address}</loc></{row}>" for address in addresses)
    return f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</{root}>'.encode()


def test_a_sitemap_gives_the_pages_of_its_own_host(site, tmp_path):
    pages = [f"{site.base}/a", f"{site.base}/gone", "http://other.example/x"]
    site.pages["/map.xml"] = (
        200,
        {},
        sitemap(f"{site.base}/part.xml.gz", root="sitemapindex", row="sitemap"),
    )
    site.pages["/part.xml.gz"] = (200, {}, gzip.compress(sitemap(*pages)))
    site.pages["/a"] = (200, {}, PAGE)
    found = fetch_candidates([f"{site.base}/map.xml"], tmp_path, fetcher(), 10)
    assert {c.uri: c.error.code if c.error else c.path.read_bytes() for c in found} == {
        f"{site.base}/a": PAGE,
        f"{site.base}/gone": "fetch_failed",
    }


def test_a_sitemap_past_the_limit_keeps_what_came_and_says_so(site, tmp_path):
    site.pages["/map.xml"] = (200, {}, sitemap(*(f"{site.base}/{n}" for n in range(9))))
    for n in range(9):
        site.pages[f"/{n}"] = (200, {}, PAGE)
    found = fetch_candidates([f"{site.base}/map.xml"], tmp_path, fetcher(), 4)
    assert [c.error.code if c.error else c.uri[-1] for c in found] == ["0", "1", "2", "too_large"]


def test_a_document_has_the_name_at_the_end_of_its_address():
    assert name_of("https://a.example/docs/%E6%89%8B%E5%86%8C.pdf?x=1") == "手册.pdf"
    assert name_of("https://a.example/") == "a.example"
    assert name_of("upload:a.pdf") == "a.pdf" and name_of("/x/a.pdf") == "a.pdf"


def test_pages_go_in_under_their_address(site, bench, tmp_path):
    from tests.ingest.test_pipeline import counts

    site.pages["/a"] = (200, {}, PAGE)

    def run():
        from ingest.pipeline import IngestRequest

        found = fetch_candidates([f"{site.base}/a", f"{site.base}/b"], tmp_path, fetcher(), 10)
        return bench.ingestor.ingest([], IngestRequest("default", fetched=tuple(found)))

    report = run()
    assert counts(report) == (1, 0, 0, 1) and report.failures[0].code == "fetch_failed"
    assert [(r["uri"], r["title"]) for r in bench.index.rows()] == [(f"{site.base}/a", "Page")]
    assert counts(run())[2] == 1
    site.pages["/a"] = (200, {}, PAGE.replace(b"Words", b"Other words"))
    assert counts(run())[1] == 1
    assert [r["text"] for r in bench.index.rows()] == ["Other words."]


def test_no_more_is_fetched_once_it_is_cancelled(site, tmp_path):
    site.pages["/map.xml"] = (200, {}, sitemap(*(f"{site.base}/{n}" for n in range(9))))
    for n in range(9):
        site.pages[f"/{n}"] = (200, {}, PAGE)
    found = fetch_candidates([f"{site.base}/map.xml"], tmp_path, fetcher(), 20, lambda: len(site.hosts) > 3)
    assert [c.uri[-1] for c in found] == ["0", "1", "2"] and len(site.hosts) == 4
