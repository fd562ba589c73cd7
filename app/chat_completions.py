"""A question and its answer in the shapes of OpenAI's chat completions.

Knows these shapes and what in a conversation is the question, what its history and what instructions;
knows nothing of HTTP, and nothing of answering: that is the way of `/v1/ask`.
"""

import json
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from agents.events import Failed, Finished, SentenceReleased, SentenceRevised
from agents.guards.question_guard import clean_question
from agents.sessions import REMEMBERED_TURNS
from app.asking import check_unicode
from app.openai_errors import openai_error
from app.problems import status_of_code
from core.errors import InputError, NotFoundError
from core.text import normalise
from core.types import Status, Turn

MODEL = "attest"
PREFIX = f"{MODEL}/"
DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation: `role` is OpenAI's."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is asked, what was said before, and how the caller wants the answer."""

    question: str
    history: tuple[Turn, ...]
    instructions: str


def read_conversation(messages: Sequence[Said], max_chars: int) -> Conversation:
    """The last message of the user is the question and those before it are the history, of each message
    its first `max_chars` characters and of turns as many as of a session; system messages are instructions
    wherever they stand.

    Raises:
        InputError: the user says nothing, or a text is not valid Unicode.
    """
    for message in messages:
        check_unicode(message.text, f"message of the {message.role}")
    asked = [at for at, message in enumerate(messages) if message.role == "user"]
    if not asked:
        raise InputError("no message is the user's", remedy='end with a message of the role "user"')
    ordered = (said.text for said in messages if said.role in ("system", "developer"))
    history = tuple(_turns(messages[: asked[-1]], max_chars))[-REMEMBERED_TURNS:]
    return Conversation(messages[asked[-1]].text, history, "\n".join(ordered))


def assistant_of(model: str) -> str:
    """The name or id of the assistant that a model stands for; empty for `attest`, which is none.

    Raises:
        NotFoundError: there is no such model, for anybody.
    """
    name = model.removeprefix(PREFIX)
    if model == MODEL:
        return ""
    if name and name != model:
        return name
    raise _unknown(model)


def render_models(assistants: Sequence[dict]) -> dict:
    """OpenAI's list: `attest`, and each of these assistants by its name, or by its id where the name would
    mean another one."""
    names = Counter(normalise(one["name"]) for one in assistants)
    models = [_model(MODEL, 0, MODEL)]
    for one in assistants:
        is_known = one["mine"] or names[normalise(one["name"])] == 1
        created = int(datetime.fromisoformat(one["created"]).timestamp())
        models.append(_model(PREFIX + (one["name"] if is_known else one["id"]), created, one["owner"]))
    return {"object": "list", "data": models}


def find_model(assistants: Sequence[dict], model: str) -> dict:
    """The one of that id in the list. Raises NotFoundError when there is none."""
    found = next((one for one in render_models(assistants)["data"] if one["id"] == model), None)
    if found is None:
        raise _unknown(model)
    return found


class Completion:
    """One completion by the model of that name, whole or in chunks."""

    def __init__(self, model: str) -> None:
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}

    def whole(self, answer: dict) -> dict:
        """Of a rendered answer, which the message holds as `attest`."""
        message = {"role": "assistant", "content": answer["text"], "attest": answer}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(answer)}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": _usage(answer)}

    async def chunks(
        self, events: AsyncIterator[tuple[str, dict]], *, with_usage: bool = False
    ) -> AsyncIterator[str]:
        """What stands behind `data:` of each event of the stream: every sentence once it is verified, then
        what else the answer says, the answer as `attest`, and `[DONE]`. Closing it closes `events`."""
        async with aclosing(events):
            yield self._chunk({"role": "assistant", "content": ""})
            released: list[dict] = []
            async for name, payload in events:
                if (sentence := _sentence_of(name, payload)) is not None:
                    released.append(sentence)
                    yield self._chunk({"content": _last_words(released)})
                elif name == Finished.name:
                    if rest := _rest(_text_of(released), payload["text"]):
                        yield self._chunk({"content": rest})
                    yield self._chunk({"attest": payload}, _reason(payload))
                    if with_usage:
                        yield self._dump([], usage=_usage(payload))
                elif name == Failed.name:
                    status = status_of_code(payload["code"])
                    yield _json(openai_error(status, payload["code"], payload["message"], payload["remedy"]))
        yield DONE

    def _chunk(self, delta: dict, finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._dump([choice])

    def _dump(self, choices: list[dict], **more) -> str:
        return _json({**self._head, "object": "chat.completion.chunk", "choices": choices, **more})


def _turns(messages: Sequence[Said], max_chars: int) -> Iterable[Turn]:
    """A question with what was answered to it; of one that was not answered the question alone."""
    spoken = [said for said in messages if said.role in ("user", "assistant") and said.text.strip()]
    for said, following in pairwise([*spoken, Said("", "")]):
        if said.role == "user":
            is_answered = following.role == "assistant"
            status = Status.ANSWERED if is_answered else Status.ABSTAINED
            question = clean_question(said.text[:max_chars])
            yield Turn(question, following.text[:max_chars] if is_answered else "", status)


def _sentence_of(name: str, payload: dict) -> dict | None:
    """The sentence that an event lets out."""
    if name == SentenceReleased.name:
        return payload["sentence"]
    return payload["replacement"] if name == SentenceRevised.name else None


def _last_words(released: Sequence[dict]) -> str:
    """What the last sentence adds to the text, with the gap before it."""
    return _text_of(released)[len(_text_of(released[:-1])) :]


def _text_of(released: Sequence[dict]) -> str:
    from agents.drafting import join_sentences
    from agents.records import read_sentence

    return join_sentences([read_sentence(sentence) for sentence in released])


def _rest(told: str, text: str) -> str:
    """What of the answer is still to be told. One that does not go on from what was told is told whole:
    what it says besides its sentences must not be lost."""
    if text.startswith(told):
        return text[len(told) :]
    return f"\n\n{text}"


def _reason(answer: dict) -> str:
    return "length" if answer["guarded"].get("cut_short") else "stop"


def _usage(answer: dict) -> dict:
    """In OpenAI's names."""
    used = answer["usage"]
    return {
        "prompt_tokens": used["prompt_tokens"],
        "completion_tokens": used["completion_tokens"],
        "total_tokens": used["prompt_tokens"] + used["completion_tokens"],
        "prompt_tokens_details": {"cached_tokens": used["cached_tokens"]},
    }


def _model(name: str, created: int, owner: str) -> dict:
    return {"id": name, "object": "model", "created": created, "owned_by": owner}


def _unknown(model: str) -> NotFoundError:
    return NotFoundError(f"there is no model {model[:100]!r}", remedy="see: GET /v1/models")


def _json(value: dict) -> str:
    return json.dumps(value, ensure_ascii=False)
