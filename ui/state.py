"""What one browser tab remembers between reruns, and what it has lately read from the API.

Knows Streamlit's session state and its cache. Draws nothing.
"""

import os
from dataclasses import dataclass, field

import streamlit as st

from ui.client import ApiClient, ApiError, Json
from ui.turn import Turn

DEFAULT_API_URL = "http://127.0.0.1:8765"
API_URL_VARIABLE = "ATTEST_UI_API_URL"
TOKEN_VARIABLE = "ATTEST_UI_API_TOKEN"
DEFAULT_COLLECTION = "default"
READ_TTL_S = 15.0
# Of strangers' tabs too: what is kept is bounded, and each caller has entries of their own.
READ_MAX_ENTRIES = 256
FIGURE_TTL_S = 300.0
FIGURE_MAX_ENTRIES = 64


@dataclass
class Page:
    """The state of one tab."""

    turns: list[Turn] = field(default_factory=list)
    session_id: str = ""
    collection: str = DEFAULT_COLLECTION
    token: str = ""
    token_wanted: bool = False
    doomed: str = ""
    """The id of the chat or document whose deletion waits for a word of confirmation."""
    report: Json | None = None
    uploads: int = 0
    """How many uploads were sent: a new number gives an empty upload field."""
    client: ApiClient | None = None
    assistant_gone: bool = False
    """The assistant of the chat that was opened is no longer there: it goes on without one."""
    suggestions: list[Json] | None = None
    """Questions that want a curated answer, once looked for; of the collection `suggested_for`."""
    suggested_for: str = ""
    entities: tuple[str, str] = ("", "")
    """The names whose relations are shown; of one alone when the second is empty."""

    def start_chat(self) -> None:
        """An empty chat; the old one stays in the list of sessions."""
        self.turns, self.session_id, self.doomed, self.assistant_gone = [], "", "", False


def page() -> Page:
    """The state of this tab, made at its first run."""
    if "page" not in st.session_state:
        st.session_state["page"] = Page(token=os.environ.get(TOKEN_VARIABLE, ""))
    return st.session_state["page"]


def client_of(here: Page) -> ApiClient:
    """The tab's client: made anew when the token has changed."""
    url = os.environ.get(API_URL_VARIABLE, "") or DEFAULT_API_URL
    wanted = ApiClient.identity_of(url, here.token)
    if here.client is None or here.client.identity != wanted:
        if here.client is not None:
            here.client.close()
        here.client = ApiClient(url, here.token)
    return here.client


def read_collections(client: ApiClient) -> list[Json]:
    """The collections, at most `READ_TTL_S` old."""
    return _collections(client, client.identity)


def read_documents(client: ApiClient, collection: str) -> list[Json]:
    """The documents of a collection, at most `READ_TTL_S` old."""
    return _documents(client, client.identity, collection)


def read_sessions(client: ApiClient) -> list[Json]:
    """The caller's sessions, at most `READ_TTL_S` old."""
    return _sessions(client, client.identity)


def read_assistants(client: ApiClient) -> list[Json]:
    """The assistants that the caller may use, at most `READ_TTL_S` old."""
    return _assistants(client, client.identity)


def read_figure(client: ApiClient, collection: str, path: str) -> bytes:
    """A picture of a source, at most `FIGURE_TTL_S` old; none when it is no longer to be had."""
    try:
        return _figure(client, client.identity, collection, path)
    except ApiError:  # its document was removed or closed to this caller: the quote is shown alone
        return b""


def forget_library() -> None:
    """Documents have changed: the next look is a fresh one."""
    _collections.clear()
    _documents.clear()


def forget_sessions() -> None:
    """Sessions have changed: the next look is a fresh one."""
    _sessions.clear()


@st.cache_data(ttl=READ_TTL_S, max_entries=READ_MAX_ENTRIES, show_spinner=False)
def _collections(_client: ApiClient, identity: str) -> list[Json]:
    return _client.collections()


@st.cache_data(ttl=READ_TTL_S, max_entries=READ_MAX_ENTRIES, show_spinner=False)
def _documents(_client: ApiClient, identity: str, collection: str) -> list[Json]:
    return _client.documents(collection)


def forget_assistants() -> None:
    """Assistants have changed: the next look is a fresh one."""
    _assistants.clear()


@st.cache_data(ttl=READ_TTL_S, max_entries=READ_MAX_ENTRIES, show_spinner=False)
def _assistants(_client: ApiClient, identity: str) -> list[Json]:
    return _client.assistants()


@st.cache_data(ttl=READ_TTL_S, max_entries=READ_MAX_ENTRIES, show_spinner=False)
def _sessions(_client: ApiClient, identity: str) -> list[Json]:
    return _client.sessions()


@st.cache_data(ttl=FIGURE_TTL_S, max_entries=FIGURE_MAX_ENTRIES, show_spinner=False)
def _figure(_client: ApiClient, identity: str, collection: str, path: str) -> bytes:
    return _client.figure(path, collection)
