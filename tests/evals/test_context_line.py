"""Articles as documents of several paragraphs, for measuring lines of context."""

import json

from evals.context_line import read_articles

ROWS = [
    {
        "title": f"Title_{number}",
        "paragraphs": [
            {"context": f"Article {number}, part {at}. " + "It has forty people. " * 30 * at,
             "qas": [{"id": f"{number}{at}", "question": "How many?"}]}
            for at in range(3)
        ],
    }
    for number in range(8)
]  # fmt: skip


class CountingIndex:
    """Counts four letters a token."""

    def count_tokens(self, text):
        return len(text) // 4 + 1


class Parts:
    """As much of the services as cutting needs."""

    def __init__(self) -> None:
        from core.settings import Settings

        self.settings = Settings()

    def index(self):
        return CountingIndex()


def test_chunks_of_an_article_are_counted_through_and_belong_to_their_paragraph(tmp_path):
    path = tmp_path / "xquad.en.half.json"
    path.write_text(json.dumps({"data": ROWS}), encoding="utf-8")
    articles = read_articles(path, 4, Parts())
    assert [article.title for article in articles] == ["Title 0", "Title 2", "Title 4", "Title 6"]
    article = articles[1]
    chunks = [chunk for paragraph in article.paragraphs for chunk in paragraph.chunks]
    assert [chunk.order for chunk in chunks] == list(range(len(chunks))) and len(chunks) > 3
    assert len({chunk.id for chunk in chunks}) == len(chunks) and {c.document_id for c in chunks} == {
        article.document.id
    }
    assert {chunk.title for chunk in chunks} == {""}
    for paragraph in article.paragraphs:
        assert [query.gains for query in paragraph.questions] == [{paragraph.id: 1.0}]
    assert len({p.id for a in articles for p in a.paragraphs}) == 12


def test_fewer_articles_are_among_more(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"data": ROWS}), encoding="utf-8")
    few, more, all_of_them = (
        {a.document.id for a in read_articles(path, most, Parts())} for most in (2, 4, 9)
    )
    assert few < more < all_of_them and len(all_of_them) == 8
