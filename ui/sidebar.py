"""The side of the page: which view, which collection, how much effort, earlier chats.

Knows Streamlit and the API's lists. Does not know how a question is answered.
"""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from ui.client import ApiClient, ApiError, Json
from ui.markup import element, join, plain_label
from ui.problem import draw_problem, remedy_of
from ui.state import (
    DEFAULT_COLLECTION,
    Page,
    forget_sessions,
    read_assistants,
    read_collections,
    read_sessions,
)
from ui.texts import LANGUAGES, Texts, language_of
from ui.turn import recalled

CHAT, DOCUMENTS, GRAPH, FAQ, ASSISTANTS, MEMORY = "chat", "documents", "graph", "faq", "assistants", "memory"
EFFORTS = ("quick", "standard", "deep")
STRATEGIES = (
    "window+vector", "vector", "window", "full", "first-and-latest", "key-turns", "summary", "entities",
    "graph",
)  # fmt: skip
SESSIONS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Choices:
    """What the reader has chosen at the side. `documents` counts those of the collection; `memory` and
    `effort` are empty where the session and the assistant decide; `assistant` is an id."""

    view: str
    effort: str
    documents: int
    memory: str = ""
    assistant: str = ""


def choose_language() -> Texts:
    """The words of the chosen language; at first the browser's own."""
    if "language" not in st.session_state:
        st.session_state["language"] = language_of(st.context.locale)
    return Texts(st.session_state["language"])


def draw_sidebar(here: Page, client: ApiClient, texts: Texts) -> Choices | None:
    """Draws the sidebar. None when the API gives no lists: the problem is then shown in the page."""
    with st.sidebar:
        _draw_brand(texts)
        _draw_token(here, texts)
        try:
            collections, assistants = read_collections(client), read_assistants(client)
            here.token_wanted = False
        except ApiError as error:
            collections, problem = None, error
        if collections is None:
            _draw_language(texts)
    if collections is None:
        _draw_unreachable(here, problem, texts)
        return None
    with st.sidebar:
        view = _draw_view(texts)
        assistant = _draw_assistant(here, assistants, texts)
        documents = _draw_collection(here, _collections_for(assistant, collections), texts)
        effort = _draw_effort(assistant, texts)
        memory = _draw_strategy(texts)
        _draw_sessions(here, client, texts)
        _draw_language(texts)
    return Choices(view, effort, documents, memory, str(assistant.get("id", "")))


def _draw_brand(texts: Texts) -> None:
    name = element("div", "Attest", css="attest-brand")
    st.html(join(name, element("div", texts("tagline"), css="attest-tagline")))


def _draw_token(here: Page, texts: Texts) -> None:
    """The field for an API key, only after the API has asked for one."""
    if not here.token_wanted:
        return

    def take() -> None:
        here.token = st.session_state["token"].strip()

    st.text_input(texts("token"), type="password", key="token", on_change=take, help=texts("token_help"))


def _draw_unreachable(here: Page, problem: ApiError, texts: Texts) -> None:
    if problem.status == 401 and not here.token_wanted:
        here.token_wanted = True
        st.rerun()
    if problem.status == 401 and here.token:
        st.warning(texts("token_refused"), icon=":material/key_off:")
    else:
        draw_problem(problem, texts)
    st.button(texts("retry"), key="retry", icon=":material/refresh:")


def _draw_view(texts: Texts) -> str:
    chosen = st.segmented_control(
        texts("view_chat"),
        (CHAT, DOCUMENTS, GRAPH, FAQ, ASSISTANTS, MEMORY),
        key="view",
        default=None if "view" in st.session_state else CHAT,
        format_func=lambda view: texts(f"view_{view}"),
        label_visibility="collapsed",
        width="stretch",
    )
    return chosen or CHAT


def _draw_collection(here: Page, collections: list[Json], texts: Texts) -> int:
    counts = {str(row.get("name", "")): int(row.get("documents") or 0) for row in collections}
    counts = counts or {DEFAULT_COLLECTION: 0}
    names = sorted(counts)
    if here.collection not in counts:
        here.collection = DEFAULT_COLLECTION if DEFAULT_COLLECTION in counts else names[0]
    chosen = st.selectbox(texts("collection"), names, index=names.index(here.collection), key="collection")
    if chosen != here.collection:
        # A chat belongs to one collection: its follow-ups would make no sense in another.
        here.collection = chosen
        here.start_chat()
    return counts[here.collection]


def _draw_assistant(here: Page, assistants: list[Json], texts: Texts) -> Json:
    """Who answers in this chat; nothing is drawn where there is no assistant to choose."""
    by_id = {str(one.get("id", "")): one for one in assistants}
    if st.session_state.get("assistant", "") not in by_id:
        here.assistant_gone = here.assistant_gone or bool(st.session_state.get("assistant"))
        st.session_state["assistant"] = ""
    if not by_id:
        return {}
    chosen = st.selectbox(
        texts("assistant"),
        ["", *by_id],
        key="assistant",
        format_func=lambda one: str(by_id[one].get("name", "")) if one else texts("no_assistant"),
        help=texts("assistant_help"),
    )
    if here.assistant_gone and not chosen:
        st.caption(texts("assistant_gone"))
    return by_id.get(chosen, {})


