"""POST /v1/documents with wait=false: the files are safe at once, and a job tells of the rest."""

import time

import pytest
from fastapi.testclient import TestClient

from app.api import create_app
from app.keys import Role
from app.services import Services
from core.errors import ConflictError
from core.settings import Settings
from ingest.pipeline import IngestRequest
from tests.app.fakes import TOKEN, FakeStore
from tests.ingest.conftest import Bench

OWNER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def api(tmp_path, bench):
    settings = Settings(_env_file=None, data=tmp_path / "data", cache=tmp_path / "weights")
    parts = {"ingestor": bench.ingestor, "store": FakeStore(), "index": bench.index, "ledger": bench.ledger}
    parts["originals"] = bench.originals
    with TestClient(create_app(Services(settings, parts), TOKEN), base_url="http://127.0.0.1:8765") as client:
        yield client


def send(api, *files, wait="false"):
    return api.post("/v1/documents", files=[("file", f) for f in files], data={"wait": wait}, headers=OWNER)


def wait_for(api, job_id):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        job = api.get(f"/v1/jobs/{job_id}", headers=OWNER).json()
        if job["state"] not in ("waiting", "running"):
            return job
        time.sleep(0.02)
    raise AssertionError(job)


def test_the_answer_comes_when_the_files_are_on_disk(api, bench):
    with api.app.state.services.write_lock:  # somebody else writes for as long as he likes
        reply = send(api, ("a.md", b"# T\n\nwords"), ("bad.docx", b"PK\x03\x04 nothing"))
        assert reply.status_code == 202
        told = reply.json()
        [accepted] = told["accepted"]
        assert accepted["uri"] == "upload:a.md" and told["unchanged"] == []
        assert [failure["code"] for failure in told["failures"]] == ["corrupt"]
        assert bench.originals.path(accepted["document_id"]).read_bytes() == b"# T\n\nwords"
        assert reply.headers["location"] == f"/v1/jobs/{told['job_id']}"
        busy = send(api, ("a.md", b"other words"))
        assert busy.status_code == 409 and "already" in busy.json()["detail"]
        assert bench.index.collections() == []
    job = wait_for(api, told["job_id"])
    assert (job["state"], job["done"], job["report"]["added"], job["report"]["failed"]) == ("done", 2, 1, 1)
    assert bench.index.texts() == ["words"]
    again = send(api, ("a.md", b"# T\n\nwords")).json()
    assert again["unchanged"] == ["upload:a.md"] and wait_for(api, again["job_id"])["report"]["skipped"] == 1


def test_an_outage_ends_the_job_with_its_reason_and_the_file_waits(api, bench):
    from core.errors import StoreError

    bench.index.fail_with = StoreError("the store is down", remedy="run: attest doctor")
    text = "\n\n".join(f"段落{n}：设备每{n}个月校准一次，记录保存五年，由质量部门负责检查。" for n in range(9))
    job = wait_for(api, send(api, ("a.md", text.encode())).json()["job_id"])
    assert (job["state"], job["error"]["message"]) == ("failed", "the store is down")
    bench.index.fail_with = None
    assert bench.ingestor.resume() == 1 and "段落8" in "".join(bench.index.texts())


def test_a_file_in_the_queue_is_not_replaced_by_one_who_may_not_see_it(api, bench, tmp_path):
    path = tmp_path / "spooled.md"
    path.write_text("secret")
    bench.ingestor.accept([path], IngestRequest("default", readers=("hr",), names={path: "a.md"}))
    library = api.app.state.library
    with pytest.raises(ConflictError, match="is taken"):
        library.check_replaceable("default", ["upload:a.md"], frozenset({"sales"}))
    library.check_replaceable("default", ["upload:a.md"], frozenset({"hr"}))


def test_nobody_replaces_a_file_of_others_that_was_taken_in_and_waits(api, bench):
    keys = api.app.state.services.keys()
    hr, sales = (
        {"Authorization": f"Bearer {keys.create(name, [group], Role.EDITOR)[0]}"}
        for name, group in (("wu", "hr"), ("li", "sales"))
    )
    part = [("file", ("pay.md", b"# T\n\nsalaries"))]
    asked = {"wait": "false", "readers": "hr"}
    with api.app.state.services.write_lock:
        told = api.post("/v1/documents", files=part, data=asked, headers=hr).json()
        [accepted] = told["accepted"]
        library = api.app.state.library
        with pytest.raises(ConflictError, match="is taken"):
            library.check_replaceable("default", ["upload:pay.md"], frozenset({"li", "sales"}))
        library.check_replaceable("default", ["upload:pay.md"], frozenset({"wu", "hr"}))
    asked = {"wait": "true", "readers": "sales"}
    other = api.post("/v1/documents", files=[("file", ("pay.md", b"mine"))], data=asked, headers=sales)
    assert other.status_code == 409, other.text
    wait_for(api, told["job_id"])
    assert bench.ledger.get("default", "upload:pay.md").document_id == accepted["document_id"]


