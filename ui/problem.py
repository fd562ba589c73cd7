"""How an error of the API is shown: what happened and what to do, never a traceback.

Knows Streamlit and the client's error. Does not know what was tried.
"""

import streamlit as st

from ui.client import ApiError
from ui.markup import Html, element
from ui.texts import Texts


def draw_problem(error: ApiError, texts: Texts) -> None:
    """The error with its remedy; a missing API key is asked for rather than reported."""
    if error.status == 401:
        st.info(texts("token_wanted"), icon=":material/key:")
        return
    st.html(problem_html(error.message, remedy_of(error, texts), texts))


def remedy_of(error: ApiError, texts: Texts) -> str:
    """The API's own remedy; in the reader's language where nothing answered at all."""
    own = "" if error.status else texts.get(f"remedy_{error.code}")
    return own or error.remedy


def problem_html(message: str, remedy: str, texts: Texts) -> Html:
    """The message and, when there is one, the remedy."""
    parts = [element("div", texts("failed_title"), css="attest-heading"), element("div", message)]
    if remedy:
        parts.append(element("div", f"→ {remedy}", css="attest-label"))
    return element("div", *parts, css="attest-problem", role="alert")
