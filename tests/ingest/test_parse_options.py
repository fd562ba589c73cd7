"""The options of a parse: over the pipe and back, the password unseen."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.parse_options import ParseOptions


@given(st.text(), st.booleans())
def test_options_cross_the_pipe(password, ocr):
    options = ParseOptions(password, ocr)
    assert ParseOptions.from_json(options.to_json()) == options


def test_missing_values_are_the_defaults():
    assert ParseOptions.from_json({}) == ParseOptions()


def test_the_password_is_not_shown():
    assert "hunter2" not in repr(ParseOptions("hunter2"))
