"""The one chat client: the OpenAI protocol, whoever serves it (vLLM, the embedded model).

Knows HTTP errors of that protocol and turns them into ChatModelError; knows nothing
of prompts or evidence.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence

import openai
from openai import AsyncOpenAI

from core.chat_tenants import CacheSalt
from core.errors import ChatModelError, ChatRequestError
from core.seams import ChatDelta, ChatOptions, Message, ToolCall, ToolSpec
from core.types import Usage

CONNECT_TIMEOUT_S = 5.0
RETRY_AFTER_S = 0.5
REFUSED = frozenset({400, 413, 422})
"""Statuses that speak of the request, not of the server."""
MISCONFIGURED = (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError)
"""Faults that last until somebody mends a setting."""


class OpenAIChatModel:
    """A `ChatModel` over `POST {base_url}/chat/completions`."""

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str = "",
        timeout_s: float = 120.0,
        salt: CacheSalt | None = None,
        setting: str = "ATTEST_CHAT__",
    ) -> None:
        """`base_url` ends in `/v1`; `timeout_s` is the longest silence. With a salt each request
        carries `cache_salt`, which vLLM alone knows. `setting` is the start of the names that the
        errors tell to mend. Nothing is sent before the first call."""
        self.name = model
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._salt = salt
        self._setting = setting
        patience = openai.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S))
        self._client = AsyncOpenAI(
            base_url=base_url, api_key=api_key or "none", timeout=patience, max_retries=0
        )

    async def stream(
        self, messages: Sequence[Message], options: ChatOptions
    ) -> AsyncIterator[ChatDelta]:
        """Pieces of one reply as they come. See `ChatModel.stream`."""
        reply, is_ended = None, False
        try:
            reply = await self._create(
                messages, options, stream=True, stream_options={"include_usage": True}
            )
            async for event in reply:
                if (delta := self._read_delta(event)) is not None:
                    is_ended = is_ended or delta.finish_reason is not None
                    yield delta
        except (openai.OpenAIError, json.JSONDecodeError) as exc:
            raise self._translate(exc) from exc
        finally:
            if reply is not None:
                await reply.close()
        if not is_ended:
            raise ChatModelError(
                f"the model server at {self._base_url} broke off its reply", remedy="look at its log"
            )

    async def structured(
        self, messages: Sequence[Message], schema: Mapping, options: ChatOptions
    ) -> tuple[dict, Usage]:
        """One reply that follows the JSON schema. See `ChatModel.structured`."""
        wanted = {"name": "reply", "schema": dict(schema), "strict": True}
        given = {"response_format": {"type": "json_schema", "json_schema": wanted}}
        reply = await self._whole(messages, options, **given)
        text = reply.choices[0].message.content or ""
        value = self._read_object(text, reply, "a server that supports response_format json_schema")
        return value, self._read_usage(reply.usage)

    async def call_tool(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: ChatOptions
    ) -> tuple[ToolCall, Usage]:
        """One call of one tool. See `ChatModel.call_tool`."""
        choice = {"type": "function", "function": {"name": tools[0].name}}
        reply = await self._whole(
            messages,
            options,
            tools=[_tool(tool) for tool in tools],
            tool_choice=choice if len(tools) == 1 else "required",
            parallel_tool_calls=False,
        )
        server = "a server that supports tool_choice required (vLLM: --enable-auto-tool-choice)"
        calls = reply.choices[0].message.tool_calls or []
        called = calls[0].function if calls else None
        if called is None or called.name not in {tool.name for tool in tools}:
            if reply.choices[0].finish_reason == "length":
                raise self._cut_off()
            raise ChatModelError(f"the model {self.name} called no tool it was given", remedy=f"use {server}")
        arguments = self._read_object(called.arguments, reply, server)
        return ToolCall(called.name, arguments), self._read_usage(reply.usage)

    async def open_client(self) -> "OpenAIChatModel":
        """Another client of the same server, to be closed by the caller: connections belong to
        the event loop that opened them."""
        return OpenAIChatModel(
            self._base_url, self.name, self._client.api_key, self._timeout_s, self._salt, self._setting
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _whole(self, messages: Sequence[Message], options: ChatOptions, **more):
        """A reply that is not streamed, with one choice at least."""
        try:
            reply = await self._create(messages, options, **more)
        except (openai.OpenAIError, json.JSONDecodeError) as exc:
            raise self._translate(exc) from exc
        if not getattr(reply, "choices", None):
            raise ChatModelError(
                f"the model server at {self._base_url} does not speak the OpenAI protocol",
                remedy=f"mend {self._setting}BASE_URL; it ends in /v1",
            )
        return reply

    async def _create(self, messages: Sequence[Message], options: ChatOptions, **more):
        """Asks, and once more after a moment when the server could not be reached or is
        overloaded; not after a time-out, for who asked has waited long enough."""
        body = self._body(messages, options) | more
        try:
            return await self._client.chat.completions.create(**body)
        except openai.APITimeoutError:
            raise
        except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError):
            await asyncio.sleep(RETRY_AFTER_S)
            return await self._client.chat.completions.create(**body)

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
        if self._salt is not None:
            body["extra_body"] = {"cache_salt": self._salt.of(options.tenant)}
        return body

    def _translate(self, exc: openai.OpenAIError | json.JSONDecodeError) -> ChatModelError:
        return explain(exc, self._base_url, self.name, self._setting)

    def _cut_off(self) -> ChatModelError:
        return ChatModelError(f"the JSON of the model {self.name} was cut off", remedy="allow it more tokens")

    def _read_object(self, text: str, reply, wanted: str) -> dict:
        """The JSON object of a reply; `wanted` is what serves such requests."""
        try:
            value = json.loads(text)
        except json.JSONDecodeError as exc:
            if reply.choices[0].finish_reason == "length":
                raise self._cut_off() from exc
            raise ChatModelError(
                f"the model {self.name} did not answer in JSON: {text[:80]!r}", remedy=f"use {wanted}"
            ) from exc
        if not isinstance(value, dict):
            raise ChatModelError(f"the model {self.name} answered {type(value).__name__}, not an object")
        return value

    def _read_delta(self, event) -> ChatDelta | None:
        usage = self._read_usage(event.usage) if event.usage else None
        if not event.choices:
            return ChatDelta(usage=usage) if usage else None
        choice = event.choices[0]
        text = choice.delta.content or ""
        if not (text or usage or choice.finish_reason):
            return None
        return ChatDelta(text=text, usage=usage, finish_reason=choice.finish_reason)

    def _read_usage(self, usage) -> Usage:
        if usage is None:
            return Usage(model_calls=1, models=(self.name,))
        details = getattr(usage, "prompt_tokens_details", None)
        cached = (details.cached_tokens or 0) if details else 0
        return Usage(usage.prompt_tokens, usage.completion_tokens, 1, cached, (self.name,))


def explain(exc: openai.OpenAIError | ValueError, base_url: str, model: str, setting: str) -> ChatModelError:
    """A fault of a server of this protocol in our words; `setting` is the start of the names
    that its settings have in the environment."""
    if isinstance(exc, openai.APITimeoutError):
        what, remedy = "did not answer in time", f"raise {setting}TIMEOUT_S"
    elif isinstance(exc, openai.APIConnectionError):
        what, remedy = "cannot be reached", f"start it, or mend {setting}BASE_URL"
    elif isinstance(exc, openai.AuthenticationError | openai.PermissionDeniedError):
        what, remedy = "refused the key", f"set {setting}API_KEY"
    elif isinstance(exc, openai.NotFoundError):
        what, remedy = f"does not serve {model}", f"mend {setting}MODEL"
    elif isinstance(exc, openai.RateLimitError):
        what, remedy = "is overloaded", "try again later"
    elif isinstance(exc, openai.APIStatusError) and exc.status_code in REFUSED:
        return ChatRequestError(
            f"the model server at {base_url} refuses the request ({_reason(exc)})",
            remedy="ask something shorter, or use a model and a server that can take it",
        )
    else:
        what, remedy = f"failed ({exc})", "look at its log"
    error = ChatModelError(f"the model server at {base_url} {what}", remedy=remedy)
    error.retryable = not isinstance(exc, MISCONFIGURED)
    return error


def _reason(exc: openai.APIStatusError) -> str:
    """What the server says, on one line of bounded length."""
    body = exc.body if isinstance(exc.body, dict) else {}
    return " ".join(str(body.get("message") or exc.message).split())[:200]


def _tool(tool: ToolSpec) -> dict:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function | {"strict": True}}
