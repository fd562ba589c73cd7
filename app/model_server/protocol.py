"""The part of OpenAI's chat protocol that the embedded server speaks.

Knows request and reply shapes; knows nothing of engines or sockets.
"""

import json
import time
import uuid
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.model_server.engine import Outcome, Sampling


class ChatMessage(BaseModel):
    """One message; only text."""

    role: Literal["system", "user", "assistant"]
    content: str


class JsonSchema(BaseModel):
    """The schema of a structured reply."""

    model_config = ConfigDict(populate_by_name=True)

    name: str = "reply"
    body: dict = Field(alias="schema")
    strict: bool = True


class ResponseFormat(BaseModel):
    """Free text, or JSON that follows a schema."""

    type: Literal["text", "json_schema"] = "text"
    json_schema: JsonSchema | None = None


class FunctionSpec(BaseModel):
    """A function that may be called; `parameters` is a JSON schema of an object."""

    name: str = Field(pattern=r"^[\w-]{1,64}$")
    description: str = ""
    parameters: dict = {"type": "object", "properties": {}}


class Tool(BaseModel):
    """A tool; functions are the only kind."""

    type: Literal["function"] = "function"
    function: FunctionSpec


class FunctionName(BaseModel):
    """The name of a function."""

    name: str


class NamedTool(BaseModel):
    """The one tool that shall be called."""

    type: Literal["function"] = "function"
    function: FunctionName


class StreamOptions(BaseModel):
    """What a stream carries besides text."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """`POST /v1/chat/completions`. Fields that are not listed are ignored, as servers do."""

    model: str = ""
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: int = Field(256, ge=1, le=8192)
    temperature: float = Field(0.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    stop: str | list[str] = []
    frequency_penalty: float = Field(0.0, ge=-2, le=2)
    seed: int | None = None
    response_format: ResponseFormat = ResponseFormat()
    tools: list[Tool] = []
    tool_choice: Literal["none", "auto", "required"] | NamedTool = "auto"

    @property
    def fault(self) -> str:
        """What of the request this server does not do; empty: nothing."""
        if not self.tools or self.tool_choice == "none":
            return ""
        if self.tool_choice == "auto":
            return "tool_choice must be required or name a function: a small model does not choose well"
        if isinstance(self.tool_choice, NamedTool) and not self.callable_tools:
            return f"there is no tool {self.tool_choice.function.name!r}"
        return "a call of a tool is not streamed" if self.stream else ""

    @property
    def callable_tools(self) -> list[FunctionSpec]:
        """The functions one of which has to be called; none: the reply is text."""
        given = [tool.function for tool in self.tools] if self.tool_choice != "none" else []
        if isinstance(self.tool_choice, NamedTool):
            return [function for function in given if function.name == self.tool_choice.function.name]
        return given

    def sampling(self) -> Sampling:
        """What the engine needs of it."""
        wanted = self.response_format.json_schema
        schema = wanted.body if wanted else None
        if self.callable_tools:
            schema = {"anyOf": [_call_schema(function) for function in self.callable_tools]}
        return Sampling(
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            stop=(self.stop,) if isinstance(self.stop, str) else tuple(self.stop),
            frequency_penalty=self.frequency_penalty,
            seed=self.seed,
            schema=schema,
            tools=tuple(Tool(function=function).model_dump() for function in self.callable_tools),
        )


def _call_schema(function: FunctionSpec) -> dict:
    """What a model writes that calls this function."""
    return {
        "type": "object",
        "properties": {"name": {"const": function.name}, "arguments": function.parameters},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


class ReplyShapes:
    """The JSON of one reply: whole, or in chunks with one id."""

    def __init__(self, model: str) -> None:
        self._head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model,
        }  # fmt: skip

    def whole(self, text: str, outcome: Outcome) -> dict:
        """A reply that was not streamed."""
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": outcome.finish_reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": usage(outcome)}

    def call(self, text: str, outcome: Outcome) -> dict:
        """A reply that calls a tool: `text` is what the grammar of `_call_schema` let through. One that
        was cut off calls nothing."""
        reply = self.whole(text, outcome)
        if outcome.finish_reason == "length":
            return reply
        called = json.loads(text)
        arguments = json.dumps(called["arguments"], ensure_ascii=False)
        function = {"name": called["name"], "arguments": arguments}
        call = {"id": f"call-{uuid.uuid4().hex}", "type": "function", "function": function}
        choice = reply["choices"][0]
        choice["message"] = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice["finish_reason"] = "tool_calls"
        return reply

    def chunk(self, text: str = "", finish_reason: str | None = None) -> dict:
        """A piece of a stream."""
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}

    def usage_chunk(self, outcome: Outcome) -> dict:
        """The last piece of a stream that asked for usage."""
        return {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": usage(outcome)}


def usage(outcome: Outcome) -> dict:
    """Token counts as the protocol names them."""
    return {
        "prompt_tokens": outcome.prompt_tokens,
        "completion_tokens": outcome.completion_tokens,
        "total_tokens": outcome.prompt_tokens + outcome.completion_tokens,
    }
