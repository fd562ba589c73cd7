"""What documents say of a person, place or product: its relations as a drawing and in sentences.

Knows Streamlit and the API's graph. How relations are found is the API's business.
"""

import unicodedata
from functools import partial

import streamlit as st

from ui.client import ApiClient, ApiError, Json
from ui.markup import Html, element, plain_label
from ui.problem import draw_problem
from ui.state import Page
from ui.texts import Texts
from ui.topics import draw_topics

MAX_NAME_CHARS = 200
LINKS_SHOWN = 20
LABEL_CHARS = 40
WITH = "with"
"""The kind of a relation that no words tell: two names of one sentence."""

LOOKS = (
    'rankdir=LR; bgcolor=transparent; fontname="sans-serif";',
    'node [shape=box, style="rounded,filled", fillcolor="#eef3fa", color="#9db4d0"];',
    'node [fontname="sans-serif", fontsize=11];',
    'edge [color="#7b8794", fontcolor="#7b8794", fontname="sans-serif", fontsize=9];',
)


def draw_entities(here: Page, client: ApiClient, texts: Texts) -> None:
    """The field for one name or two, and below what is known of them; topics while there is no name."""
    st.subheader(texts("view_graph"), anchor=False)
    st.caption(texts("graph_help"))
    with st.form(key="entities", border=False):
        one, other = st.columns(2)
        one.text_input(texts("graph_entity"), max_chars=MAX_NAME_CHARS, key="entity")
        other.text_input(texts("graph_to"), max_chars=MAX_NAME_CHARS, key="entity_to")
        st.form_submit_button(texts("graph_show"), type="primary", on_click=_take, args=(here,))
    name, to = here.entities
    if not name:
        draw_topics(here, client, texts, partial(_go_on, here))
        return
    try:
        found = client.graph(here.collection, name, to, LINKS_SHOWN)
    except ApiError as error:
        draw_problem(error, texts)
        return
    entities, links = _rows(found, "entities"), _rows(found, "links")
    for entity in entities:
        st.html(_entity_html(entity, texts))
    if not links:
        st.caption(texts("graph_no_way" if len(entities) > 1 else "graph_no_links"))
        return
    st.graphviz_chart(drawing_of(entities, links, texts), width="content")
    for at, link in enumerate(links):
        _draw_link(here, link, at, entities, texts)


def drawing_of(entities: list[Json], links: list[Json], texts: Texts) -> str:
    """The relations in the DOT language; an arrow where the documents say which way one goes. Names are
    words within it, whatever is in them."""
    asked = {entity.get("key") for entity in entities}
    names = {key: name for link in links for key, name in _ends(link)}
    names |= {str(entity.get("key", "")): str(entity.get("name", "")) for entity in entities}
    lines = ["graph {", *LOOKS]
    places = {key: f"n{at}" for at, key in enumerate(names)}
    for key, place in places.items():
        stressed = ', fillcolor="#cfe0f5", penwidth=1.6' if key in asked else ""
        lines.append(f"{place} [label={_quoted(names[key])}{stressed}];")
    for link in links:
        (one, _), (other, _) = _ends(link)
        has_way = str(link.get("kind")) != WITH
        told = f"label={_quoted(_kind_of(link, texts))}, dir=forward" if has_way else "style=dashed"
        lines.append(f"{places[one]} -- {places[other]} [{told}];")
    return "\n".join([*lines, "}"])


def _draw_link(here: Page, link: Json, at: int, entities: list[Json], texts: Texts) -> None:
    """One relation: its ends, the sentences that tell of it, and the way on to the other end."""
    asked = {str(entity.get("key", "")) for entity in entities}
    with st.container(border=True):
        words, further = st.columns([7, 3], vertical_alignment="top", gap="small")
        words.html(_link_html(link, texts))
        for key, name in _ends(link):
            if key not in asked:
                further.button(
                    plain_label(name, LABEL_CHARS),
                    key=f"further-{at}-{key}",
                    type="tertiary",
                    icon=":material/arrow_forward:",
                    help=texts("graph_further"),
                    on_click=_go_on,
                    args=(here, name),
                )


def _take(here: Page) -> None:
    here.entities = (st.session_state["entity"].strip(), st.session_state["entity_to"].strip())


def _go_on(here: Page, name: str) -> None:
    st.session_state["entity"], st.session_state["entity_to"] = name[:MAX_NAME_CHARS], ""
    _take(here)


def _entity_html(entity: Json, texts: Texts) -> Html:
    also = ", ".join(map(str, entity.get("aliases") or []))
    kind, count = str(entity.get("kind", "")), entity.get("documents", 0)
    facts = [texts.get(f"entity_{kind}"), texts("graph_documents", count=count)]
    facts += [texts("graph_also", names=also)] if also else []
    values = "; ".join(map(str, entity.get("values") or []))
    return element(
        "div",
        element("div", str(entity.get("name", "")), css="attest-title"),
        element("div", " · ".join(filter(None, [*facts, values])), css="attest-footer"),
        css="attest-document",
    )  # fmt: skip


def _link_html(link: Json, texts: Texts) -> Html:
    (_, one), (_, other) = _ends(link)
    head = element("div", f"{one} — {_kind_of(link, texts)} — {other}", css="attest-title")
    told = [_evidence_html(sentence, texts) for sentence in _rows(link, "evidence")]
    return element("div", head, *told, css="attest-document")


def _evidence_html(told: Json, texts: Texts) -> Html:
    page = texts("page", page=told["page"]) if told.get("page") else ""
    source = " · ".join(filter(None, [str(told.get("title") or told.get("uri") or ""), page]))
    quote = element("blockquote", str(told.get("text", "")), css="attest-quote")
    return element("div", quote, element("div", source, css="attest-footer"))


def _kind_of(link: Json, texts: Texts) -> str:
    kind = str(link.get("kind", ""))
    return texts.get(f"relation_{kind.replace(' ', '_')}") or kind


def _ends(link: Json) -> list[tuple[str, str]]:
    """Key and name of both ends, the source first."""
    names = [*map(str, link.get("names") or []), "", ""]
    return [(str(link.get("source", "")), names[0]), (str(link.get("target", "")), names[1])]


def _rows(found: Json, key: str) -> list[Json]:
    return [row for row in found.get(key) or [] if isinstance(row, dict)]


def _quoted(text: str) -> str:
    """A string of DOT: what would end it, begin an escape or an entity is taken as a letter, and what
    cannot be seen is left out."""
    line = "".join(char for char in " ".join(text.split()) if unicodedata.category(char)[0] != "C")
    line = line if len(line) <= LABEL_CHARS else line[: LABEL_CHARS - 1] + "…"
    for char, written in (("\\", "\\\\"), ('"', '\\"'), ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        line = line.replace(char, written)
    return f'"{line}"'
