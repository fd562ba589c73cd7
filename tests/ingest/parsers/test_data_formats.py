"""JSON, notebooks, feeds and other XML: every value is found, with what leads to it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import FileError
from ingest.parsers.json_text import JsonLinesParser, JsonParser
from ingest.parsers.notebook import NotebookParser
from ingest.parsers.xml import XmlParser


def told(elements):
    return [(str(e.kind), e.level, e.text) for e in elements]


def parsed(parser, tmp_path, text):
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")
    return parser.parse(path)


def test_objects_near_the_top_are_headings_and_values_keep_their_path(tmp_path):
    value = {"name": "泊川", "site": {"city": "苏州", "doors": [1, 2.50], "deep": {"a": {"b": {"c": True}}}}}
    assert told(parsed(JsonParser(), tmp_path, json.dumps(value).replace("2.5", "2.50"))) == [
        ("text", 0, "name: 泊川"),
        ("title", 2, "site"),
        ("text", 0, "site.city: 苏州"),
        ("title", 3, "doors"),
        ("text", 0, "site.doors: 1, 2.50"),
        ("title", 3, "deep"),
        ("title", 4, "a"),
        ("text", 0, "site.deep.a.b.c: true"),
    ]


def test_flat_records_are_a_table_in_groups(tmp_path):
    rows = [{"id": n, "name": f"part {n}"} for n in range(120)]
    elements = parsed(JsonParser(), tmp_path, json.dumps(rows))
    assert [e.text.count("\n") for e in elements] == [51, 51, 21]
    assert all(e.text.startswith("| id | name |") for e in elements)


def test_nested_records_are_blocks_of_lines(tmp_path):
    rows = [{"id": n, "tags": ["a", "b"], "by": {"name": "Li"}} for n in range(2)]
    elements = parsed(JsonParser(), tmp_path, json.dumps(rows))
    assert [e.text for e in elements] == [f"id: {n}\ntags: a, b\nby.name: Li" for n in range(2)]


def test_a_line_that_is_no_json_is_named(tmp_path):
    parser = JsonLinesParser()
    elements = parsed(parser, tmp_path, '{"a": 1}\nbroken\n{"a": 2}\n')
    assert [e.text for e in elements] == ["| a |\n| --- |\n| 1 |\n| 2 |"]
    assert parser.warnings == [("corrupt", "line 2 is no JSON")]
    with pytest.raises(FileError):
        parsed(parser, tmp_path, "broken")


values = st.recursive(
    st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcde", min_size=1, max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


def leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for inner in value for leaf in leaves(inner)] if isinstance(value, list) else [value]


@given(value=values)
def test_no_value_is_lost(tmp_path_factory, value):
    elements = parsed(JsonParser(), tmp_path_factory.mktemp("json"), json.dumps(value))
    text = "\n".join(e.text for e in elements)
    assert all(leaf in text for leaf in leaves(value))


def test_a_notebook_is_its_cells(tmp_path):
    output = {"output_type": "execute_result", "data": {"text/plain": ["42"], "image/png": "iVBOR"}}
    error = {"output_type": "error", "ename": "ValueError", "evalue": "bad"}
    book = {
        "nbformat": 4,
        "cells": [
            {"cell_type": "markdown", "source": ["# Head\n", "\n", "- a"]},
            {"cell_type": "code", "source": "f(1)", "outputs": [output, error]},
        ],
    }
    assert told(parsed(NotebookParser(), tmp_path, json.dumps(book))) == [
        ("title", 1, "Head"),
        ("list", 0, "- a"),
        ("code", 0, "f(1)"),
        ("code", 0, "42"),
        ("code", 0, "ValueError: bad"),
    ]


@pytest.mark.parametrize("text", ["[]", "{}", '"x"', '{"cells": 3}', "nothing"])
def test_what_is_no_notebook_is_refused(tmp_path, text):
    with pytest.raises(FileError):
        parsed(NotebookParser(), tmp_path, text)


def test_a_feed_gives_its_entries_with_their_html(tmp_path):
    feed = (
        "<?xml version='1.0'?><rss><channel><title>Blog</title><description>About</description><item>"
        "<title>One</title><pubDate>Mon</pubDate><description>&lt;h2&gt;Head&lt;/h2&gt;&lt;p&gt;Words</description>"
        "</item></channel></rss>"
    )
    assert told(parsed(XmlParser(), tmp_path, feed)) == [
        ("title", 1, "Blog"),
        ("text", 0, "About"),
        ("title", 2, "One"),
        ("text", 0, "Mon"),
        ("title", 4, "Head"),
        ("text", 0, "Words"),
    ]


def test_an_atom_feed_with_markup_as_elements(tmp_path):
    feed = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>Blog</title><entry><title>One</title>"
        "<updated>2024</updated><author><name>Li</name></author><content type='xhtml'>"
        "<div xmlns='http://www.w3.org/1999/xhtml'><p>Wor<b>ds</b></p></div></content></entry></feed>"
    )
    assert told(parsed(XmlParser(), tmp_path, feed)) == [
        ("title", 1, "Blog"),
        ("title", 2, "One"),
        ("text", 0, "2024; Li"),
        ("text", 0, "Words"),
    ]


def test_other_xml_is_lines_of_names_and_paragraphs(tmp_path):
    text = "<r><part><name>Pump</name><mass>3 kg</mass></part><p>Run<b>ning</b> text.</p></r>"
    assert [e.text for e in parsed(XmlParser(), tmp_path, text)] == [
        "name: Pump\nmass: 3 kg",
        "Running text.",
    ]