def _collections_for(assistant: Json, collections: list[Json]) -> list[Json]:
    """Those that the assistant may be asked about, in its order."""
    wanted = assistant.get("collections") or []
    by_name = {str(row.get("name", "")): row for row in collections}
    return [by_name[name] for name in wanted if name in by_name] or collections


def _draw_effort(assistant: Json, texts: Texts) -> str:
    """An assistant that has a level of its own decides it until another one is chosen."""
    has_own = bool(assistant.get("effort"))
    return st.selectbox(
        texts("effort"),
        ("", *EFFORTS) if has_own else EFFORTS,
        index=0 if has_own else EFFORTS.index("standard"),
        key="effort_over" if has_own else "effort",
        format_func=lambda effort: texts(f"effort_{effort}") if effort else texts("as_assistant"),
        help=texts("effort_help"),
    )


def _draw_strategy(texts: Texts) -> str:
    return st.selectbox(
        texts("strategy"),
        ("", *STRATEGIES),
        key="strategy",
        format_func=lambda name: name_strategy(name, texts) if name else texts("as_before"),
        help=texts("strategy_help"),
    )


def name_strategy(strategy: str, texts: Texts) -> str:
    """What a strategy of memory is called; several that are joined, each by its name."""
    names = (texts.get(f"strategy_{name.replace('-', '_')}") or name for name in strategy.split("+"))
    return " + ".join(names)


def _draw_language(texts: Texts) -> None:
    st.selectbox(
        f"{texts('language')} / {Texts('zh' if texts.language == 'en' else 'en')('language')}",
        list(LANGUAGES),
        key="language",
        format_func=LANGUAGES.__getitem__,
    )


def _draw_sessions(here: Page, client: ApiClient, texts: Texts) -> None:
    st.button(
        texts("new_chat"),
        key="new_chat",
        icon=":material/add:",
        on_click=_start_chat,
        args=(here,),
        width="stretch",
    )
    st.caption(texts("chats"))
    try:
        sessions = read_sessions(client)
    except ApiError as error:
        draw_problem(error, texts)
        return
    if not sessions:
        st.caption(texts("no_chats"))
    for session in sessions[:SESSIONS_SHOWN]:
        _draw_session(here, client, session, texts)


def _draw_session(here: Page, client: ApiClient, session: Json, texts: Texts) -> None:
    session_id = str(session.get("session_id", ""))
    title = str(session.get("title") or texts("untitled"))
    # Columns, because a long title would push its button to a line of its own.
    opener, dropper = st.columns([6, 1], vertical_alignment="center", gap="xxsmall")
    opener.button(
        plain_label(title, 32),
        key=f"open-{session_id}",
        type="secondary" if session_id == here.session_id else "tertiary",
        on_click=_open_session,
        args=(here, client, session, texts),
        width="stretch",
    )
    dropper.button(
        "",
        key=f"drop-{session_id}",
        type="tertiary",
        icon=":material/delete:",
        help=texts("delete_chat"),
        on_click=_doom,
        args=(here, session_id),
    )
    if here.doomed == session_id:
        draw_confirmation(here, title, lambda: _delete_session(here, client, session_id), texts)


def draw_confirmation(here: Page, title: str, delete: Callable[[], None], texts: Texts) -> None:
    """Asks once more before something is deleted."""
    st.html(element("div", texts("delete_for_good", name=title), css="attest-label"))
    with st.container(horizontal=True):
        if st.button(texts("delete"), key="confirm", type="primary"):
            here.doomed = ""
            try:
                delete()
            except ApiError as error:
                draw_problem(error, texts)
                return
            st.rerun()
        st.button(texts("keep"), key="keep", on_click=_doom, args=(here, ""))


def _doom(here: Page, thing_id: str) -> None:
    here.doomed = thing_id


def _start_chat(here: Page) -> None:
    here.start_chat()
    st.session_state["view"] = CHAT
    st.session_state["strategy"] = ""


def _open_session(here: Page, client: ApiClient, session: Json, texts: Texts) -> None:
    """Fetches a session's turns. A fault becomes a turn that tells it: callbacks cannot draw."""
    session_id = str(session.get("session_id", ""))
    here.start_chat()
    st.session_state["view"] = CHAT
    st.session_state["assistant"] = str(session.get("assistant") or "")
    st.session_state["strategy"] = ""
    try:
        records = client.session(session_id)
    except ApiError as error:
        here.turns = [recalled({"question": ""}, "")]
        here.turns[0].fail(error.message, remedy_of(error, texts))
        return
    here.session_id = session_id
    here.turns = [recalled(record, session_id) for record in records]


def _delete_session(here: Page, client: ApiClient, session_id: str) -> None:
    client.delete_session(session_id)
    forget_sessions()
    if here.session_id == session_id:
        here.start_chat()
