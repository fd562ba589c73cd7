"""Plain text, Markdown and HTML: headings, tables, code, lists, and every word."""

import pytest

from core.errors import FileError
from core.types import ElementKind
from ingest.parsers.charset import decode_text
from ingest.parsers.html import HtmlParser, parse_html
from ingest.parsers.markdown import parse_markdown
from ingest.parsers.plain import parse_plain

CHINESE = "本办法适用于苏州工厂和成都研发中心，不适用于鹿特丹服务中心。\n"


def told(elements):
    return [(str(e.kind), e.level, e.text) for e in elements]


def test_markdown_keeps_levels_tables_code_and_nested_lists():
    text = (
        "# Manual\n\nA **bold** word and a [link](https://x.example/a).\n\n## Data\n\n"
        "| a | b |\n|---|:-:|\n| 1 | `x` |\n\n```python\nif x:\n    go()\n```\n\n"
        "3. third\n   - inner\n4. fourth\n\n> quoted words\n"
    )
    assert told(parse_markdown(text)) == [
        ("title", 1, "Manual"),
        ("text", 0, "A bold word and a link (https://x.example/a)."),
        ("title", 2, "Data"),
        ("table", 0, "| a | b |\n| --- | --- |\n| 1 | x |"),
        ("code", 0, "```python\nif x:\n    go()\n```"),
        ("list", 0, "3. third\n  - inner"),
        ("list", 0, "4. fourth"),
        ("text", 0, "quoted words"),
    ]


def test_markdown_front_matter_is_text_not_a_heading():
    assert told(parse_markdown("---\ntitle: T\n---\n\n# H\n")) == [("text", 0, "title: T"), ("title", 1, "H")]


def test_plain_text_knows_numbered_questions_and_lone_titles():
    text = (
        "1. 大模型幻觉指的是什么？\n模型编造内容。\n\n8. vllm\nvLLM的核心创新在于其PagedAttention机制。\n\n"
        "一、量产时间\n\n决定：推迟到7月8日。\n\n1. 唐一鸣：签订协议。\n2. 罗佳：改为全检。\n"
    )
    assert told(parse_plain(text)) == [
        ("title", 2, "1. 大模型幻觉指的是什么？"),
        ("text", 0, "模型编造内容。"),
        ("title", 2, "8. vllm"),
        ("text", 0, "vLLM的核心创新在于其PagedAttention机制。"),
        ("title", 2, "一、量产时间"),
        ("text", 0, "决定：推迟到7月8日。"),
        ("list", 0, "1. 唐一鸣：签订协议。"),
        ("list", 0, "2. 罗佳：改为全检。"),
    ]


def test_plain_text_knows_markdown_headings_fences_and_tables():
    text = (
        "# 数据\n\n## 优化\n- 归一化：\n  - 压缩\n\n```\n# not a heading\n\ncode\n```\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\nend"
    )
    assert told(parse_plain(text)) == [
        ("title", 1, "数据"),
        ("title", 2, "优化"),
        ("list", 0, "- 归一化：\n  - 压缩"),
        ("code", 0, "```\n# not a heading\n\ncode\n```"),
        ("table", 0, "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ("text", 0, "end"),
    ]


def test_an_open_fence_does_not_swallow_the_rest():
    kinds = [e.kind for e in parse_plain("```\ncode\n\n# Heading\n\nwords.")]
    assert kinds == [ElementKind.CODE, ElementKind.TITLE, ElementKind.TEXT]


def test_html_keeps_every_visible_word_in_order():
    text = (
        "<html><head><title>no</title></head><body>bare <b>bold</b>, <a href=x>link</a><script>no()</script>"
        "<h2>Head <i>two</i></h2><div>one<p>two</p>three<br>four</div><!-- no --><p hidden>no</p>"
        "<table><caption>Cap</caption><tr><th>a</th><th>b</th></tr><tr><td rowspan=2>1</td><td>2</td></tr>"
        "<tr><td>3</td></tr></table><ul><li>x<ul><li>y</li></ul></li></ul><pre>a\n  b</pre></body></html>"
    )
    assert told(parse_html(text)) == [
        ("text", 0, "bare bold, link"),
        ("title", 2, "Head two"),
        ("text", 0, "one"),
        ("text", 0, "two"),
        ("text", 0, "three\nfour"),
        ("table", 0, "Cap\n| a | b |\n| --- | --- |\n| 1 | 2 |\n| 1 | 3 |"),
        ("list", 0, "- x\n  - y"),
        ("code", 0, "a\n  b"),
    ]


def test_html_in_gbk_is_read_by_its_meta_tag(tmp_path):
    path = tmp_path / "a.html"
    path.write_bytes(f"<html><head><meta charset=gb2312></head><body>{CHINESE}</body></html>".encode("gbk"))
    assert HtmlParser().parse(path)[0].text == CHINESE.strip()


def test_deep_html_keeps_its_text():
    assert "deep" in "".join(e.text for e in parse_html("<div>" * 1000 + "deep"))


def test_html_that_is_too_deep_for_the_library_is_refused_not_cut_short():
    with pytest.raises(FileError) as caught:
        parse_html("<div>" * 9000 + "deep")
    assert caught.value.code == "corrupt"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030", "big5"])
def test_chinese_in_the_encodings_of_offices(encoding):
    text = CHINESE * 5 if encoding != "big5" else "本辦法適用於我們的工廠和研發中心，不適用於其他地方。\n" * 8
    assert decode_text(text.replace("\n", "\r\n").encode(encoding)) == text


def test_western_text_in_its_old_encoding():
    text = "Die Prüfung der Geräte muss jährlich durchgeführt werden. Größe: 5 µm.\n" * 5
    assert decode_text(text.encode("cp1252")) == text


@pytest.mark.parametrize(
    "text",
    [
        "名前,年齢,住所\n佐藤太郎,30,東京\n三木英子,25,大阪\n髙橋淳,35,名古屋\n",
        "これは日本語の文章です。とても短いです。\n",
    ],
)
def test_japanese_in_its_old_encoding(text):
    assert decode_text(text.encode("cp932")) == text


def test_bytes_that_break_off_are_refused():
    with pytest.raises(FileError) as caught:
        decode_text(b"\xff\xfea")
    assert caught.value.code == "bad_encoding"
