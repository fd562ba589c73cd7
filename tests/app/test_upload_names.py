"""Any name in, a harmless name or a refusal out."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from app.upload_names import MAX_NAME_BYTES, clean_upload_name
from core.errors import InputError


@given(st.text(max_size=400))
def test_names_are_harmless(given_name):
    try:
        name = clean_upload_name(given_name)
    except InputError:
        return
    assert 0 < len(name.encode()) <= MAX_NAME_BYTES
    assert not set(name) & set("/\\\"'`\0")
    assert not name.startswith(".")
    assert not any(unicodedata.category(char).startswith("C") for char in name)
    assert clean_upload_name(name) == name


def test_the_ending_survives_shortening():
    name = clean_upload_name("长" * 300 + ".pdf")
    assert name.endswith("长.pdf")
    assert len(name.encode()) <= MAX_NAME_BYTES
