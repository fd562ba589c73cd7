"""Curated answers of a collection, and questions that want one.

Knows Streamlit and the API's entries. Whether one may curate is what the API says.
"""

import streamlit as st

from ui.client import ApiClient, ApiError, Json
from ui.markup import Html, element
from ui.problem import draw_problem
from ui.sidebar import draw_confirmation
from ui.state import Page
from ui.texts import Texts

MAX_QUESTION_CHARS = 4000


def draw_faq(here: Page, client: ApiClient, texts: Texts) -> None:
    """The entries; for who may curate also a form for a new one, and suggestions."""
    st.subheader(texts("view_faq"), anchor=False)
    try:
        found = client.faq(here.collection)
    except ApiError as error:
        draw_problem(error, texts)
        return
    entries, may_curate = found.get("entries") or [], bool(found.get("may_curate"))
    if may_curate:
        _draw_form(here, client, texts)
        _draw_suggestions(here, client, texts)
    for entry in entries:
        _draw_entry(here, client, entry, may_curate, texts)
    if not entries:
        st.caption(texts("faq_none"))


def _draw_form(here: Page, client: ApiClient, texts: Texts) -> None:
    with st.expander(texts("faq_new"), icon=":material/add:"), st.form(key="faq", clear_on_submit=False):
        question = st.text_input(texts("faq_question"), key="faq_question", max_chars=MAX_QUESTION_CHARS)
        answer = st.text_area(texts("faq_answer"), key="faq_answer", help=texts("faq_answer_help"))
        force = st.checkbox(texts("faq_force"), key="faq_force")
        sent = st.form_submit_button(texts("faq_add"), type="primary")
    if sent:
        wish = {"questions": [question] if question.strip() else [], "answer": answer, "force": force}
        _add(here, client, wish, texts)


def _draw_suggestions(here: Page, client: ApiClient, texts: Texts) -> None:
    """A button that looks for them, as that is costly, and what was found at the last look."""
    if here.suggested_for != here.collection:
        here.suggestions, here.suggested_for = None, here.collection
    if st.button(texts("faq_look"), key="faq_look", icon=":material/search:"):
        try:
            here.suggestions = client.faq_suggestions(here.collection)
        except ApiError as error:
            draw_problem(error, texts)
    suggestions = here.suggestions or []
    if suggestions:
        st.html(element("div", texts("faq_suggested"), css="attest-heading"))
    elif here.suggestions is not None:
        st.caption(texts("faq_nothing_new"))
    for suggestion in suggestions:
        with st.container(border=True):
            st.html(_suggestion_html(suggestion, texts))
            if suggestion.get("answer") and st.button(
                texts("faq_accept"), key=f"accept-{suggestion.get('id')}", icon=":material/check:"
            ):
                _add(here, client, {"suggestion": str(suggestion.get("id", ""))}, texts)


def _add(here: Page, client: ApiClient, wish: Json, texts: Texts) -> None:
    try:
        client.add_faq(here.collection, wish)
    except ApiError as error:
        draw_problem(error, texts)
        return
    taken = wish.get("suggestion")
    here.suggestions = here.suggestions and [s for s in here.suggestions if s.get("id") != taken]
    st.rerun()


def _draw_entry(here: Page, client: ApiClient, entry: Json, may_curate: bool, texts: Texts) -> None:
    entry_id = str(entry.get("id", ""))
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(_entry_html(entry, texts))
            if may_curate and st.button(
                "",
                key=f"drop-{entry_id}",
                icon=":material/delete:",
                type="tertiary",
                help=texts("delete"),
            ):
                here.doomed = entry_id
        if here.doomed == entry_id:
            draw_confirmation(here, _question(entry), lambda: client.delete_faq(entry_id), texts)


def _entry_html(entry: Json, texts: Texts) -> Html:
    status = str(entry.get("status", ""))
    line = " · ".join(part for part in (texts.get(f"faq_{status}") or status, entry.get("reason")) if part)
    return element(
        "div",
        element("div", _question(entry), css="attest-title"),
        element("div", str(entry.get("text", "")), css="attest-answer"),
        element("div", line, css="attest-label"),
        css="attest-document",
    )


def _suggestion_html(suggestion: Json, texts: Texts) -> Html:
    answer = suggestion.get("answer")
    text = str(answer.get("text", "")) if isinstance(answer, dict) else texts("faq_no_answer")
    return element(
        "div",
        element("div", str(suggestion.get("question", "")), css="attest-title"),
        element("div", text, css="attest-answer"),
        element("div", texts("faq_asked", count=suggestion.get("count", 0)), css="attest-label"),
        css="attest-document",
    )


def _question(entry: Json) -> str:
    questions = entry.get("questions")
    return str(questions[0]) if isinstance(questions, list) and questions else ""
