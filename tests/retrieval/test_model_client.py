"""The HTTP client of model servers: retries, time limits, and what its errors say."""

import email.utils
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import RerankerError, SettingsError
from retrieval.model_client import ATTEMPTS, ModelClient, ModelServer
from tests.contracts.model_server import KEY, MODEL

BODY = {"model": MODEL, "query": "ab", "documents": ["a"], "top_n": 1}


def client_of(url: str, timeout_s: float = 30.0, key: str = KEY) -> ModelClient:
    """A client of a reranking server."""
    return ModelClient(
        ModelServer("reranking server", url, key, timeout_s, "ATTEST_X__", "send less", RerankerError)
    )


@pytest.fixture
def client(model_server):
    return client_of(f"{model_server.url}/v1")


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_is_asked_again(client, model_server, status):
    model_server.replies.extend([(status, {"Retry-After": "0"}, "busy")] * (ATTEMPTS - 1))
    assert client.post("rerank", BODY)["results"] == [{"index": 0, "relevance_score": 0.5}]
    assert len(model_server.requests) == ATTEMPTS


def test_a_server_that_stays_busy_is_an_error_that_may_be_retried(client, model_server):
    model_server.replies.extend([(429, {"Retry-After": "0"}, "busy")] * 20)
    with pytest.raises(RerankerError, match="is overloaded") as caught:
        client.post("rerank", BODY)
    assert caught.value.retryable and len(model_server.requests) == ATTEMPTS


def test_the_wait_is_the_one_that_the_server_asks_for(client, model_server):
    model_server.replies.append((503, {"Retry-After": "1"}, ""))
    begun = time.monotonic()
    client.post("rerank", BODY)
    assert time.monotonic() - begun > 0.9 and len(model_server.requests) == 2


@pytest.mark.parametrize(
    "asked",
    ["600", email.utils.format_datetime(datetime.now(UTC) + timedelta(days=2), usegmt=True)],
    ids=["seconds", "date"],  # its name is the same at each run
)
def test_a_wait_of_minutes_is_not_waited_for(client, model_server, asked):
    model_server.replies.append((429, {"Retry-After": asked}, ""))
    begun = time.monotonic()
    with pytest.raises(RerankerError, match="is overloaded"):
        client.post("rerank", BODY)
    assert time.monotonic() - begun < 60 and len(model_server.requests) == 1


@pytest.mark.parametrize("asked", ["soon", "", "-1", "Wed, 99 Foo"])
def test_a_wait_that_cannot_be_read_does_no_harm(client, model_server, asked):
    model_server.replies.append((429, {"Retry-After": asked}, ""))
    assert client.post("rerank", BODY)["results"]


def test_retries_end_with_the_time(model_server):
    client = client_of(f"{model_server.url}/v1", timeout_s=1.2)
    model_server.replies.extend([(503, {}, "")] * 20)
    with pytest.raises(RerankerError):
        client.post("rerank", BODY)
    assert len(model_server.requests) < ATTEMPTS


def test_a_late_server_is_told_with_the_setting(model_server):
    model_server.delay_s = 60
    begun = time.monotonic()
    with pytest.raises(RerankerError, match="within 0.2 s") as caught:
        client_of(f"{model_server.url}/v1", timeout_s=0.2).post("rerank", BODY)
    assert time.monotonic() - begun < 30 and "ATTEST_X__TIMEOUT_S" in caught.value.remedy


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://a..b", "http://["])
def test_no_server_is_told_with_the_setting(url):
    with pytest.raises(RerankerError, match="cannot be reached") as caught:
        client_of(url).post("rerank", BODY)
    assert "ATTEST_X__BASE_URL" in caught.value.remedy and caught.value.retryable


@pytest.mark.parametrize(
    ("status", "message", "remedy", "retryable"),
    [
        (400, "refused the request", "send less", False),
        (401, "refused the key", "ATTEST_X__API_KEY", False),
        (403, "refused the key", "ATTEST_X__API_KEY", False),
        (404, "does not serve", "ATTEST_X__MODEL", False),
        (413, "refused the request", "send less", False),
        (422, "refused the request", "send less", False),
        (500, "failed", "log", True),
        (302, "failed", "log", True),
    ],
)
def test_each_refusal_says_what_to_do(client, model_server, status, message, remedy, retryable):
    model_server.replies.append((status, {"Location": "http://127.0.0.1:9/"}, f"because of {KEY} " + "x" * 900))
    with pytest.raises(RerankerError, match=message) as caught:
        client.post("rerank", BODY)
    assert remedy in caught.value.remedy and caught.value.retryable is retryable
    assert KEY not in str(caught.value) and len(caught.value.message) < 400


def test_a_password_in_the_address_is_not_shown(model_server):
    client = client_of(f"{model_server.url}/v1".replace("//", "//user:hidden@"))
    model_server.replies.append((500, {}, ""))
    with pytest.raises(RerankerError) as caught:
        client.post("rerank", BODY)
    assert "hidden" not in str(caught.value) and "127.0.0.1" in str(caught.value)


def test_what_is_not_json_is_told(client, model_server):
    model_server.replies.append((200, {}, "<html>"))
    with pytest.raises(RerankerError, match="not JSON"):
        client.post("rerank", BODY)


def test_any_text_arrives_as_it_is(client, model_server):
    text = "年假 🙂 \x00 \" \\ \u2028"
    client.post("rerank", BODY | {"documents": [text, "half \ud800 pair"]})
    assert model_server.requests[0][1]["documents"] == [text, "half ? pair"]


@pytest.mark.parametrize("url", ["", "host:8000", "ftp://host", "http://", "http://host:port"])
def test_an_address_that_is_none_is_a_settings_error(url):
    with pytest.raises(SettingsError, match="ATTEST_X__BASE_URL"):
        client_of(url)


def test_a_connection_that_the_server_closed_meanwhile_is_made_again(model_server):
    client = client_of(f"{model_server.url}/v1")
    client.post("rerank", BODY)
    closing = (200, {"Connection": "close"}, json.dumps({"results": []}))
    model_server.replies.append(closing)
    client.post("rerank", BODY)
    assert client.post("rerank", BODY)["results"]
