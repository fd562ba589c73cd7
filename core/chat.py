"""The one chat client: the OpenAI protocol, whoever serves it (vLLM, the embedded model).

Knows HTTP errors of that protocol and turns them into ChatModelError; knows nothing
of prompts or evidence.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence

import openai
from openai import AsyncOpenAI

from core.errors import ChatModelError
from core.seams import ChatDelta, ChatOptions, Message
from core.types import Usage


class OpenAIChatModel:
    """A `ChatModel` over `POST {base_url}/chat/completions`."""

    def __init__(self, base_url: str, model: str, api_key: str = "", timeout_s: float = 120.0) -> None:
        """`base_url` ends in `/v1`. Nothing is sent before the first call."""
        self.name = model
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._client = AsyncOpenAI(
            base_url=base_url, api_key=api_key or "none", timeout=timeout_s, max_retries=1
        )

    async def stream(
        self, messages: Sequence[Message], options: ChatOptions
    ) -> AsyncIterator[ChatDelta]:
        """Pieces of one reply as they come. See `ChatModel.stream`."""
        reply = None
        try:
            reply = await self._client.chat.completions.create(
                **self._body(messages, options),
                stream=True,
                stream_options={"include_usage": True},
            )
            async for event in reply:
                if (delta := _read_delta(event)) is not None:
                    yield delta
        except openai.OpenAIError as exc:
            raise self._translate(exc) from exc
        finally:
            if reply is not None:
                await reply.close()

    async def structured(
        self, messages: Sequence[Message], schema: Mapping, options: ChatOptions
    ) -> tuple[dict, Usage]:
        """One reply that follows the JSON schema. See `ChatModel.structured`."""
        wanted = {"name": "reply", "schema": dict(schema), "strict": True}
        try:
            reply = await self._client.chat.completions.create(
                **self._body(messages, options),
                response_format={"type": "json_schema", "json_schema": wanted},
            )
        except openai.OpenAIError as exc:
            raise self._translate(exc) from exc
        text = reply.choices[0].message.content or ""
        try:
            value = json.loads(text)
        except json.JSONDecodeError as exc:
            raise ChatModelError(
                f"the model {self.name} did not answer in JSON: {text[:80]!r}",
                remedy="use a server that supports response_format json_schema",
            ) from exc
        if not isinstance(value, dict):
            raise ChatModelError(f"the model {self.name} answered {type(value).__name__}, not an object")
        return value, _read_usage(reply.usage)

    async def open_client(self) -> "OpenAIChatModel":
        """Another client of the same server, to be closed by the caller: connections belong to
        the event loop that opened them."""
        return OpenAIChatModel(self._base_url, self.name, self._client.api_key, self._timeout_s)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    def _body(self, messages: Sequence[Message], options: ChatOptions) -> dict:
        body = {
            "model": self.name,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
        }
        if options.stop:
            body["stop"] = list(options.stop)
        if options.frequency_penalty:
            body["frequency_penalty"] = options.frequency_penalty
        return body

    def _translate(self, exc: openai.OpenAIError) -> ChatModelError:
        return explain(exc, self._base_url, self.name, "ATTEST_CHAT__")


def explain(exc: openai.OpenAIError, base_url: str, model: str, setting: str) -> ChatModelError:
    """A fault of a server of this protocol in our words; `setting` is the start of the names
    that its settings have in the environment."""
    if isinstance(exc, openai.APITimeoutError):
        what, remedy = "did not answer in time", f"raise {setting}TIMEOUT_S"
    elif isinstance(exc, openai.APIConnectionError):
        what, remedy = "cannot be reached", f"start it, or mend {setting}BASE_URL"
    elif isinstance(exc, (openai.AuthenticationError, openai.PermissionDeniedError)):
        what, remedy = "refused the key", f"set {setting}API_KEY"
    elif isinstance(exc, openai.NotFoundError):
        what, remedy = f"does not serve {model}", f"mend {setting}MODEL"
    elif isinstance(exc, openai.RateLimitError):
        what, remedy = "is overloaded", "try again later"
    else:
        what, remedy = f"failed ({exc})", "look at its log"
    return ChatModelError(f"the model server at {base_url} {what}", remedy=remedy)


def _read_delta(event) -> ChatDelta | None:
    usage = _read_usage(event.usage) if event.usage else None
    if not event.choices:
        return ChatDelta(usage=usage) if usage else None
    choice = event.choices[0]
    text = choice.delta.content or ""
    if not (text or usage or choice.finish_reason):
        return None
    return ChatDelta(text=text, usage=usage, finish_reason=choice.finish_reason)


def _read_usage(usage) -> Usage:
    if usage is None:
        return Usage(model_calls=1)
    return Usage(usage.prompt_tokens, usage.completion_tokens, 1)
