"""What waits for its owner's word: the call of a tool, and approve, edit or reject.

Knows Streamlit, the turn and the API's approvals. What a decision leads to is the API's business; how its
events are drawn is that of `chat`.
"""

import json
import unicodedata
from collections.abc import Generator

import streamlit as st

from ui.client import ApiClient, ApiError, AskEvent, Json
from ui.markup import Html, element
from ui.problem import problem_html
from ui.state import Page
from ui.texts import Texts
from ui.turn import WAITING, Turn, recalled

MAX_ARGUMENTS_CHARS = 20_000
EXAMPLE = '{"text": "…"}'
# What cannot be seen, or turns the order of what is seen: nobody shall approve of other words than they read.
_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def look_up(here: Page, client: ApiClient) -> ApiError | None:
    """Finds out what the last turn waits for, where that is not known; the error when the API does not say.

    The list is asked, not the event `approval`: in that, personal data may be masked, and an edit would
    send the mask back. A turn that was decided and ended elsewhere becomes the one that the API keeps.
    """
    turn = here.turns[-1] if here.turns else None
    if turn is None or turn.status != WAITING or turn.approval is not None:
        return None
    try:
        waiting = [row for row in client.approvals() if row.get("session_id") == turn.session_id]
        kept = [] if waiting else client.session(turn.session_id)
    except ApiError as error:
        return error
    turn.approval = waiting[0] if waiting else {}
    if kept and kept[-1].get("status") != WAITING:
        here.turns[-1] = recalled(kept[-1], turn.session_id)
    return None


def is_held(here: Page) -> bool:
    """Whether the chat takes no question before its reader has decided."""
    return bool(here.turns) and here.turns[-1].status == WAITING and here.turns[-1].approval != {}


def draw_waiting(turn: Turn, client: ApiClient, texts: Texts) -> Generator[AskEvent, None, None] | None:
    """The card of a turn that waits. Once its reader has decided, the events that come of it, which are
    asked for when they are read; until then None."""
    if turn.message:
        st.html(problem_html(turn.message, turn.remedy, texts))
    if not turn.approval:
        st.caption(texts("broken_off"))
        pressed = st.button(texts("go_on"), key="go_on", type="primary", icon=":material/resume:")
        return client.resume(turn.session_id) if pressed else None
    approval_id = str(turn.approval.get("id", ""))
    with st.container(border=True):
        st.html(_card_html(turn.approval, texts))
        with st.container(horizontal=True):
            approved = st.button(texts("approve"), key="approve", type="primary", icon=":material/check:")
            with st.popover(texts("edit"), icon=":material/edit:"):
                edited = _draw_edit(turn.approval, texts)
            rejected = st.button(texts("reject"), key="reject", icon=":material/block:")
    if approved:
        return client.decide(approval_id, "approve")
    if rejected:
        return client.decide(approval_id, "reject")
    return None if edited is None else client.decide(approval_id, "edit", edited)


def read_arguments(written: str, texts: Texts) -> Json:
    """The arguments that were written as JSON. Raises ValueError, in the reader's words, for what is no
    object of values that JSON has."""
    try:
        value = json.loads(written)
        # Once more, for Python also reads NaN, 1e999 and halves of characters, which JSON cannot say.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError as exc:
        raise ValueError(texts("arguments_at", line=exc.lineno, column=exc.colno)) from exc
    except (ValueError, RecursionError) as exc:
        raise ValueError(texts("arguments_object", example=EXAMPLE)) from exc
    if not isinstance(value, dict):
        raise ValueError(texts("arguments_object", example=EXAMPLE))
    return value


def arguments_text(arguments: object) -> str:
    """Arguments as JSON to be read and changed; what could not be seen stands as its escape."""
    shown = json.dumps(arguments, ensure_ascii=False, indent=2)
    return "".join(_escaped(char) if _is_unseen(char) else char for char in shown)


def _draw_edit(approval: Json, texts: Texts) -> Json | None:
    """The arguments to call with instead, once they have been sent and are some."""
    # Not a key of its own for all: the next call that waits has other arguments.
    key = f"arguments-{approval.get('id', '')}"
    with st.form(key=f"edit-{key}", border=False):
        written = st.text_area(
            texts("arguments"),
            arguments_text(approval.get("arguments") or {}),
            max_chars=MAX_ARGUMENTS_CHARS,
            key=key,
            height=200,
        )
        sent = st.form_submit_button(texts("approve_edited"), type="primary")
    if not sent:
        return None
    try:
        return read_arguments(written, texts)
    except ValueError as error:
        st.html(problem_html(str(error), "", texts))
        return None


def _card_html(approval: Json, texts: Texts) -> Html:
    arguments = approval.get("arguments") or {}
    shown = element("pre", arguments_text(arguments), css="attest-arguments")
    return element(
        "div",
        element("div", texts("approval_title", tool=str(approval.get("tool", ""))), css="attest-heading"),
        element("div", texts("approval_body"), css="attest-label"),
        shown if arguments else element("div", texts("approval_none"), css="attest-label"),
        role="group",
    )


def _is_unseen(char: str) -> bool:
    return char != "\n" and unicodedata.category(char) in _UNSEEN


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1]
