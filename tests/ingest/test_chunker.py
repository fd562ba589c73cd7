"""Chunks: nothing lost, nothing too long, the same every time."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import Box, Document, Element, ElementKind, Figure, Table
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.parsers.tables import markdown_cells, table_element

DOCUMENT = Document("a" * 64, "/f.md", "F", "text/markdown", 1, "default")


def count_words(text: str) -> int:
    """Like a real tokenizer: a Chinese character is a token, a Latin word one for four letters."""
    total = 0
    for word in text.split():
        wide = sum(ord(c) > 0x2E80 for c in word)
        total += wide + -(-(len(word) - wide) // 4)
    return total


def chunk(elements, longest=40, overlap=10, count=count_words):
    return chunk_elements(DOCUMENT, elements, ChunkLimits(longest, overlap), count)


def text(value, **extra):
    return Element(ElementKind.TEXT, value, **extra)


def title(value, level=1):
    return Element(ElementKind.TITLE, value, level=level)


TEXTS = st.text(alphabet="ab1 。，.\n、中文字;？|-`#", max_size=300)
ELEMENTS = st.lists(
    st.builds(Element, st.sampled_from(ElementKind), TEXTS, st.none(), st.none(), st.integers(0, 6)),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(ELEMENTS, st.integers(32, 60), st.integers(0, 40))
def test_no_text_is_lost_and_none_is_out_of_order(elements, longest, overlap):
    chunks = chunk(elements, longest, overlap)
    for element in (e for e in elements if e.kind is not ElementKind.TITLE):
        assert is_subsequence(letters(element.text), letters("".join(c.text for c in chunks)))
    whole = [c for e in elements if e.kind is not ElementKind.TITLE for c in letters(e.text)]
    assert is_subsequence(whole, letters("".join(c.text for c in chunks)))
    places = ["\n".join([*c.headings, c.text]) for c in chunks]
    for element in (e for e in elements if e.kind is ElementKind.TITLE):
        assert is_subsequence(letters(element.text), letters("\n".join(places)))


@settings(max_examples=150, deadline=None)
@given(ELEMENTS, st.integers(32, 60), st.integers(0, 40), st.sampled_from([count_words, len]))
def test_no_chunk_is_over_the_limit_and_ids_are_stable(elements, longest, overlap, count):
    chunks = chunk(elements, longest, overlap, count)
    assert all(count(c.text) <= longest for c in chunks)
    assert all(c.text.strip() for c in chunks)
    assert [c.order for c in chunks] == list(range(len(chunks)))
    assert len({c.id for c in chunks}) == len(chunks)
    assert chunks == chunk(elements, longest, overlap, count)


@settings(max_examples=100, deadline=None)
@given(ELEMENTS, st.integers(32, 60), st.integers(0, 40))
def test_boxes_say_which_part_of_the_text_stands_in_them(elements, longest, overlap):
    placed = [replace(e, page=at, box=Box(at, 0, 0, 9, 9)) for at, e in enumerate(elements, start=1)]
    for made in chunk(placed, longest, overlap):
        for box in made.boxes:
            assert 0 <= box.start < box.end <= len(made.text)
            if placed[box.page - 1].kind is not ElementKind.TABLE:
                words = letters(made.text[box.start : box.end])
                assert "".join(words) in "".join(letters(placed[box.page - 1].text))


def test_a_quote_is_on_its_own_page_also_where_the_chunk_began_on_another():
    pages = [("The firm has 12 lorries.", 1), ("Losses fell to 8.4 %.", 2), ("Results come monthly.", 3)]
    made = chunk([text(words, page=page, box=Box(page, 1, 2, 3, 4)) for words, page in pages])[0]
    assert made.page == 1
    for words, page in pages:
        start = made.text.index(words)
        place = made.place_of(start, start + len(words))
        assert place == (page, (Box(page, 1, 2, 3, 4, start, start + len(words)),))
    spread = made.place_of(0, len(made.text))
    assert (spread[0], [box.page for box in spread[1]]) == (1, [1, 2, 3])
    older = replace(made, boxes=tuple(replace(box, start=0, end=0) for box in made.boxes))
    assert older.place_of(30, 40) == (1, older.boxes)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60))
def test_each_text_is_counted_a_bounded_number_of_times(paragraphs):
    counted = []

    def count(value):
        counted.append(len(value))
        return count_words(value)

    elements = [text("春天来了，花都开了。" * 8) for _ in range(paragraphs)]
    chunk(elements, count=count)
    assert sum(counted) <= 4 * sum(len(e.text) for e in elements)


def test_headings_stand_beside_the_text_outermost_first():
    chunks = chunk(
        [title("手册"), title("保修", 2), text("保修期为24个月。"), title("运输", 2), text("运费自理。")]
    )
    assert [(c.headings, c.text) for c in chunks] == [
        (("手册", "保修"), "保修期为24个月。"),
        (("手册", "运输"), "运费自理。"),
    ]


def test_a_heading_with_nothing_under_it_goes_in_front_of_what_follows():
    chunks = chunk([title("Empty", 2), title("Full", 2), text("Words."), title("Last", 2)])
    assert [(c.headings, c.text) for c in chunks] == [(("Full",), "Empty\nWords."), (("Last",), "Last")]


def test_headings_of_two_levels_with_nothing_under_them_are_both_kept():
    chunks = chunk([title("Part", 1), title("Chapter", 2), title("Next", 1), text("Words.")])
    assert [(c.headings, c.text) for c in chunks] == [(("Next",), "Part\nChapter\nWords.")]


def test_small_neighbours_are_merged_and_long_ones_overlap_by_whole_sentences():
    sentences = [f"This is sentence number {n} here." for n in range(12)]
    chunks = chunk([text("Short."), text(" ".join(sentences))], longest=40, overlap=12)
    assert len(chunks) > 1
    for before, after in zip(chunks, chunks[1:], strict=False):
        shared = after.text.split(".")[0] + "."
        assert shared in before.text and shared in sentences


def test_a_large_table_is_cut_by_rows_and_each_part_has_the_header():
    rows = [f"| part {n} | {n * 7} |" for n in range(30)]
    table = Element(ElementKind.TABLE, "\n".join(["| name | weight |", "| --- | --- |", *rows]))
    chunks = chunk([table])
    assert len(chunks) > 2
    assert all(c.text.startswith("| name | weight |\n| --- | --- |\n| part") for c in chunks)
    assert all(c.kind is ElementKind.ROWS for c in chunks)
    assert [line for c in chunks for line in c.text.split("\n")[2:]] == rows


def test_a_caption_stays_with_the_first_rows_of_its_table():
    rows = [f"| part {n} | {n * 7} |" for n in range(30)]
    table = Element(ElementKind.TABLE, "\n".join(["| name | weight |", "| --- | --- |", *rows]))
    chunks = chunk([title("Data"), text("Table 1: weights"), table])
    assert chunks[0].text.startswith("Table 1: weights\n| name | weight |\n| --- | --- |\n| part 0 |")
    assert all(count_words(c.text) <= 40 for c in chunks)


def test_captions_and_headers_of_several_rows_are_in_each_part_and_footnotes_in_the_last():
    rows = [
        ("", "Sales", "Sales"),
        ("part", "2022", "2023"),
        *((f"p{n}", f"{n}.5", f"{n}.7") for n in range(20)),
    ]
    table = table_element(rows, Table((), 2, "Table 4 (kEUR)", ("Note: rounded.",)))
    chunks = chunk([table], longest=60)
    assert len(chunks) > 2
    header = "Table 4 (kEUR)\n| part | Sales / 2022 | Sales / 2023 |\n| --- | --- | --- |\n"
    assert all(c.text.startswith(header) for c in chunks)
    assert [c.text.endswith("Note: rounded.") for c in chunks] == [False] * (len(chunks) - 1) + [True]


def test_a_table_wider_than_a_chunk_is_cut_into_bands_of_columns_with_the_first_one():
    labels = [f"quantity{n}" for n in range(12)]
    rows = [["part", *labels], *([f"p{r}", *(f"{r}{n:02d}" for n in range(12))] for r in range(5))]
    chunks = chunk([table_element(rows)], longest=60)
    assert len(chunks) > 2
    assert all(c.text.startswith("| part | quantity") for c in chunks)
    assert all(count_words(c.text) <= 60 for c in chunks)
    kept = {cell for c in chunks for row in markdown_cells(c.text) for cell in row}
    assert kept == {cell for row in rows for cell in row}


def test_a_sentence_longer_than_a_chunk_is_cut_at_clause_marks():
    long = "，".join(f"第{n}条规定的内容很长" for n in range(20)) + "。"
    chunks = chunk([text(long)], overlap=0)
    assert len(chunks) > 3
    assert "".join(c.text for c in chunks) == long
    assert all(c.text.endswith(("，", "。")) for c in chunks)


@pytest.mark.parametrize("value", ["", "   \n "])
def test_white_space_gives_no_chunk(value):
    assert chunk([text(value)]) == []


def test_a_picture_is_a_chunk_of_its_own_behind_the_text_of_its_section_which_is_cut_as_without_it():
    picture = Figure(b"\x89PNG", "image/png", 1, 1)
    figure = Element(ElementKind.FIGURE, "Figure 1: output " * 30, 3, figure=picture)
    before, behind = text("One two three."), text("Four five six.")
    first, *parts, last = chunk([title("Energy"), before, figure, behind, title("Staff"), text("Seven.")])
    assert (first.text, first.figure) == ("One two three.\nFour five six.", "")
    assert len(parts) > 1 and {part.figure for part in parts} == {picture.name}
    assert {(part.kind, part.page, part.headings) for part in parts} == {(ElementKind.FIGURE, 3, ("Energy",))}
    assert (last.text, last.figure) == ("Seven.", "")


def test_code_keeps_its_indentation():
    code = "```python\n" + "\n".join(f"    x{n} = compute({n})" for n in range(30)) + "\n```"
    chunks = chunk([Element(ElementKind.CODE, code)])
    assert len(chunks) > 1
    assert "\n".join(c.text for c in chunks) == code


def letters(value):
    return [c for c in value if not c.isspace()]


def is_subsequence(wanted, within):
    rest = iter(within)
    return all(c in rest for c in wanted)
