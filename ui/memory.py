"""What is remembered of the reader: listed, changed, forgotten, switched off.

Knows Streamlit and the API's facts. What is remembered, and how it is used, is the API's business.
"""

from datetime import date

import streamlit as st

from ui.client import ApiClient, ApiError, Json
from ui.markup import Html, element
from ui.problem import draw_problem
from ui.sidebar import draw_confirmation
from ui.state import Page
from ui.texts import Texts

MAX_VALUE_CHARS = 300
ALL = "every-fact"
"""Stands for all of them where one is to be forgotten."""


def draw_memory(here: Page, client: ApiClient, texts: Texts) -> None:
    """The switch and the facts, the latest said first."""
    st.subheader(texts("view_memory"), anchor=False)
    try:
        found = client.memory()
    except ApiError as error:
        draw_problem(error, texts)
        return
    facts = [fact for fact in found.get("facts") or [] if isinstance(fact, dict)]
    _draw_switch(client, bool(found.get("enabled")), texts)
    if not facts:
        st.caption(texts("memory_none"))
    for fact in facts:
        _draw_fact(here, client, fact, texts)
    if len(facts) > 1:
        if st.button(texts("memory_forget_all"), key="forget_all", type="tertiary", icon=":material/delete:"):
            here.doomed = ALL
        if here.doomed == ALL:
            draw_confirmation(here, texts("memory_all"), lambda: client.forget_fact(""), texts)


def _draw_switch(client: ApiClient, enabled: bool, texts: Texts) -> None:
    wanted = st.toggle(texts("memory_on"), value=enabled, help=texts("memory_help"))
    if wanted is enabled:
        return
    try:
        client.switch_memory(wanted)
    except ApiError as error:
        draw_problem(error, texts)
        return
    st.rerun()


def _draw_fact(here: Page, client: ApiClient, fact: Json, texts: Texts) -> None:
    fact_id = str(fact.get("id", ""))
    with st.container(border=True):
        # Columns, because a long fact would push its buttons to a line of their own.
        words, editor, dropper = st.columns([8, 1, 1], vertical_alignment="center", gap="xxsmall")
        words.html(_fact_html(fact, texts))
        with editor.popover("", icon=":material/edit:", help=texts("edit"), type="tertiary"):
            _draw_form(client, fact, texts)
        dropper.button(
            "",
            key=f"drop-{fact_id}",
            icon=":material/delete:",
            type="tertiary",
            help=texts("delete"),
            on_click=_doom,
            args=(here, fact_id),
        )
        if here.doomed == fact_id:
            draw_confirmation(here, _key_of(fact, texts), lambda: client.forget_fact(fact_id), texts)


def _draw_form(client: ApiClient, fact: Json, texts: Texts) -> None:
    fact_id, ends = str(fact.get("id", "")), _day(fact.get("expires"))
    with st.form(key=f"fact-{fact_id}", border=False):
        value = st.text_input(
            texts("memory_value"),
            str(fact.get("value", "")),
            max_chars=MAX_VALUE_CHARS,
            key=f"value-{fact_id}",
        )
        first = min(date.today(), ends or date.today())
        end = st.date_input(texts("memory_until"), ends, first, date.max, key=f"until-{fact_id}")
        sent = st.form_submit_button(texts("save"), type="primary")
    if not sent:
        return
    words: Json = {"value": value}
    if end != ends:
        words["expires"] = end.isoformat() if end else ""
    try:
        client.edit_fact(fact_id, words)
    except ApiError as error:
        draw_problem(error, texts)
        return
    st.rerun()


def _doom(here: Page, fact_id: str) -> None:
    here.doomed = fact_id


def _fact_html(fact: Json, texts: Texts) -> Html:
    said, until = _day(fact.get("said")), _day(fact.get("expires"))
    key = "memory_said" if fact.get("session_id") else "memory_noted"
    parts = [texts(key, day=said.isoformat())] if said else []
    if until:
        parts.append(texts("memory_holds", day=until.isoformat()))
    return element(
        "div",
        element("div", _key_of(fact, texts), css="attest-label"),
        element("div", str(fact.get("value", "")), css="attest-title"),
        element("div", " · ".join(parts), css="attest-footer"),
        css="attest-document",
    )


def _key_of(fact: Json, texts: Texts) -> str:
    key = str(fact.get("key", ""))
    return texts.get(f"fact_{key.replace(' ', '_')}") or key


def _day(moment: object) -> date | None:
    """The day of a moment of ISO 8601, as the API tells it; None for none."""
    try:
        return date.fromisoformat(moment[:10]) if isinstance(moment, str) else None
    except ValueError:
        return None
