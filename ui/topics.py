"""Communities of entities as a list of topics: the names of each, what documents say of them, and the quotes.

Knows Streamlit and the API's communities. How they are found and checked is the API's business.
"""

from collections.abc import Callable

import streamlit as st

from ui.client import ApiClient, ApiError, Json
from ui.markup import plain_label
from ui.problem import draw_problem
from ui.sources import answer_html, sources_html
from ui.state import Page
from ui.texts import Texts
from ui.turn import recalled

TOPICS_SHOWN = 20
NAMES_SHOWN = 5
NAME_CHARS = 30
NONE_MADE = (404, 409)
"""Answers of an API that makes none, or has nothing to make them of."""


def draw_topics(here: Page, client: ApiClient, texts: Texts, lead_on: Callable[[str], None]) -> None:
    """The topics of the collection, nothing where there are none; `lead_on` is told a name that is chosen."""
    try:
        found = client.communities(here.collection, TOPICS_SHOWN)
    except ApiError as error:
        if error.status not in NONE_MADE:
            draw_problem(error, texts)
        return
    topics = [topic for topic in found.get("communities") or [] if isinstance(topic, dict)]
    if not topics:
        return
    st.subheader(texts("topics"), anchor=False)
    st.caption(texts("topics_help"))
    for at, topic in enumerate(topics):
        _draw_topic(topic, at, texts, lead_on)
    if more := found.get("more"):
        st.caption(texts("topics_more", count=more))


def _draw_topic(topic: Json, at: int, texts: Texts, lead_on: Callable[[str], None]) -> None:
    names = [str(name) for name in topic.get("names") or []]
    shown = [plain_label(name, NAME_CHARS) for name in names[:NAMES_SHOWN]]
    rest = f" +{len(names) - NAMES_SHOWN}" if len(names) > NAMES_SHOWN else ""
    turn = recalled({"question": "", "answer": {"text": "", **topic}}, "")
    with st.expander(" · ".join(shown) + rest):
        st.html(answer_html(turn, texts))
        if sources := sources_html(turn, texts):
            st.html(sources)
        with st.container(horizontal=True, gap="small"):
            for number, (name, label) in enumerate(zip(names, shown, strict=False)):
                st.button(
                    label, key=f"topic-{at}-{number}", type="tertiary", icon=":material/arrow_forward:",
                    help=texts("graph_further"), on_click=lead_on, args=(name,),
                )  # fmt: skip
