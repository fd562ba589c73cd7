"""Filters: values are escaped, names are checked, nothing is read without a scope."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conditions import (
    AllOf,
    AnyOf,
    InLanguage,
    Not,
    OfDocuments,
    OfKinds,
    OnPages,
    UnderUri,
    WithIds,
    WithinOrder,
)
from core.errors import InputError
from core.types import ElementKind, Scope
from retrieval.filters import (
    Readership,
    access_field,
    access_token,
    check_name,
    read_expression,
    readable,
    render,
)

ANY_TEXT = st.text(min_size=1, max_size=30)
NAMES = ["ann", "研发部", "group:hr@example.com", "a b", "100%", "a_b", "%", "_", "or", "true", "x" * 128]
NO_NAMES = ["", " ", "\t", "\u3000", "a" * 129, 'x" or id != "', "a\\", "a\nb", "it's", "`", "a\x00", "a\u200bb",
            "\ud800", "\u202eann", "\ufeff"]  # fmt: skip


@given(ANY_TEXT)
def test_a_value_stays_one_literal(value):
    literal = render(OfDocuments((value,))).removeprefix("document_id in [").removesuffix("]")
    assert literal[0] == literal[-1] == '"'
    # Nothing inside ends the literal: every quote and backslash is half of a known escape.
    assert re.fullmatch(r'(?:[^"\\\n\r\t]|\\["\\nrt])*', literal[1:-1])
    unescaped = {"n": "\n", "r": "\r", "t": "\t"}
    assert re.sub(r"\\(.)", lambda m: unescaped.get(m[1], m[1]), literal[1:-1]) == value


@pytest.mark.parametrize("name", NO_NAMES)
@pytest.mark.parametrize("readership", Readership)
def test_names_that_could_break_out_are_refused(name, readership):
    with pytest.raises(InputError):
        check_name("reader", name)
    with pytest.raises(InputError):
        readable(Scope("c", frozenset({name})), readership)


@pytest.mark.parametrize("name", NAMES)
def test_ordinary_names_pass(name):
    assert check_name("reader", name) == name


@given(st.sets(st.sampled_from(NAMES), max_size=4))
def test_no_name_stands_in_the_condition_on_tokens(names):
    expression = readable(Scope("c", frozenset(names)), Readership.TOKENS)
    parts = expression.split(" or ")
    assert len(parts) == len(names | {"everyone"})
    assert all(re.fullmatch(r'access like "%[0-9a-f]{32}%"', part) for part in parts)


@given(st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=5), st.text(min_size=1, max_size=8))
def test_a_token_is_in_the_field_of_its_own_readers_alone(readers, name):
    assert (access_token(name) in access_field(readers)) == (name in readers)


def test_everyone_is_always_among_the_readers():
    assert readable(Scope("c"), Readership.NAMES) == 'array_contains_any(readers, ["everyone"])'
    assert access_token("everyone") in readable(Scope("c", frozenset({"ann"})), Readership.TOKENS)


def test_what_a_caller_asks_for_only_narrows_what_the_scope_allows():
    where = [AnyOf((OfDocuments(("d",)), Not(OfDocuments(("d",)))))]
    scope = Scope("c", frozenset({"ann"}))
    for readership in Readership:
        allowed = readable(scope, readership)
        assert read_expression(scope, where, readership) == f"({allowed}) and ({render(where[0])})"
        assert read_expression(scope, [], readership) == f"({allowed})"


@pytest.mark.parametrize(
    "prefix, beyond",
    [("a", "b"), ("file:///a%", "file:///a&"), ("é", "ê"), ("\ud7ff", "\ue000"), ("a\U0010ffff", "b")],
)
def test_a_prefix_is_a_range_of_strings(prefix, beyond):
    assert render(UnderUri(prefix)) == f'uri >= "{prefix}" and uri < "{beyond}"'
    assert prefix <= prefix + "\U0010ffff" < beyond


def test_a_prefix_with_nothing_behind_it():
    assert render(UnderUri("\U0010ffff")) == 'uri >= "\U0010ffff"'


def test_each_condition_has_its_expression():
    assert render(OfKinds((ElementKind.TABLE, ElementKind.CODE))) == 'kind in ["table", "code"]'
    assert render(InLanguage("zh")) == 'language == "zh"'
    assert render(OnPages(2, 3)) == "page >= 2 and page <= 3"
    assert render(WithinOrder("d", 0, 4)) == 'document_id == "d" and ordinal >= 0 and ordinal <= 4'
    both = (OfDocuments(("d",)), InLanguage("en"))
    assert render(AllOf(both)) == '(document_id in ["d"]) and (language == "en")'
    assert render(Not(AnyOf(both))) == 'not ((document_id in ["d"]) or (language == "en"))'


@pytest.mark.parametrize(
    "make",
    [
        lambda: OfDocuments(()),
        lambda: OfDocuments(("",)),
        lambda: OfDocuments(("a\ud800",)),
        lambda: OfDocuments(("x" * 5000,)),
        lambda: WithIds(()),
        lambda: UnderUri(""),
        lambda: OfKinds(()),
        lambda: InLanguage("fr"),
        lambda: OnPages(0, 3),
        lambda: OnPages(3, 2),
        lambda: WithinOrder("d", -1, 2),
        lambda: WithinOrder("d", 0, 2**63),
        lambda: AllOf(()),
        lambda: AnyOf(()),
    ],
)
def test_a_condition_that_means_nothing_is_refused(make):
    with pytest.raises(InputError):
        make()
