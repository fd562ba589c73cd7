"""Assistants: those that the reader may use, a form to make and change their own, and instructions.

Knows Streamlit and the API's assistants. Who may do what is what the API says.
"""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from ui.client import ApiClient, ApiError, Json
from ui.markup import Html, element
from ui.problem import draw_problem
from ui.sidebar import CHAT, EFFORTS, STRATEGIES, draw_confirmation, name_strategy
from ui.state import Page, forget_assistants, read_assistants, read_collections
from ui.texts import LANGUAGES, Texts

POLICIES = ("strict", "balanced", "open")
ROLES = ("reader", "editor", "admin")
MAX_NAME_CHARS = 80
MAX_INSTRUCTION_CHARS = 4000


class Choices(NamedTuple):
    """What an assistant may be narrowed to: the names that the reader sees."""

    collections: tuple[str, ...]
    tools: tuple[str, ...]


def draw_assistants(here: Page, client: ApiClient, texts: Texts) -> None:
    """The reader's instructions, a form for a new assistant, and the list."""
    st.subheader(texts("view_assistants"), anchor=False)
    try:
        found, instructions = read_assistants(client), client.instructions()
        choices = Choices(_names(read_collections(client)), _names(client.tools()))
    except ApiError as error:
        draw_problem(error, texts)
        return
    _draw_instructions(client, instructions, texts)
    with st.expander(texts("assistant_new"), icon=":material/add:"):
        _draw_form(client, {}, choices, texts)
    for assistant in found:
        _draw_card(here, client, assistant, choices, texts)
    if not found:
        st.caption(texts("assistants_none"))


def _draw_instructions(client: ApiClient, kept: str, texts: Texts) -> None:
    with st.expander(texts("instructions_own"), icon=":material/tune:"):
        with st.form(key="instructions", border=False):
            text = st.text_area(
                texts("instructions"), kept, key="own_instructions", help=texts("instructions_help"),
                max_chars=MAX_INSTRUCTION_CHARS,
            )  # fmt: skip
            sent = st.form_submit_button(texts("save"), type="primary")
        if sent and _done(lambda: client.instruct(text), texts):
            st.toast(texts("saved"))


def _draw_card(here: Page, client: ApiClient, assistant: Json, choices: Choices, texts: Texts) -> None:
    assistant_id = str(assistant.get("id", ""))
    with st.container(border=True):
        words, user, dropper = st.columns([7, 2, 1], vertical_alignment="center", gap="xxsmall")
        words.html(_card_html(assistant, texts))
        user.button(
            texts("assistant_use"), key=f"use-{assistant_id}", on_click=_use, args=(here, assistant_id),
            width="stretch",
        )  # fmt: skip
        if not assistant.get("mine"):
            return
        dropper.button(
            "", key=f"drop-{assistant_id}", icon=":material/delete:", type="tertiary", help=texts("delete"),
            on_click=_doom, args=(here, assistant_id),
        )  # fmt: skip
        if here.doomed == assistant_id:
            name = str(assistant.get("name", ""))
            draw_confirmation(here, name, lambda: _delete(client, assistant_id), texts)
        with st.expander(texts("edit"), icon=":material/edit:"):
            _draw_form(client, assistant, choices, texts)


