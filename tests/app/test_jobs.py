"""Jobs of the API, and who may compare and mend."""

import threading

import pytest

from app.jobs import JOBS_KEPT, JobBook, JobState
from app.keys import Role
from core.errors import ConflictError, NotFoundError, StoreError
from ingest.report import Outcome, Progress
from ingest.verify import Fault, Verification


def test_an_upload_is_a_job_that_can_be_looked_up(client):
    reply = client.post("/v1/documents", files={"file": ("a.txt", b"words")})
    assert reply.status_code == 200
    [job] = client.get("/v1/jobs").json()["jobs"]
    assert (job["kind"], job["state"], job["done"], job["total"]) == ("upload", "done", 1, 1)
    assert job["report"]["added"] == 1 and job["seconds_left"] is None
    assert client.get(f"/v1/jobs/{job['id']}").json()["id"] == job["id"]
    assert client.get("/v1/jobs/none").status_code == 404


def test_only_the_own_jobs_are_seen_and_an_admin_sees_all(client, services):
    keys = {
        name: {"Authorization": f"Bearer {services.keys().create(name, [], role)[0]}"}
        for name, role in (("li", Role.EDITOR), ("wu", Role.EDITOR), ("boss", Role.ADMIN))
    }
    client.post("/v1/documents", files={"file": ("a.txt", b"words")}, headers=keys["li"])
    seen = {name: client.get("/v1/jobs", headers=key).json()["jobs"] for name, key in keys.items()}
    assert {name: len(jobs) for name, jobs in seen.items()} == {"li": 1, "wu": 0, "boss": 1}
    job_id = seen["li"][0]["id"]
    assert client.get(f"/v1/jobs/{job_id}", headers=keys["wu"]).status_code == 404
    assert client.delete(f"/v1/jobs/{job_id}", headers=keys["wu"]).status_code == 404
    assert client.delete(f"/v1/jobs/{job_id}", headers=keys["li"]).json()["state"] == "done"


def test_only_an_admin_compares(client, services, ingestor):
    reader = services.keys().create("li", [], Role.EDITOR)[0]
    refused = client.post("/v1/verify", json={}, headers={"Authorization": f"Bearer {reader}"})
    assert refused.status_code == 403
    admin = {"Authorization": f"Bearer {services.keys().create('boss', [], Role.ADMIN)[0]}"}
    fault = Fault("missing", "chunks", "default", "id", "/docs/a.md", "0 of 2 chunks")
    ingestor.verification = Verification(2, 4, 2, [fault])
    found = client.post("/v1/verify", json={"repair": True}, headers=admin).json()
    assert ("verify", "", True) in ingestor.calls
    assert not found["sound"] and found["counts"]["missing"] == 1
    assert found["faults"][0]["uri"] == "/docs/a.md"
    assert client.post("/v1/verify", json={"collection": "none"}, headers=admin).status_code == 404


def test_rates_and_time_left():
    book = JobBook()
    job = book.open("ingest", "default", "li")
    seen = []

    def work():
        job.note(Progress("/a", Outcome.ADDED, 1, 3, 10, 2, 2, 12))
        seen.append(job.to_dict())
        return {"added": 1, "failures": []}

    book.run(job, work)
    [running] = seen
    assert running["state"] == "running" and running["seconds_left"] >= 0
    assert running["chunks_per_second"] > 0 and running["pages"] == 2
    assert running["stages"] == {"parsed": 2, "embedded_chunks": 12}
    assert running["recent"] == [{"uri": "/a", "outcome": "added"}]
    assert job.to_dict()["state"] == "done"


def test_an_outage_ends_a_job_with_its_reason():
    book = JobBook()
    job = book.open("ingest", "default", "li")

    def work():
        raise StoreError("down", remedy="run: attest doctor")

    with pytest.raises(StoreError):
        book.run(job, work)
    told = {"code": "store_unavailable", "message": "down", "remedy": "run: attest doctor"}
    assert (job.state, job.error) == (JobState.FAILED, told)


def test_a_running_job_is_told_to_stop():
    book = JobBook()
    job = book.open("ingest", "default", "li", "mine")
    begun, go_on = threading.Event(), threading.Event()

    def work():
        begun.set()
        assert go_on.wait(60)
        return {"failures": []}

    thread = threading.Thread(target=book.run, args=(job, work))
    thread.start()
    assert begun.wait(60)
    assert book.cancel("mine", "li")["state"] == "running" and job.wants_cancel
    go_on.set()
    thread.join()
    assert job.state is JobState.CANCELLED


def test_ids_are_the_callers_to_choose_once_and_old_jobs_are_forgotten():
    book = JobBook()
    first = book.open("ingest", "default", "li", "mine")
    with pytest.raises(ConflictError):
        book.open("ingest", "default", "li", "mine")
    book.run(first, dict)
    for _ in range(JOBS_KEPT + 5):
        book.run(book.open("ingest", "default", "li"), dict)
    assert len(book.jobs(None)["jobs"]) == JOBS_KEPT
    with pytest.raises(NotFoundError):
        book.get("mine", None)
    with book.waiting(job := book.open("ingest", "default", "li")):
        pass
    assert job.state is JobState.CANCELLED
