"""The web page. Run it with `attest ui`, or `streamlit run ui/main.py`.

Knows the order in which the page is put together. Talks to the API over HTTP only.
"""

from pathlib import Path

import streamlit as st

from ui.assistants import draw_assistants
from ui.chat import draw_chat
from ui.entities import draw_entities
from ui.faq import draw_faq
from ui.library import draw_library
from ui.memory import draw_memory
from ui.sidebar import ASSISTANTS, DOCUMENTS, FAQ, GRAPH, MEMORY, choose_language, draw_sidebar
from ui.state import client_of, page

STYLE = Path(__file__).with_name("style.css")
# A file of our own: for a named icon the browser would ask a font server on the internet.
ICON = Path(__file__).with_name("icon.svg")


def main() -> None:
    """One run of the page's script."""
    st.set_page_config(page_title="Attest", page_icon=str(ICON), layout="centered")
    st.html(STYLE)
    texts = choose_language()
    here = page()
    client = client_of(here)
    choices = draw_sidebar(here, client, texts)
    if choices is None:
        return
    if choices.view == DOCUMENTS:
        draw_library(here, client, texts)
    elif choices.view == GRAPH:
        draw_entities(here, client, texts)
    elif choices.view == FAQ:
        draw_faq(here, client, texts)
    elif choices.view == ASSISTANTS:
        draw_assistants(here, client, texts)
    elif choices.view == MEMORY:
        draw_memory(here, client, texts)
    else:
        draw_chat(here, client, choices, texts)


if __name__ == "__main__":
    main()