def _draw_form(client: ApiClient, assistant: Json, choices: Choices, texts: Texts) -> None:
    """The fields of an assistant; an empty one is a new one."""
    assistant_id = str(assistant.get("id", ""))
    mark = assistant_id or "new"
    # Those too that the reader no longer sees: left out, they would be dropped by the next change.
    own = [str(name) for name in assistant.get("collections") or []]
    collections = list(dict.fromkeys([*choices.collections, *own]))
    with st.form(key=f"assistant-{mark}", border=False, clear_on_submit=not assistant_id):
        fields: Json = {
            "name": st.text_input(
                texts("assistant_name"), assistant.get("name", ""), MAX_NAME_CHARS, key=f"name-{mark}"
            ),
            "instructions": st.text_area(
                texts("instructions"), assistant.get("instructions", ""), key=f"instructions-{mark}",
                help=texts("instructions_help"), max_chars=MAX_INSTRUCTION_CHARS,
            ),
            "collections": st.multiselect(
                texts("assistant_collections"), collections, key=f"collections-{mark}", default=own,
                help=texts("assistant_collections_help"),
            ),
        }  # fmt: skip
        fields["tools"] = _choose_tools(mark, assistant.get("tools"), choices.tools, texts)
        left, right = st.columns(2)
        with left:
            fields["effort"] = _choose("effort", EFFORTS, assistant, texts)
            fields["policy"] = _choose("policy", POLICIES, assistant, texts)
        with right:
            fields["language"] = _choose("language", tuple(LANGUAGES), assistant, texts)
            fields["memory"] = _choose("memory", STRATEGIES, assistant, texts)
        readers = st.text_input(
            texts("assistant_readers"), ", ".join(assistant.get("readers") or []), key=f"readers-{mark}",
            help=texts("assistant_readers_help"),
        )  # fmt: skip
        fields["role"] = _choose("role", ROLES, assistant, texts)
        sent = st.form_submit_button(texts("save"), type="primary")
    if sent:
        fields["readers"] = [name.strip() for name in readers.replace("，", ",").split(",") if name.strip()]
        if _done(lambda: client.save_assistant(assistant_id, fields), texts):
            forget_assistants()
            st.rerun()


def _choose_tools(mark: str, own: list[str] | None, tools: tuple[str, ...], texts: Texts) -> list[str] | None:
    """None: all that its user may use. That is not the same as none chosen."""
    narrowed = st.checkbox(
        texts("assistant_tools_only"),
        own is not None,
        key=f"tools-only-{mark}",
        help=texts("assistant_tools_help"),
    )
    options = list(dict.fromkeys([*tools, *(own or [])]))
    chosen = st.multiselect(
        texts("assistant_tools"),
        options,
        default=own or [],
        key=f"tools-{mark}",
        placeholder=texts("assistant_tools_none"),
    )
    return chosen if narrowed else None


def _names(rows: list[Json]) -> tuple[str, ...]:
    return tuple(str(row.get("name", "")) for row in rows)


def _choose(field: str, choices: tuple[str, ...], assistant: Json, texts: Texts) -> str:
    """One of the choices, or empty: left open."""
    options = ("", *choices)
    now = assistant.get(field) or ""
    options = options if now in options else (*options, now)
    return st.selectbox(
        texts(f"assistant_{field}"),
        options,
        index=options.index(now),
        key=f"{field}-{assistant.get('id') or 'new'}",
        format_func=lambda choice: _choice_name(field, choice, texts),
    )


def _choice_name(field: str, choice: str, texts: Texts) -> str:
    if not choice:
        return texts("left_open")
    if field == "memory":
        return name_strategy(choice, texts)
    names = {
        "effort": texts.get(f"effort_{choice}"),
        "policy": texts.get(f"policy_{choice}"),
        "role": texts.get(f"role_{choice}"),
        "language": LANGUAGES.get(choice, ""),
    }
    return names[field] or choice


def _card_html(assistant: Json, texts: Texts) -> Html:
    parts = [_choice_name(field, str(assistant.get(field)), texts)
             for field in ("effort", "policy", "language", "memory") if assistant.get(field)]  # fmt: skip
    parts = [*(assistant.get("collections") or []), *parts]
    if not assistant.get("mine"):
        parts.append(texts("assistant_of", owner=assistant.get("owner", "")))
    elif readers := assistant.get("readers"):
        parts.append(texts("assistant_shared", readers=", ".join(readers)))
    return element(
        "div",
        element("div", str(assistant.get("name", "")), css="attest-title"),
        element("div", str(assistant.get("instructions", "")), css="attest-label"),
        element("div", " · ".join(map(str, parts)), css="attest-footer"),
        css="attest-document",
    )


def _use(here: Page, assistant_id: str) -> None:
    here.start_chat()
    st.session_state["assistant"] = assistant_id
    st.session_state["view"] = CHAT


def _doom(here: Page, assistant_id: str) -> None:
    here.doomed = assistant_id


def _delete(client: ApiClient, assistant_id: str) -> None:
    client.delete_assistant(assistant_id)
    forget_assistants()


def _done(work: Callable[[], None], texts: Texts) -> bool:
    """Whether the API took it; a fault is told."""
    try:
        work()
    except ApiError as error:
        draw_problem(error, texts)
        return False
    return True
