"""On whose behalf a chat model is asked, and how a shared server's prefix cache is kept apart.

A server that keeps what it has read of a prompt answers sooner when somebody asked the like
before; whoever can time its replies could so learn what others ask (Song et al. 2024, "The early
bird catches the leak"). vLLM mixes the field `cache_salt` of a request into the key of its
cache. Knows secrets and digests; knows nothing of HTTP.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from core.seams import ChatDelta, ChatModel, ChatOptions, Message, ToolCall, ToolSpec
from core.types import Usage


class CacheSalt:
    """The salt of each tenant. Without a secret one is made up, for the life of this process."""

    def __init__(self, secret: str = "") -> None:
        self._secret = secret.encode() or secrets.token_bytes(32)

    def of(self, tenant: str) -> str:
        """The same for the same tenant, and not to be guessed without the secret. A call for
        nobody in particular shares with no other call."""
        named = tenant.encode() or secrets.token_bytes(32)
        return base64.urlsafe_b64encode(hmac.digest(self._secret, named, hashlib.sha256)).decode()


def tenant_of(owner: str, readers: Iterable[str]) -> str:
    """Who asks and as whom they read: what they are shown depends on both."""
    return json.dumps([owner, *sorted(readers)])


class TenantChatModel:
    """A `ChatModel` of which every call is made for one tenant."""

    def __init__(self, chat_model: ChatModel, tenant: str) -> None:
        self.name = chat_model.name
        self._chat_model = chat_model
        self._tenant = tenant

    async def stream(
        self, messages: Sequence[Message], options: ChatOptions
    ) -> AsyncIterator[ChatDelta]:
        """See `ChatModel.stream`."""
        async with aclosing(self._chat_model.stream(messages, self._for_tenant(options))) as deltas:
            async for delta in deltas:
                yield delta

    async def structured(
        self, messages: Sequence[Message], schema: Mapping, options: ChatOptions
    ) -> tuple[dict, Usage]:
        """See `ChatModel.structured`."""
        return await self._chat_model.structured(messages, schema, self._for_tenant(options))

    async def call_tool(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: ChatOptions
    ) -> tuple[ToolCall, Usage]:
        """See `ChatModel.call_tool`."""
        return await self._chat_model.call_tool(messages, tools, self._for_tenant(options))

    def _for_tenant(self, options: ChatOptions) -> ChatOptions:
        return replace(options, tenant=self._tenant)
