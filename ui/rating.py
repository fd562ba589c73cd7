"""Thumbs under an answer, and room for what would have been right.

Knows Streamlit and the turn. What becomes of a thumb is the API's business.
"""

import streamlit as st

from ui.client import ApiClient, ApiError, Json
from ui.problem import draw_problem
from ui.texts import Texts
from ui.turn import Turn

UP, DOWN = "up", "down"
_VOTES = (DOWN, UP)
MAX_WORDS_CHARS = 2000


def draw_rating(turn: Turn, number: int, client: ApiClient, texts: Texts) -> None:
    """The thumbs of one answer; a changed thumb is sent at once. Of earlier chats the answers
    are not known by their ids, so they show none."""
    if not turn.answer_id:
        return
    chosen = st.feedback("thumbs", key=f"thumb-{number}-{turn.answer_id}", width="content")
    vote = _VOTES[chosen] if chosen is not None else ""
    if vote and vote != turn.vote and _send(turn, client, texts, {"vote": vote}):
        turn.vote = vote
        st.toast(texts("thumb_thanks"))
    if turn.vote == DOWN:
        _draw_words(turn, number, client, texts)


def _draw_words(turn: Turn, number: int, client: ApiClient, texts: Texts) -> None:
    with st.form(key=f"words-{number}"):
        reason = st.text_input(texts("thumb_reason"), key=f"reason-{number}", max_chars=MAX_WORDS_CHARS)
        right = st.text_area(texts("thumb_right"), key=f"right-{number}", max_chars=MAX_WORDS_CHARS)
        sent = st.form_submit_button(texts("thumb_send"))
    words = {"vote": DOWN, "reason": reason, "right_answer": right}
    if sent and _send(turn, client, texts, words):
        st.toast(texts("thumb_thanks"))


def _send(turn: Turn, client: ApiClient, texts: Texts, words: Json) -> bool:
    try:
        client.rate(turn.answer_id, words)
    except ApiError as error:
        draw_problem(error, texts)
        return False
    return True
