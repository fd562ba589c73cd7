"""Who may do what: keys, roles, readers, hosts and origins."""

import pytest
from fastapi.testclient import TestClient

from app.api import create_app
from app.keys import KeyTable, Role
from app.services import Services
from core.errors import ConflictError, InputError, NotFoundError
from core.settings import Settings
from tests.app.fakes import TOKEN, FakeAsker, FakeRetriever, FakeStore

QUESTION = {"question": "年假几天？"}


@pytest.fixture
def keys(services) -> KeyTable:
    return services.keys()


def bearer(key: str) -> dict:
    return {"Authorization": f"Bearer {key}"}


def test_without_any_key_loopback_is_the_owner(client, asker):
    assert client.post("/v1/ask", json=QUESTION | {"readers": ["hr"]}).status_code == 200
    assert asker.asked[0].owner == "local"
    assert asker.asked[0].scope.readers == {"hr"}


@pytest.mark.parametrize("path", ["/health/ready", "/docs", "/openapi.json", "/v1/documents", "/nowhere"])
def test_once_a_key_exists_everything_but_liveness_needs_one(client, keys, path):
    keys.create("li", ["hr"], Role.READER)
    reply = client.get(path)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.json()["code"] == "access_denied"
    assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic abc", "Bearer", "Bearer  ", "bearer ключ"])
def test_a_wrong_header_is_refused_even_when_no_key_is_needed(client, header):
    assert client.get("/v1/sessions", headers={"Authorization": header.encode()}).status_code == 401


def test_a_key_asks_as_its_user_and_groups(client, keys, asker):
    key, _ = keys.create("li", ["hr"], Role.READER)
    assert client.post("/v1/ask", json=QUESTION, headers=bearer(key)).status_code == 200
    assert asker.asked[0].owner == "li"
    assert asker.asked[0].scope.readers == {"li", "hr"}


@pytest.mark.parametrize(
    ("readers", "status"),
    [(["hr"], 200), (["everyone"], 200), ([], 200), (["board"], 403), (["hr", "board"], 403)],
)
def test_a_key_may_narrow_its_readers_and_never_widen_them(client, keys, retriever, readers, status):
    key, _ = keys.create("li", ["hr"], Role.ADMIN)
    body = {"query": "q", "readers": readers}
    assert client.post("/v1/search", json=body, headers=bearer(key)).status_code == status
    if status == 200:
        assert retriever.searched[0][1].readers == set(readers)
    else:
        assert not retriever.searched


def test_a_revoked_key_is_unknown_and_does_not_open_the_api(client, keys):
    key, info = keys.create("li", [], Role.ADMIN)
    assert client.get("/v1/sessions", headers=bearer(key)).status_code == 200
    keys.revoke(info.id)
    assert client.get("/v1/sessions", headers=bearer(key)).status_code == 401
    assert client.get("/v1/sessions").status_code == 401
    assert client.get("/v1/sessions", headers=bearer(TOKEN)).status_code == 200


MATRIX = [
    ("POST", "/v1/documents", {"files": {"file": ("a.txt", b"x")}}, Role.EDITOR),
    ("DELETE", "/v1/documents/id-/docs/a.md", {}, Role.EDITOR),
    ("POST", "/v1/collections", {"json": {"name": "new"}}, Role.EDITOR),
    ("DELETE", "/v1/collections/default", {}, Role.ADMIN),
]


@pytest.mark.parametrize(("method", "path", "request_body", "needed"), MATRIX)
@pytest.mark.parametrize("role", list(Role))
def test_roles(client, keys, ingestor, method, path, request_body, needed, role):
    key, _ = keys.create("li", [], role)
    ranks = [Role.READER, Role.EDITOR, Role.ADMIN]
    reply = client.request(method, path, headers=bearer(key), **request_body)
    if ranks.index(role) < ranks.index(needed):
        assert reply.status_code == 403
        assert role.value in reply.json()["detail"]
        assert not ingestor.calls
    else:
        assert reply.status_code in (200, 201)


def test_paths_of_the_server_need_the_local_token(client, keys, ingestor, tmp_path):
    body = {"paths": [str(tmp_path)]}
    assert client.post("/v1/ingest", json=body).status_code == 403
    key, _ = keys.create("li", [], Role.ADMIN)
    assert client.post("/v1/ingest", json=body, headers=bearer(key)).status_code == 403
    assert not ingestor.calls
    assert client.post("/v1/ingest", json=body, headers=bearer(TOKEN)).status_code == 200
    assert client.post("/v1/ingest", json={"paths": ["a"]}, headers=bearer(TOKEN)).status_code == 400


