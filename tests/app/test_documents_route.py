"""Uploads, visibility, deletion, collections and limits."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from app.api import create_app
from app.body_limit import FORM_OVERHEAD, MEGABYTE
from app.keys import Role
from app.services import Services
from core.conditions import OfDocuments
from core.settings import Settings
from ingest.ledger import FileStatus
from ingest.near_copies import NearCopy
from tests.app.fakes import TOKEN, FakeStore, ledger_row


@pytest.fixture
def reader(services) -> dict:
    """Headers of somebody in no group."""
    key, _ = services.keys().create("li", [], Role.EDITOR)
    return {"Authorization": f"Bearer {key}"}


def test_upload_keeps_bytes_and_name_and_leaves_no_copy(client, services, ingestor):
    reply = client.post(
        "/v1/documents",
        files=[("file", ("手册.txt", "年假".encode())), ("file", ("b.md", b"# B"))],
        data={"collection": "default", "readers": ["hr", "li"]},
    )
    assert reply.status_code == 200
    assert reply.json()["added"] == 2
    assert ingestor.contents == {"upload:手册.txt": "年假".encode(), "upload:b.md": b"# B"}
    assert ingestor.calls[0][1].readers == ("hr", "li")
    assert not list(services.paths.root.glob("upload-*"))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("a\u202etxt.exe", "atxt.exe"),
        ("a'b`c.md", "abc.md"),
        ("..hidden.md", "hidden.md"),
    ],
)
def test_upload_names_lose_paths_and_traps(client, ingestor, given, kept):
    assert client.post("/v1/documents", files={"file": (given, b"x")}).status_code == 200
    assert list(ingestor.contents) == [f"upload:{kept}"]


def test_uploads_without_a_usable_name_are_refused(client, ingestor):
    assert client.post("/v1/documents", files={"file": ("...", b"x")}).status_code == 400
    twice = [("file", ("a.txt", b"x")), ("file", ("x/a.txt", b"y"))]
    assert client.post("/v1/documents", files=twice).status_code == 400
    assert not ingestor.calls


@pytest.fixture
def small(tmp_path, ingestor) -> TestClient:
    """An API that takes uploads up to 1 MiB."""
    settings = Settings(_env_file=None, data=tmp_path / "d", server={"max_upload_mb": 1})
    services = Services(settings, {"ingestor": ingestor, "store": FakeStore()})
    with TestClient(create_app(services, TOKEN), base_url="http://localhost") as client:
        yield client


def test_an_upload_over_the_limit_is_refused_by_its_declared_size(small, ingestor):
    reply = small.post("/v1/documents", files={"file": ("a.txt", b"x" * (MEGABYTE + FORM_OVERHEAD))})
    assert (reply.status_code, reply.headers["content-type"]) == (413, "application/problem+json")
    assert not ingestor.calls


@pytest.mark.parametrize("extra", [-1, 1])
def test_a_body_of_undeclared_size_is_stopped_at_the_limit(small, ingestor, extra):
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    size = MEGABYTE + FORM_OVERHEAD + extra - len(head) - len(b"\r\n--B--\r\n")

    def body():
        yield head
        for at in range(0, size, 65536):
            yield b"x" * min(65536, size - at)
        yield b"\r\n--B--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    reply = small.post("/v1/documents", content=body(), headers=headers)
    assert reply.status_code == (413 if extra > 0 else 200)
    assert bool(ingestor.calls) is (extra < 0)


def test_json_bodies_are_limited_too(client):
    reply = client.post("/v1/ask", content=b'{"question": "' + b"x" * MEGABYTE + b'"}')
    assert reply.status_code == 413


def test_only_readable_documents_are_listed_shown_and_deleted(client, ingestor, reader):
    listed = client.get("/v1/documents", headers=reader).json()["documents"]
    assert [row["uri"] for row in listed] == ["/docs/a.md"]
    for method in ("GET", "DELETE"):
        for reference in ("id-/docs/hr.md", "/docs/hr.md"):
            assert client.request(method, f"/v1/documents/{reference}", headers=reader).status_code == 404
    assert not ingestor.calls
    assert client.get("/v1/documents/id-/docs/a.md", headers=reader).json()["title"] == "/docs/a.md"
    gone = client.delete("/v1/documents/%2Fdocs%2Fa.md", headers=reader).json()
    assert gone["deleted"] == "/docs/a.md"
    assert ingestor.calls == [("delete", "/docs/a.md")]


def test_the_owner_sees_all_unless_narrowed(client):
    assert len(client.get("/v1/documents").json()["documents"]) == 2
    narrowed = client.get("/v1/documents", params={"readers": ["li"]}).json()["documents"]
    assert [row["uri"] for row in narrowed] == ["/docs/a.md"]


def test_failures_are_listed_for_those_who_may_read_the_file(client, ingestor, reader):
    failed = {"status": FileStatus.FAILED, "code": "encrypted", "reason": "it has a password"}
    ingestor.rows += [ledger_row("/docs/x.pdf", **failed), ledger_row("/docs/y.pdf", ("hr",), **failed)]
    found = client.get("/v1/documents/failed", headers=reader).json()["failures"]
    assert [(row["uri"], row["code"]) for row in found] == [("/docs/x.pdf", "encrypted")]


@pytest.mark.parametrize("status", [FileStatus.DONE, FileStatus.FAILED])
def test_an_upload_cannot_replace_what_its_sender_may_not_see(client, ingestor, reader, status):
    ingestor.rows.append(ledger_row("upload:pay.xlsx", ("hr",), status))
    reply = client.post("/v1/documents", files={"file": ("pay.xlsx", b"x")}, headers=reader)
    assert reply.status_code == 409
    assert not ingestor.calls
    other = client.post("/v1/documents", files={"file": ("pay2.xlsx", b"x")}, headers=reader)
    assert other.status_code == 200


def test_an_editor_cannot_add_documents_for_others(client, ingestor, reader):
    files = {"file": ("a.txt", b"x")}
    reply = client.post("/v1/documents", files=files, data={"readers": ["board"]}, headers=reader)
    assert reply.status_code == 403
    assert not ingestor.calls


def test_collections(client, reader):
    counts = {"name": "default", "documents": 1, "chunks": 2}
    assert client.get("/v1/collections", headers=reader).json() == {"collections": [counts]}
    assert client.post("/v1/collections", json={"name": "default"}, headers=reader).status_code == 409
    assert client.post("/v1/collections", json={"name": "a'b"}, headers=reader).status_code == 400
    assert client.post("/v1/collections", json={"name": "新"}, headers=reader).status_code == 201
    owner = {"Authorization": f"Bearer {TOKEN}"}
    assert client.delete("/v1/collections/nowhere", headers=owner).status_code == 404
    assert client.post("/v1/collections", json={"name": "a/b"}, headers=reader).status_code == 201
    assert client.delete("/v1/collections/a%2Fb", headers=owner).json() == {"deleted": "a/b"}


def test_a_mere_reader_sees_no_collection_without_something_for_them(client, services, ingestor):
    key, _ = services.keys().create("wang", [], Role.READER)
    ingestor.rows = [ledger_row("/docs/hr.md", ("hr",))]
    reply = client.get("/v1/collections", headers={"Authorization": f"Bearer {key}"})
    assert reply.json() == {"collections": []}


def test_unknown_routes_and_methods_are_problem_documents(client):
    for reply in (client.get("/nowhere"), client.put("/v1/ask")):
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["status"] == reply.status_code


def test_ready_names_what_is_missing(client, services):
    reply = client.get("/health/ready")
    assert reply.status_code == 503
    parts = {fault["part"] for fault in reply.json()["missing"]}
    assert parts == {"embedder", "chat model"}
    assert "attest doctor" in reply.json()["remedy"]


@pytest.mark.parametrize("readers", [[f"group-{n}" for n in range(257)], ["x" * 129], [""]])
def test_readers_that_cannot_be_kept_are_refused_before_anything_is_read(client, ingestor, readers):
    reply = client.post("/v1/documents", files={"file": ("a.txt", b"x")}, data={"readers": readers})
    assert (reply.status_code, reply.json()["code"]) == (400, "bad_input")
    assert not ingestor.calls


def test_duplicates_are_listed_to_those_who_may_read_them(client, ingestor, reader):
    ingestor.rows += [
        replace(ledger_row("/docs/same.md"), duplicate_of="/docs/a.md"),
        ledger_row("/docs/b.md"),
        ledger_row("/docs/hr2.md", ("hr",)),
    ]
    ingestor.near = {
        "/docs/b.md": NearCopy("0" * 64, "/docs/a.md", 0.914, linked=True),
        "/docs/hr2.md": NearCopy("0" * 64, "/docs/hr.md", 0.8),
    }
    owner = {"Authorization": f"Bearer {TOKEN}"}
    found = {row["uri"]: row for row in client.get("/v1/documents/duplicates", headers=owner).json()["duplicates"]}
    assert set(found) == {"/docs/same.md", "/docs/b.md", "/docs/hr2.md"}
    assert (found["/docs/same.md"]["kind"], found["/docs/same.md"]["similarity"]) == ("exact", 1.0)
    near = found["/docs/b.md"]
    assert (near["kind"], near["duplicate_of"], near["similarity"], near["linked"]) == ("near", "/docs/a.md", 0.914, True)
    seen = client.get("/v1/documents/duplicates", headers=reader).json()["duplicates"]
    assert {row["uri"] for row in seen} == {"/docs/same.md", "/docs/b.md"}


def test_the_digits_of_an_id_that_lists_show_name_the_document(client, ingestor):
    ingestor.rows = [replace(row, document_id=f"{at:064x}"[::-1]) for at, row in enumerate(ingestor.rows, 17)]
    whole = ingestor.rows[0].document_id
    assert client.get(f"/v1/documents/{whole[:16]}").json()["document_id"] == whole
    assert client.get(f"/v1/documents/{whole[:15]}").status_code == 404
    assert client.get(f"/v1/documents/{whole[:16]}/pages/0.png").json()["detail"] == "pages are counted from 1"
    assert client.delete(f"/v1/documents/{whole[:16]}").json()["document_id"] == whole


def test_the_digits_of_an_id_name_nothing_to_who_may_not_read_it(client, ingestor, reader):
    ingestor.rows = [replace(row, document_id="a" * 64) for row in ingestor.rows if row.readers == ("hr",)]
    assert client.get(f"/v1/documents/{'a' * 16}", headers=reader).status_code == 404


LONG_NAME = f"/docs/{'a' * 55}.md"


@pytest.mark.parametrize("name", [LONG_NAME, "b" * 16, "b" * 64])
def test_a_search_in_one_document_takes_all_that_names_it(client, retriever, ingestor, name):
    assert len(LONG_NAME) == 64  # As long as an id.
    ingestor.rows = [replace(ingestor.rows[0], uri=LONG_NAME, document_id="b" * 64)]
    body = {"query": "leave", "filter": {"document": [name]}}
    assert client.post("/v1/search", json=body).status_code == 200
    assert retriever.where == [OfDocuments(("b" * 64,))]


def test_who_names_a_collection_that_is_not_there_is_told_of_those_that_are_no_secret(client, services, ingestor):
    services.store().names = ["default", "secret"]
    ingestor.rows.append(replace(ingestor.rows[0], collection="secret", readers=("hr",)))
    asked = {"query": "leave", "collection": "nope"}
    owner = client.post("/v1/search", json=asked).json()
    assert owner["remedy"].endswith("or name one that is there: default, secret")
    key, _ = services.keys().create("wu", [], Role.READER)
    headers = {"Authorization": f"Bearer {key}"}
    for name in ("nope", "secret"):
        told = client.post("/v1/search", json=asked | {"collection": name}, headers=headers)
        assert (told.status_code, told.json()["code"]) == (404, "not_found")
        assert told.json()["remedy"].endswith(f"--collection {name}; or name one that is there: default")
