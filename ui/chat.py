"""The conversation: earlier turns, the field for a question, and the answer as it streams in.

Knows Streamlit and the turn. HTML comes from `sources`, events from `client`.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial

import streamlit as st

from ui.approvals import draw_waiting, is_held, look_up
from ui.background import ticking
from ui.client import ApiClient, ApiError, AskEvent, Question
from ui.markup import element
from ui.problem import draw_problem, problem_html, remedy_of
from ui.rating import draw_rating
from ui.sidebar import DOCUMENTS, Choices
from ui.sources import (
    REPORT,
    ReadFigure,
    abstention_html,
    answer_html,
    copy_text,
    footer_html,
    question_html,
    report_html,
    sources_html,
    status_html,
    steps_html,
    withheld_html,
)
from ui.state import Page, forget_sessions, read_figure
from ui.texts import Texts
from ui.turn import ABSTAINED, FAILED, STOPPED, WAITING, Turn

MAX_QUESTION_CHARS = 4000
TICK_S = 0.5


def draw_chat(here: Page, client: ApiClient, choices: Choices, texts: Texts) -> None:
    """The chat of this tab; asks the API when a question has been typed."""
    problem = look_up(here, client)
    held = is_held(here)
    placeholder = texts("decide_first") if held else texts("ask_placeholder")
    asked = st.chat_input(placeholder, key="question", max_chars=MAX_QUESTION_CHARS, disabled=held)
    if not here.turns and not asked:
        _draw_welcome(here, choices, texts)
    for number, turn in enumerate(here.turns):
        read = partial(read_figure, client, here.collection)
        _draw_turn(turn, number, texts, read, partial(draw_rating, turn, number, client, texts))
        if turn.status == WAITING and turn is not here.turns[-1]:
            st.caption(texts("stopped"))
    if problem is not None:
        draw_problem(problem, texts)
        st.button(texts("retry"), key="retry", icon=":material/refresh:")
    elif here.turns and here.turns[-1].status == WAITING and not asked:
        _go_on(here, client, texts)
    if asked and asked.strip():
        turn = Turn(question=asked.strip(), session_id=here.session_id)
        here.turns.append(turn)
        _answer(here, client, choices, texts)
        forget_sessions()
        st.rerun()


def _draw_welcome(here: Page, choices: Choices, texts: Texts) -> None:
    if choices.documents:
        key = "document_here" if choices.documents == 1 else "documents_here"
        title, body = texts("welcome"), texts("welcome_body")
        note = element("div", texts(key, count=choices.documents, name=here.collection), css="attest-footer")
    else:
        title, body = texts("no_documents"), texts("no_documents_body")
        note = element("code", "attest ingest ./docs")
    st.html(
        element(
            "div", element("div", title, css="attest-brand"), element("p", body), note, css="attest-welcome"
        )
    )
    if not choices.documents:
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.button(
                texts("add_documents"),
                key="add_documents",
                icon=":material/upload_file:",
                type="primary",
                on_click=_show_documents,
            )


def _show_documents() -> None:
    st.session_state["view"] = DOCUMENTS


def _answer(here: Page, client: ApiClient, choices: Choices, texts: Texts) -> None:
    """Asks what the last turn asks, and streams the answer into the page."""
    turn = here.turns[-1]
    _draw_question(turn)
    question = Question(
        turn.question, here.collection, here.session_id, choices.effort, choices.memory, choices.assistant
    )
    with st.chat_message("assistant", avatar=":material/verified:"):
        _follow(here, client.ask(question), texts)


def _go_on(here: Page, client: ApiClient, texts: Texts) -> None:
    """What the last turn waits for; once its owner has decided, what comes of it, in the same place."""
    turn = here.turns[-1]
    with st.chat_message("assistant", avatar=":material/verified:"):
        place = st.empty()
        with place.container():
            events = draw_waiting(turn, client, texts)
        if events is None:
            return
        place.empty()
        turn.take_up()
        _follow(here, events, texts)
    forget_sessions()
    st.rerun()


def _follow(here: Page, coming: Generator[AskEvent, None, None], texts: Texts) -> None:
    """Streams the events of the last turn into the page. Whatever ends them, the turn says how it ended."""
    turn = here.turns[-1]
    try:
        with closing(ticking(coming, TICK_S)) as events:
            _draw_stream(turn, events, texts)
        if turn.running:
            turn.fail(texts("cut_short"), texts("ask_again"))
    except ApiError as error:
        here.token_wanted = here.token_wanted or error.status == 401
        turn.fail(error.message, remedy_of(error, texts))
    finally:
        # Streamlit ends a script from outside when the reader clicks elsewhere.
        if turn.running:
            turn.stop()
    here.session_id = turn.session_id or here.session_id


def _draw_stream(turn: Turn, events: Iterator[AskEvent | None], texts: Texts) -> None:
    """Takes in the events until the turn ends and draws what has come. None is a tick."""
    status, steps, body, sources = st.empty(), st.empty(), st.empty(), st.empty()
    start = time.monotonic()
    status.html(status_html(turn, texts))
    for event in events:
        if event is not None:
            turn.apply(event)
            if turn.steps:
                steps.html(steps_html(turn, texts))
            if turn.sentences:
                body.html(answer_html(turn, texts))
            if cards := sources_html(turn, texts):
                sources.html(cards)
        if not turn.running:
            break
        status.html(status_html(turn, texts, int(time.monotonic() - start)))


def _draw_turn(
    turn: Turn, number: int, texts: Texts, read: ReadFigure, draw_below: Callable[[], None]
) -> None:
    """A question and what came of it; `draw_below` draws what stands under the answer, in its column."""
    if turn.question:
        _draw_question(turn)
    if turn.status == WAITING:
        # What it waits for is told by `_go_on`, of the last turn alone.
        return
    with st.chat_message("assistant", avatar=":material/verified:"):
        if turn.status == ABSTAINED:
            st.html(abstention_html(turn, texts))
        elif turn.route == REPORT:
            st.html(report_html(turn))
        elif turn.sentences or turn.text:
            st.html(answer_html(turn, texts))
        if turn.status == FAILED:
            st.html(problem_html(turn.message, turn.remedy, texts))
        if turn.status == STOPPED:
            st.caption(texts("stopped"))
        _draw_evidence(turn, number, texts, read)
        draw_below()


def _draw_evidence(turn: Turn, number: int, texts: Texts, read: ReadFigure) -> None:
    if cards := sources_html(turn, texts, read):
        st.html(cards)
    elif "[1]" in turn.text:
        st.caption(texts("sources_not_kept"))
    if turn.withheld:
        key = "withheld_one" if len(turn.withheld) == 1 else "withheld"
        label = texts(key, count=len(turn.withheld))
        with st.expander(label, icon=":material/visibility_off:", key=f"withheld-{number}"):
            st.caption(texts("withheld_body"))
            st.html(withheld_html(turn, texts))
    if turn.sentences or turn.text:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            if footer := footer_html(turn, texts):
                st.html(footer, width="content")
            with st.popover(texts("copy"), icon=":material/content_copy:", type="tertiary"):
                st.code(copy_text(turn, texts), language=None, wrap_lines=True)


def _draw_question(turn: Turn) -> None:
    with st.chat_message("user", avatar=":material/person:"):
        st.html(question_html(turn.question))
