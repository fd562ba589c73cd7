"""Parameters that a route does not have are refused, and nothing is done."""

import pytest


def test_an_upload_with_a_slip_in_its_form_is_not_taken_in(client, ingestor):
    reply = client.post("/v1/documents", files={"file": ("pay.md", b"x")}, data={"reader": "hr"})
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid_request")
    assert reply.json()["faults"] == [{"where": "body.reader", "what": "Extra inputs are not permitted"}]
    assert not ingestor.calls


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/documents//docs/a.md?colection=drafts"),
        ("GET", "/v1/documents?reader=hr"),
        ("POST", "/v1/search?readers=hr"),
    ],
)
def test_an_address_with_a_slip_in_it_is_refused(client, ingestor, method, path):
    body = {"json": {"query": "leave"}} if method == "POST" else {}
    reply = client.request(method, path, **body)
    name = path.partition("?")[2].partition("=")[0]
    assert (reply.status_code, reply.json()["faults"][0]["where"]) == (422, f"query.{name}")
    assert len(client.get("/v1/documents").json()["documents"]) == 2


def test_probes_may_add_what_they_like(client):
    assert client.get("/health/live?t=123").status_code == 200


def test_a_body_that_is_no_json_is_called_so(client):
    reply = client.post("/v1/search", content="{bad", headers={"Content-Type": "application/json"})
    assert reply.status_code == 422
    assert reply.json()["detail"].startswith("body: not valid JSON: ")


def test_the_limit_of_a_json_body_names_no_setting_that_does_not_move_it(client):
    reply = client.post("/v1/search", content=b" " * 2**21, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["remedy"]) == (413, "send less")
