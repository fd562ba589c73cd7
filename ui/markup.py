"""HTML made of escaped words, for `st.html`.

Answers and quotes are shown letter by letter. Markdown cannot do that: even with every sign
escaped, Streamlit's Markdown turns `->` into an arrow, `:smile:` into a picture and a bare
`http://…` into a live link, since it does so after parsing. So every word that comes from
elsewhere passes through `element`, which escapes it; nothing else here builds a tag. The
browser sanitises the result once more (DOMPurify).

Knows HTML only: neither answers nor Streamlit.
"""

import base64
from html import escape


class Html(str):
    """Text that is HTML already. Made by the functions of this module alone."""

    __slots__ = ()


def element(tag: str, *children: str, css: str = "", **attributes: str) -> Html:
    """`<tag class=css …>children</tag>`. A child that is not `Html` is escaped.

    `tag`, `css` and the names of attributes are words of our own, never of a document.
    No attribute that loads or links anything is accepted.
    """
    if bad := {"href", "src", "srcset", "style", "action"}.intersection(attributes):
        raise ValueError(f"attribute {sorted(bad)[0]!r} could fetch or link something")
    pairs = {"class": css, **attributes} if css else attributes
    opening = "".join(f' {name.replace("_", "-")}="{escape(value)}"' for name, value in pairs.items())
    return Html(f"<{tag}{opening}>{join(*children)}</{tag}>")


_PICTURE_MARKS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def picture(data: bytes, description: str, css: str) -> Html:
    """An `img` that holds its own data, so that the browser fetches nothing; empty for what is
    neither PNG nor JPEG."""
    media_type = next((kind for mark, kind in _PICTURE_MARKS.items() if data.startswith(mark)), "")
    if not media_type:
        return Html("")
    source = f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
    return Html(f'<img class="{escape(css)}" alt="{escape(description)}" src="{source}">')


def join(*children: str) -> Html:
    """The children one after another, each escaped unless it is `Html`."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children))


def plain_label(text: str, max_chars: int = 40) -> str:
    """A text as the label of a Streamlit button, which reads Markdown: one short inert line.

    For buttons alone: they take links and pictures out once more. Elsewhere use `element`.
    """
    line = " ".join(text.split())
    line = line if len(line) <= max_chars else line[: max_chars - 1].rstrip() + "…"
    return "".join(f"\\{char}" if char in _MARKDOWN else char for char in line)


_MARKDOWN = frozenset(r"""\`*_{}[]()<>#+-.!|~$:=&^@"'""")
