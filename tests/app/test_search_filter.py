"""What a user may write to narrow a search, and what is said to the rest."""

import pytest

from app.search_filter import FIELDS, conditions_of
from core import conditions as c
from core.errors import InputError
from core.types import ElementKind


def test_fields_become_conditions():
    given = {"document": "d1", "uri_prefix": "/a/", "kind": ["table", "code"], "language": "zh", "page": 3}
    assert conditions_of(given) == [
        c.OfDocuments(("d1",)),
        c.UnderUri("/a/"),
        c.OfKinds((ElementKind.TABLE, ElementKind.CODE, ElementKind.ROWS)),
        c.InLanguage("zh"),
        c.OnPages(3, 3),
    ]
    assert conditions_of({"document": ["d1", "d2"], "page": [2, 4]}) == [
        c.OfDocuments(("d1", "d2")),
        c.OnPages(2, 4),
    ]
    assert conditions_of(None) == conditions_of({}) == []


def test_an_unknown_field_is_named_with_the_known_ones():
    with pytest.raises(InputError, match=r"no field 'readers'.*document, uri_prefix, kind, language, page"):
        conditions_of({"readers": ["bob"]})


@pytest.mark.parametrize(
    "given",
    [
        {"document": 3},
        {"document": []},
        {"document": ["a", 1]},
        {"document": None},
        {"document": {"a": 1}},
        {"uri_prefix": ["/a"]},
        {"uri_prefix": ""},
        {"kind": "tables"},
        {"language": "fr"},
        {"language": None},
        {"page": "3"},
        {"page": True},
        {"page": [1]},
        {"page": [3, 1]},
        {"page": 0},
        {"page": 1.5},
        {"page": [1, True]},
        {"id != ''": "x"},
    ],
)
def test_a_value_that_a_field_cannot_have_is_refused(given):
    with pytest.raises(InputError):
        conditions_of(given)


def test_the_api_narrows_a_search(client, services):
    body = {"query": "q", "collection": "default", "filter": {"kind": ["table"]}}
    assert client.post("/v1/search", json=body).status_code == 200
    assert services.retriever().where == [c.OfKinds((ElementKind.TABLE, ElementKind.ROWS))]
    reply = client.post("/v1/search", json={**body, "filter": {"colour": "red"}})
    assert reply.status_code == 400
    assert all(field in reply.json()["remedy"] for field in FIELDS)