def test_what_is_searched_stays_in_every_route_while_its_newer_version_waits(api, bench):
    keys = api.app.state.services.keys()
    hr, li = (
        {"Authorization": f"Bearer {keys.create(name, groups, Role.EDITOR)[0]}"}
        for name, groups in (("wu", ["hr"]), ("li", []))
    )
    send(api, ("a.md", b"# T\n\none"), wait="true")
    [first] = api.get("/v1/documents", headers=li).json()["documents"]
    with api.app.state.services.write_lock:
        part = [("file", ("a.md", b"# T\n\nsecret two"))]
        told = api.post("/v1/documents", files=part, data={"wait": "false", "readers": "hr"}, headers=hr)
        newer = told.json()["accepted"][0]["document_id"]
        [listed] = api.get("/v1/documents", headers=li).json()["documents"]
        assert listed == {**first, "newer": "waiting"} and first["newer"] == ""
        for reference in (first["uri"], first["document_id"]):
            assert api.get(f"/v1/documents/{reference}", headers=li).json() == listed
            assert api.get(f"/v1/documents/{reference}/pages/1.png", headers=li).json()["code"] == "no_pages"
        assert api.get(f"/v1/documents/{newer}", headers=li).status_code == 404
    wait_for(api, told.json()["job_id"])
    assert api.get("/v1/documents", headers=li).json()["documents"] == []
    assert bench.index.texts() == ["secret two"]


def test_a_deletion_takes_a_newer_version_along_unless_that_may_not_be_seen(api, bench, tmp_path):
    path = tmp_path / "spooled.md"
    library = api.app.state.library
    send(api, ("a.md", b"one"), wait="true")
    path.write_text("secret")
    bench.ingestor.accept([path], IngestRequest("default", readers=("hr",), names={path: "a.md"}))
    with pytest.raises(ConflictError, match="is taken"):
        library.delete_document("default", "upload:a.md", frozenset({"sales"}))
    library.delete_document("default", "upload:a.md", frozenset({"hr"}))
    assert bench.ledger.rows("default") == [] and bench.index.rows() == [] and bench.kept() == 0


def test_no_more_files_wait_than_may(api, bench, tmp_path):
    services = api.app.state.services
    server = services.settings.server.model_copy(update={"max_waiting_files": 2})
    services.settings = services.settings.model_copy(update={"server": server})
    with services.write_lock:
        told = send(api, ("a.md", b"one")).json()
        busy = send(api, ("b.md", b"two"), ("c.md", b"three"))
        assert (busy.status_code, busy.json()["code"], busy.json()["retryable"]) == (429, "busy", True)
        assert "max_waiting_files" in busy.json()["remedy"]
        assert [row.uri for row in bench.ledger.rows("default")] == ["upload:a.md"]
        jobs = [told["job_id"], send(api, ("b.md", b"two")).json()["job_id"]]
        assert send(api, ("c.md", b"three")).status_code == 429
    for job_id in jobs:
        wait_for(api, job_id)
    assert send(api, ("c.md", b"three")).status_code == 202


def test_jobs_that_wait_count_though_they_have_nothing_to_do(api, bench):
    send(api, ("a.md", b"one"), wait="true")
    services = api.app.state.services
    server = services.settings.server.model_copy(update={"max_waiting_files": 3})
    services.settings = services.settings.model_copy(update={"server": server})
    with services.write_lock:
        replies = [send(api, ("a.md", b"one")) for _ in range(6)]
        assert {reply.status_code for reply in replies} == {202, 429}
    for reply in replies:
        if reply.status_code == 202:
            wait_for(api, reply.json()["job_id"])


def test_a_file_that_was_changed_meanwhile_stands_in_the_answer(api, bench):
    send(api, ("a.md", b"one"), wait="true")
    keep = bench.originals.keep
    left = [lambda: bench.ingestor.delete("default", "upload:a.md")]

    def hooked(*args):
        if left:
            left.pop()()
        return keep(*args)

    bench.originals.keep = hooked
    told = send(api, ("a.md", b"two")).json()
    assert told["accepted"] == [] and [failure["code"] for failure in told["failures"]] == ["in_work"]
    wait_for(api, told["job_id"])
