"""Pieces of a chunk, and how kept ones become one text again."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.pieces import GAP, join_spans, split_pieces

TABLE = "参数如下。\n| 项目 | TM-20 | TM-20L |\n| --- | --- | --- |\n| 防护等级 | IP67 | IP65 |\n| 质量 | 620 | 740 |\n完。"
LIST = "开机之前：\n1. 检查电源。再看指示灯。\n2. 取下护盖。\n然后开机。\n- 别的"


def texts(text: str) -> list[str]:
    return [piece.span.of(text) for piece in split_pieces(text)]


def leads(text: str) -> dict[str, list[str]]:
    """What each piece leans on, in words."""
    pieces = split_pieces(text)
    return {p.span.of(text): [pieces[at].span.of(text) for at in p.lead] for p in pieces if p.lead}


def test_a_row_leans_on_its_header():
    header = "| 项目 | TM-20 | TM-20L |"
    rows = ("| --- | --- | --- |", "| 防护等级 | IP67 | IP65 |", "| 质量 | 620 | 740 |")
    assert leads(TABLE) == {row: [header] for row in rows}
    row = split_pieces(TABLE)[3]
    assert row.readable(TABLE) == f"{header}\n| 防护等级 | IP67 | IP65 |"


def test_an_item_leans_on_the_line_that_opens_its_list():
    assert leads(LIST) == {"1. 检查电源。": ["开机之前："], "2. 取下护盖。": ["开机之前："]}
    assert leads("Items:\n\nPlain text here.\n- one") == {}


def test_what_is_missing_between_two_pieces_is_marked():
    text = "甲。乙。丙。\n丁。"
    spans = [piece.span for piece in split_pieces(text)]
    assert join_spans(text, spans) == text
    assert join_spans(text, [spans[0], spans[2]]) == f"甲。 {GAP} 丙。"
    assert join_spans(text, [spans[0], spans[3]]) == f"甲。\n{GAP}\n丁。"
    rows = [piece.span for piece in split_pieces(TABLE)]
    assert join_spans(TABLE, [rows[1], rows[3]]) == "| 项目 | TM-20 | TM-20L |\n| 防护等级 | IP67 | IP65 |"
    assert join_spans(text, [spans[1]]) == "乙。" and join_spans(text, []) == ""


@given(st.text(alphabet="甲乙。！\n| -1.：a:", max_size=80), st.data())
def test_every_kept_word_stands_in_the_text_and_order_is_kept(text, data):
    pieces = split_pieces(text)
    assert "".join("".join(texts(text)).split()) == "".join(text.split())
    assert all(at < place for place, piece in enumerate(pieces) for at in piece.lead)
    chosen = sorted(data.draw(st.sets(st.sampled_from(range(len(pieces))) if pieces else st.nothing())))
    spans = [pieces[at].span for at in chosen]
    parts = [part.strip() for part in join_spans(text, spans).split(GAP)]
    assert all(part in text for part in parts)
    assert sum(len("".join(part.split())) for part in parts) == sum(len("".join(s.of(text).split())) for s in spans)
