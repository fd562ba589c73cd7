"""Filters: values are escaped, names are checked, nothing is read without a condition."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.types import Scope
from retrieval.filters import OfDocument, ReadableBy, check_name, readable, to_expression


def test_an_empty_filter_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        to_expression([])


@given(st.text(max_size=30))
def test_a_value_stays_one_literal(value):
    expression = to_expression([OfDocument(value)])
    literal = expression.removeprefix("(document_id == ").removesuffix(")")
    assert json.loads(literal) == value


@pytest.mark.parametrize("name", ["", "a" * 129, 'x" or id != "', "a\\", "a\nb", "it's", "`"])
def test_names_that_could_break_out_are_refused(name):
    with pytest.raises(InputError):
        check_name("reader", name)
    with pytest.raises(InputError):
        readable(Scope("c", frozenset({name})))


@pytest.mark.parametrize("name", ["ann", "研发部", "group:hr@example.com", "a b"])
def test_ordinary_names_pass(name):
    assert check_name("reader", name) == name


def test_everyone_is_always_among_the_readers():
    assert readable(Scope("c")) == ReadableBy(("everyone",))
    assert readable(Scope("c", frozenset({"ann"}))) == ReadableBy(("ann", "everyone"))
