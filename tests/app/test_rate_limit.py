"""One user cannot ask without end: past the limit 429 with Retry-After, each user for himself."""

from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from app.api import create_app
from app.keys import Role
from app.rate_limit import KEPT_OWNERS, LIMITED_PATHS, TokenBuckets
from app.services import Services
from core.settings import Settings
from tests.app.fakes import TOKEN, FakeAsker, FakeIngestor, FakeLedger, FakeRetriever, FakeStore

QUESTION = {"question": "年假几天？"}


def api(tmp_path, per_minute: int) -> tuple[TestClient, Services]:
    """An API over fakes with this limit."""
    settings = Settings(
        _env_file=None, data=tmp_path / "data", server={"questions_per_minute": per_minute}
    )
    store = FakeStore()
    ingestor = FakeIngestor([])
    parts = {"asker": FakeAsker(), "retriever": FakeRetriever(), "store": store, "index": store}
    parts |= {"ingestor": ingestor, "ledger": FakeLedger(ingestor)}
    services = Services(settings, parts)
    return TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765"), services


def test_past_the_limit_the_reply_says_when_to_ask_again(tmp_path):
    client, _ = api(tmp_path, 2)
    with client:
        assert [client.post("/v1/ask", json=QUESTION).status_code for _ in range(2)] == [200, 200]
        reply = client.post("/v1/ask", json=QUESTION)
        assert reply.status_code == 429 and 1 <= int(reply.headers["retry-after"]) <= 30
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["code"] == "too_many_questions" and "ATTEST_SERVER__" in reply.json()["remedy"]
        assert client.get("/v1/collections").status_code == 200


def test_each_user_has_a_limit_of_their_own(tmp_path):
    client, services = api(tmp_path, 1)
    keys = {user: services.keys().create(user, [], Role.EDITOR)[0] for user in ("ann", "bob")}
    with client:
        codes = [
            client.post("/v1/ask", json=QUESTION, headers={"Authorization": f"Bearer {keys[user]}"}).status_code
            for user in ("ann", "ann", "bob")
        ]
    assert codes == [200, 429, 200]


def test_every_limited_path_is_a_route_that_asks(tmp_path):
    client, _ = api(tmp_path, 1)
    posts = {path for path, methods in client.app.openapi()["paths"].items() if "post" in methods}
    assert all(any(path.startswith(begin) for path in posts) for begin in LIMITED_PATHS)


def test_completions_count_as_questions_and_are_told_so_in_openais_shape(tmp_path):
    client, _ = api(tmp_path, 2)
    body = {"model": "attest", "messages": [{"role": "user", "content": "年假几天？"}]}
    with client:
        assert client.post("/v1/ask", json=QUESTION).status_code == 200
        assert client.post("/v1/chat/completions", json=body).status_code == 200
        reply = client.post("/v1/chat/completions", json=body)
        assert client.get("/v1/models").status_code == 200
    assert reply.status_code == 429 and int(reply.headers["retry-after"]) >= 1
    error = reply.json()["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "too_many_questions")


def test_calls_of_tools_count_too(tmp_path):
    client, _ = api(tmp_path, 1)
    body = {"arguments": {"expression": "1+1"}}
    with client:
        codes = [client.post("/v1/tools/calculate", json=body).status_code for _ in range(2)]
        assert codes == [200, 429] and client.get("/v1/tools").status_code == 200


def test_turns_that_are_taken_up_again_count_too(tmp_path):
    client, _ = api(tmp_path, 1)
    with client:
        codes = [client.post("/v1/ask", json=QUESTION).status_code]
        codes.append(client.post("/v1/sessions/s/resume", json={}).status_code)
        assert codes == [200, 429] and client.get("/v1/sessions").status_code == 200


def test_without_a_limit_nobody_is_refused(tmp_path):
    client, _ = api(tmp_path, 0)
    with client:
        assert {client.post("/v1/ask", json=QUESTION).status_code for _ in range(20)} == {200}


@given(st.integers(1, 50), st.lists(st.floats(0, 20), min_size=1, max_size=60))
def test_no_minute_has_more_than_the_limit_twice(per_minute, pauses):
    clock = [0.0]
    buckets = TokenBuckets(per_minute, lambda: clock[0])
    taken = []
    for pause in pauses:
        clock[0] += pause
        wait_s = buckets.take("ann")
        if wait_s == 0:
            taken.append(clock[0])
        else:
            assert 0 < wait_s <= 60 / per_minute
    for start in taken:
        assert sum(start <= at < start + 60 for at in taken) <= 2 * per_minute


def test_who_waits_as_told_may_ask():
    clock = [0.0]
    buckets = TokenBuckets(3, lambda: clock[0])
    assert [buckets.take("ann") for _ in range(3)] == [0, 0, 0]
    clock[0] += buckets.take("ann") + 1e-6
    assert buckets.take("ann") == 0


def test_memory_is_bounded():
    buckets = TokenBuckets(1)
    for number in range(KEPT_OWNERS + 10):
        buckets.take(str(number))
    assert len(buckets._buckets) == KEPT_OWNERS
