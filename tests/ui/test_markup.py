"""Whatever a document says, it comes out as text, letter by letter."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.standin_api import HOSTILE, answer, citation, sentence
from ui.client import AskEvent
from ui.markup import Html, element, join, picture, plain_label
from ui.sources import (
    abstention_html,
    answer_html,
    copy_text,
    report_html,
    sources_html,
    status_html,
    withheld_html,
)
from ui.texts import Texts
from ui.turn import Turn

OUR_TAGS = {"div", "span", "sup", "section", "blockquote", "mark", "details", "summary", "p", "ul", "li"}


class Reader(HTMLParser):
    """Collects tags, attribute names and text as a browser would."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = [], set(), ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


@given(st.text(alphabet=st.one_of(st.sampled_from("<>&\"'/=!-[]() \n"), st.characters(codec="utf-8"))))
def test_a_text_survives_unchanged_and_makes_no_tag(text):
    read = Reader(element("div", text, title=text))
    assert read.tags == ["div"]
    assert read.attributes == {"title"}
    assert read.text == text


@given(st.text())
def test_a_report_shows_headings_and_lets_no_other_markdown_live(text):
    line = " ".join(text.split())
    turn = Turn("q", text=f"# T\n\n## S\n\n{line} [x](http://a.example) ![y](http://b.example)", route="research")
    reader = Reader(report_html(turn))
    assert set(reader.tags) <= {"div", "h3", "h4", "h5", "p"} and "href" not in reader.attributes
    assert "[x](http://a.example)" in reader.text and {"h3", "h4"} <= set(reader.tags)


def test_only_html_made_here_is_left_alone():
    assert join("<b>", element("i", "x")) == "&lt;b&gt;<i>x</i>"
    assert isinstance(join("a"), Html)


@pytest.mark.parametrize("name", ["href", "src", "srcset", "style", "action"])
def test_attributes_that_fetch_or_link_are_refused(name):
    with pytest.raises(ValueError, match=name):
        element("a", "x", **{name: "http://198.51.100.7"})


def test_a_picture_holds_its_own_data_and_nothing_but_a_picture_is_one():
    read = Reader(picture(b"\xff\xd8\xff\xe0rest", HOSTILE, "c"))
    assert (read.tags, read.attributes, read.text) == (["img"], {"class", "alt", "src"}, "")
    assert picture(b"<svg onload=alert(1)>", "x", "c") == picture(b"", "x", "c") == ""


def test_a_label_is_one_short_line_without_live_markdown():
    assert plain_label("a\n![x](http://h)") == r"a \!\[x\]\(http\://h\)"
    assert len(plain_label("字" * 100)) == 40


def hostile_turn() -> Turn:
    cited = citation(1, HOSTILE, f"a {HOSTILE} b", title=HOSTILE, uri=HOSTILE)
    verdict = {"label": HOSTILE, "reason": HOSTILE}
    turn = Turn(HOSTILE, stage=HOSTILE, detail=HOSTILE)
    hit = {"chunk_id": "d1-00000", "document_id": "d1", "title": HOSTILE, "text": f"a {HOSTILE} b"}
    turn.apply(AskEvent("retrieved", {"hits": [hit], "queries": [HOSTILE]}))
    withheld = [{"text": HOSTILE, "verdict": verdict}]
    turn.apply(AskEvent("finished", answer("partial", [sentence(HOSTILE, 1)], [cited], withheld=withheld)))
    return turn


@pytest.mark.parametrize("draw", [answer_html, sources_html, status_html, abstention_html, withheld_html])
def test_hostile_words_are_inert_wherever_they_are_drawn(draw):
    turn, texts = hostile_turn(), Texts("en")
    read = Reader(draw(turn, texts))
    assert set(read.tags) <= OUR_TAGS
    assert read.attributes <= {"class", "title", "role", "aria-label", "aria-hidden"}
    assert HOSTILE in read.text


def test_the_quote_is_highlighted_where_it_stands():
    chunk = "同一句。中间。同一句。末尾"
    turn = Turn("q", hits=[{"chunk_id": "d1-00000", "document_id": "d1", "text": chunk}])
    second = {**citation(1, "同一句。", chunk), "start": 7, "end": 11}
    turn.apply(AskEvent("sentence", {"sentence": sentence("x", 1), "citations": [second]}))
    assert "同一句。中间。<mark>同一句。</mark>末尾" in sources_html(turn, Texts("zh"))


def test_markers_are_shown_once_and_list_items_start_a_line():
    turn = Turn("q")
    turn.apply(AskEvent("sentence", {"sentence": sentence("Leave is 15 days [1].", 1)}))
    turn.apply(AskEvent("sentence", {"sentence": sentence("It carries over.[2]", 2)}))
    turn.apply(AskEvent("sentence", {"sentence": sentence("- until March", 1)}))
    turn.apply(AskEvent("sentence", {"sentence": sentence("余下作废。", 2)}))
    expected = "Leave is 15 days.[1] It carries over.[2]\n- until March[1]余下作废。[2]"
    assert Reader(answer_html(turn, Texts("en"))).text == expected
    assert copy_text(turn, Texts("en")) == expected


def test_what_is_copied_says_what_is_not_borne_out():
    turn, texts = Turn("q"), Texts("en")
    doubtful = {**sentence("Leave is 15 days.", 1), "verdict": {"label": "unsure"}}
    turn.apply(AskEvent("sentence", {"sentence": doubtful}))
    turn.apply(AskEvent("sentence", {"sentence": {**sentence("It is 20 days.", 2), "conflicts": [1]}}))
    first, second = copy_text(turn, texts).split(" It is")
    assert texts("verdict_unsure") in first and texts("conflict") in second


def test_what_is_unsure_or_disputed_is_marked():
    turn = Turn("q")
    unsure = {**sentence("Leave is 15 days.", 1), "verdict": {"label": "unsure", "reason": HOSTILE}}
    disputed = {**sentence("It carries over.", 1), "conflicts": [2]}
    for one in (unsure, disputed, sentence("It is paid.", 1)):
        turn.apply(AskEvent("sentence", {"sentence": one}))
    drawn = Reader(answer_html(turn, Texts("en")))
    words = "Leave is 15 days.[1]Could not be decided It carries over.[1]Documents disagree It is paid.[1]"
    assert drawn.text == words and set(drawn.tags) == {"div", "sup", "span"}
