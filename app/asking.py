"""One question as a stream of named payloads, the same for REST and the command line.

Knows the asker's events and turns its end into `finished` or `failed`, whatever happens;
knows nothing of HTTP or terminals.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from agents.asking import Ask
from agents.events import Event, Failed, Finished
from agents.guards.question_guard import clean_question
from app.rendering import render_event
from app.services import Services
from core.errors import AttestError, InputError

if TYPE_CHECKING:
    from agents.asker import Asker

_log = logging.getLogger(__name__)


async def stream_answer(services: Services, ask: Ask) -> AsyncIterator[tuple[str, dict]]:
    """Pairs of event name and payload; the last is `finished` or `failed`.

    Closing the iterator cancels the turn. A question that is empty or too long raises
    InputError before anything is yielded.
    """
    check_question(ask.question, services.settings.server.max_question_chars)
    async with aclosing(stream_turn(services, lambda asker: asker.ask(ask))) as pairs:
        async for pair in pairs:
            yield pair


async def stream_turn(
    services: Services, begin: Callable[["Asker"], AsyncIterator[Event]]
) -> AsyncIterator[tuple[str, dict]]:
    """The same of a turn that `begin` begins, or takes up again."""
    ended = False
    try:
        asker = await services.asker()
        async with aclosing(begin(asker)) as events:
            async for event in events:
                ended = isinstance(event, Finished | Failed)
                yield event.name, render_event(event)
    except AttestError as exc:
        # Expected faults are one line: whoever asked is told the same, with the remedy.
        _log.info("a turn failed: %s", exc)
        yield _failed(exc.code, exc.message, exc.remedy)
        return
    except Exception:  # the edge of the stream: whatever broke, the caller must hear of an end
        _log.exception("a turn failed by a defect")
        yield _failed("internal", "the question could not be handled", "see the log")
        return
    if not ended:
        _log.error("the asker ended without a last event")
        yield _failed("internal", "the answer broke off", "ask again; if it stays, see the log")


def check_question(question: str, max_chars: int) -> None:
    """Raises InputError for a question that is blank, over the limit or not valid Unicode."""
    if not clean_question(question):
        raise InputError("the question is empty", remedy="write a question")
    if len(question) > max_chars:
        raise InputError(
            f"the question has {len(question)} characters, more than {max_chars}",
            remedy="shorten it, or raise ATTEST_SERVER__MAX_QUESTION_CHARS",
        )
    check_unicode(question, "question")


def check_unicode(text: str, what: str) -> None:
    """Raises InputError, which names `what`, for text that no database takes: half of a surrogate
    pair, or a byte of the command line that is no UTF-8."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise InputError(f"the {what} is not valid Unicode", remedy="write it again, as UTF-8")


def _failed(code: str, message: str, remedy: str) -> tuple[str, dict]:
    return Failed.name, render_event(Failed(code, message, remedy))
