"""What of a chunk is searched, and what of it is its own."""

from dataclasses import replace

from core.types import Chunk
from retrieval.embedded_text import embedded_text, is_foreign, words_of

CHUNK = Chunk("d-0", "d", 0, "It has 40 employees.", "Report", "file:///a", ("People",))
LINED = replace(CHUNK, context_line="此段讲 Acme 公司的员工人数。")


def test_the_line_stands_between_place_and_text():
    assert embedded_text(CHUNK) == "Report › People\nIt has 40 employees."
    assert embedded_text(LINED) == "Report › People\n此段讲 Acme 公司的员工人数。\nIt has 40 employees."
    bare = replace(LINED, title="", headings=())
    assert embedded_text(bare) == "此段讲 Acme 公司的员工人数。\nIt has 40 employees."


def test_what_is_shown_beside_a_chunk_is_without_it():
    assert LINED.context == CHUNK.context == "Report › People" and LINED.text == CHUNK.text


def test_a_line_does_not_change_the_language_of_a_chunk():
    assert not is_foreign(LINED, "en") and is_foreign(LINED, "zh")
    figures = replace(LINED, text="| 1,204 |", title="Output", headings=())
    assert words_of(figures) == "Output\n| 1,204 |" and not is_foreign(figures, "en")