def test_sessions_belong_to_their_owner(client, keys):
    assert client.get("/v1/sessions").json()["sessions"][0]["session_id"] == "s1"
    assert client.get("/v1/sessions/s1").json()["turns"][0]["answer"] == "15天。"
    key, _ = keys.create("li", [], Role.ADMIN)
    assert client.get("/v1/sessions", headers=bearer(key)).json() == {"sessions": []}
    assert client.get("/v1/sessions/s1", headers=bearer(key)).status_code == 404
    assert client.delete("/v1/sessions/s1", headers=bearer(key)).status_code == 404
    assert client.delete("/v1/sessions/s1", headers=bearer(TOKEN)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1:8765"}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "[::1]:8765"}, 200),
        ({"Host": "evil.example:8765"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "[broken"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "http://127.0.0.1:8765"}, 200),
        ({"Origin": "http://localhost:8766"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "https://127.0.0.1:8765"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_pages_of_other_sites_are_kept_away(client, asker, headers, status):
    assert client.post("/v1/ask", json=QUESTION, headers=headers).status_code == status
    assert bool(asker.asked) is (status == 200)


def test_off_loopback_a_key_is_needed_even_when_there_is_none(tmp_path):
    settings = Settings(_env_file=None, data=tmp_path, server={"host": "0.0.0.0"})
    parts = {"asker": FakeAsker(), "retriever": FakeRetriever(), "store": FakeStore()}
    with TestClient(create_app(Services(settings, parts), TOKEN), base_url="http://attest.example") as client:
        assert client.post("/v1/ask", json=QUESTION).status_code == 401
        assert client.post("/v1/ask", json=QUESTION, headers=bearer(TOKEN)).status_code == 200


def test_no_cross_origin_permission_is_ever_given(client):
    reply = client.options("/v1/ask", headers={"Origin": "http://localhost:8766"})
    assert "access-control-allow-origin" not in reply.headers


def test_only_a_digest_of_the_key_is_stored(keys, services):
    key, info = keys.create("li", ["hr"], Role.EDITOR)
    wal = services.paths.ledger.with_name("attest.db-wal")
    stored = services.paths.ledger.read_bytes() + wal.read_bytes()
    assert key.encode() not in stored
    assert key.removeprefix("attest_").encode() not in stored
    assert services.paths.ledger.stat().st_mode & 0o077 == 0
    assert keys.find(key) == info


@pytest.mark.parametrize("name", ["", "everyone", "local", "a b", "a'b", "a\n", "x" * 129])
def test_names_of_users_and_groups(keys, name):
    with pytest.raises(InputError):
        keys.create(name, [], Role.READER)
    with pytest.raises(InputError):
        keys.create("li", [name], Role.READER)
    assert not keys.any()


def test_a_user_and_a_group_cannot_share_a_name(keys):
    keys.create("li", ["hr"], Role.READER)
    for user, groups in (("hr", []), ("wang", ["li"]), ("x", ["x"])):
        with pytest.raises(ConflictError):
            keys.create(user, groups, Role.READER)
    keys.create("wang", ["hr"], Role.READER)


def test_revoking_an_unknown_key_says_so(keys):
    with pytest.raises(NotFoundError, match="attest keys list"):
        keys.revoke("nope")


READS = [
    ("POST", "/v1/ask", {"json": QUESTION | {"collection": "NAME"}}),
    ("POST", "/v1/search", {"json": {"query": "q", "collection": "NAME"}}),
    ("GET", "/v1/documents", {"params": {"collection": "NAME"}}),
    ("GET", "/v1/documents/failed", {"params": {"collection": "NAME"}}),
    ("GET", "/v1/documents/x", {"params": {"collection": "NAME"}}),
]


def replies_of(client, headers, method, path, values):
    """The status and problem for the collection `default` and for one that is not there,
    with the name taken out."""
    for name in ("default", "nowhere"):
        [(kind, given)] = values.items()
        named = {kind: given | {"collection": name}}
        reply = client.request(method, path, headers=headers, **named)
        yield reply.status_code, reply.text.replace(name, "NAME")


@pytest.mark.parametrize(("method", "path", "values"), READS)
def test_a_reader_cannot_tell_a_collection_of_others_from_none(
    client, keys, ingestor, method, path, values
):
    ingestor.rows = [row for row in ingestor.rows if row.readers == ("hr",)]
    outside, _ = keys.create("li", [], Role.READER)
    hidden, missing = replies_of(client, bearer(outside), method, path, values)
    assert hidden == missing and hidden[0] == 404
    inside, _ = keys.create("wang", ["hr"], Role.READER)
    seen, missing = replies_of(client, bearer(inside), method, path, values)
    assert seen != missing and missing[0] == 404
    editor, _ = keys.create("zhao", [], Role.EDITOR)
    empty, _ = replies_of(client, bearer(editor), method, path, values)
    assert "no collection" not in empty[1]


def test_a_question_does_not_describe_every_collection(client, services, ingestor):
    services.store().collections = None
    assert client.post("/v1/search", json={"query": "q"}).status_code == 200
