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
    remedy = texts.get(f"remedy_{error.code}") or error.remedy
    st.html(problem_html(error.message, remedy, texts))


def problem_html(message: str, remedy: str, texts: Texts) -> Html:
    """The message and, when there is one, the remedy."""
    parts = [element("div", texts("failed_title"), css="attest-heading"), element("div", message)]
    if remedy:
        parts.append(element("div", f"{texts('remedy')}: {remedy}", css="attest-label"))
    return element("div", *parts, css="attest-problem", role="alert")
