"""The side of the page: which view, which collection, how much effort, earlier chats.

Knows Streamlit and the API's lists. Does not know how a question is answered.
"""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from ui.client import ApiClient, ApiError, Json
from ui.markup import element, join, plain_label
from ui.problem import draw_problem, remedy_of
from ui.state import DEFAULT_COLLECTION, Page, forget_sessions, read_collections, read_sessions
from ui.texts import LANGUAGES, Texts, language_of
from ui.turn import recalled

CHAT, DOCUMENTS, FAQ = "chat", "documents", "faq"
EFFORTS = ("quick", "standard", "deep")
SESSIONS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Choices:
    """What the reader has chosen at the side. `documents` counts those of the collection."""

    view: str
    effort: str
    documents: int


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
            collections = read_collections(client)
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
        documents = _draw_collection(here, collections, texts)
        effort = _draw_effort(texts)
        _draw_sessions(here, client, texts)
        _draw_language(texts)
    return Choices(view, effort, documents)


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
        (CHAT, DOCUMENTS, FAQ),
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


def _draw_effort(texts: Texts) -> str:
    return st.selectbox(
        texts("effort"),
        EFFORTS,
        index=EFFORTS.index("standard"),
        key="effort",
        format_func=lambda effort: texts(f"effort_{effort}"),
        help=texts("effort_help"),
    )


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
        args=(here, client, session_id, texts),
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


def _open_session(here: Page, client: ApiClient, session_id: str, texts: Texts) -> None:
    """Fetches a session's turns. A fault becomes a turn that tells it: callbacks cannot draw."""
    here.start_chat()
    st.session_state["view"] = CHAT
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
