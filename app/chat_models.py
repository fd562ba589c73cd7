"""Builds the chat model that the settings name: a remote server, or the embedded one.

Knows both ways; knows nothing of prompts.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio.to_thread

from app.model_server.process import ModelServerProcess, ModelServerSpec
from app.weights.catalogue import CHAT, find_weights
from core.chat import OpenAIChatModel
from core.chat_fallback import ConnectedChatModel, FallbackChatModel
from core.chat_tenants import CacheSalt
from core.errors import ModelFileError
from core.seams import ChatDelta, ChatModel, ChatOptions, Message, ToolCall, ToolSpec
from core.settings import ChatSettings
from core.types import Usage


class EmbeddedChatModel:
    """A `ChatModel` whose server is a child of this process, started on first use and
    started again when it died."""

    def __init__(self, server: ModelServerProcess, name: str, timeout_s: float) -> None:
        self.name = name
        self._server = server
        self._timeout_s = timeout_s
        self._client: OpenAIChatModel | None = None

    def begin(self) -> None:
        """Lets the model load in the background."""
        self._server.begin()

    async def stream(
        self, messages: Sequence[Message], options: ChatOptions
    ) -> AsyncIterator[ChatDelta]:
        """See `ChatModel.stream`."""
        client = await self._connect()
        # Closed at once when the caller stops early: only that cancels the generation.
        async with aclosing(client.stream(messages, options)) as deltas:
            async for delta in deltas:
                yield delta

    async def structured(
        self, messages: Sequence[Message], schema: Mapping, options: ChatOptions
    ) -> tuple[dict, Usage]:
        """See `ChatModel.structured`."""
        return await (await self._connect()).structured(messages, schema, options)

    async def call_tool(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: ChatOptions
    ) -> tuple[ToolCall, Usage]:
        """See `ChatModel.call_tool`."""
        return await (await self._connect()).call_tool(messages, tools, options)

    async def open_client(self) -> OpenAIChatModel:
        """See `OpenAIChatModel.open_client`; starts the child when it does not run."""
        url = await anyio.to_thread.run_sync(self._server.start)
        return OpenAIChatModel(url, self.name, self._server.api_key, self._timeout_s)

    def stop(self) -> None:
        """Stops the child, without an event loop; the next call starts it again."""
        self._server.stop()

    async def close(self) -> None:
        """Stops the child."""
        if self._client is not None:
            await self._client.close()
            self._client = None
        await anyio.to_thread.run_sync(self._server.stop)

    async def _connect(self) -> OpenAIChatModel:
        if self._client is None or not self._server.is_alive():
            if self._client is not None:
                await self._client.close()
                await anyio.to_thread.run_sync(self._server.stop)
            url = await anyio.to_thread.run_sync(self._server.start)
            self._client = OpenAIChatModel(url, self.name, self._server.api_key, self._timeout_s)
        return self._client


def build_chat_model(settings: ChatSettings, weights_dir: Path) -> ConnectedChatModel:
    """The chat model of the settings, with its fallback where they name one. Nothing is started yet.

    Raises:
        ModelFileError: an embedded model's weights are not there.
    """
    first = _build_one(settings, weights_dir, "ATTEST_CHAT__")
    spare = fallback_settings(settings)
    if spare is None:
        return first
    return FallbackChatModel(first, _build_one(spare, weights_dir, "ATTEST_CHAT__FALLBACK_"))


def fallback_settings(settings: ChatSettings) -> ChatSettings | None:
    """The settings of the fallback as if it were the only model; None when there is none. Without
    an address of its own it is an embedded model."""
    if not (settings.fallback_base_url or settings.fallback_model):
        return None
    return settings.model_copy(
        update={
            "base_url": settings.fallback_base_url,
            "api_key": settings.fallback_api_key,
            "model": settings.fallback_model or settings.model,
        }
    )


def _build_one(settings: ChatSettings, weights_dir: Path, names: str) -> ConnectedChatModel:
    if settings.base_url:
        key, secret = settings.api_key.get_secret_value(), settings.cache_secret.get_secret_value()
        salt = CacheSalt(secret) if settings.cache_salt == "user" else None
        return OpenAIChatModel(settings.base_url, settings.model, key, settings.timeout_s, salt, names)
    path = find_model_path(settings.model, weights_dir)
    spec = ModelServerSpec(path, Path(settings.model).name, settings.threads, settings.cache_gb)
    return EmbeddedChatModel(ModelServerProcess(spec), spec.name, settings.timeout_s)


@asynccontextmanager
async def connect_chat(find: Callable[[], ConnectedChatModel]) -> AsyncIterator[ChatModel]:
    """A client of the model that `find` gives, for the running event loop.

    Raises:
        ModelFileError: the embedded model's weights are not there.
        ChatModelError: the embedded model does not start.
    """
    model = await anyio.to_thread.run_sync(find)
    client = await model.open_client()
    try:
        yield client
    finally:
        await client.close()


def find_model_path(model: str, weights_dir: Path) -> Path:
    """Where the embedded model lies: a name of the catalogue, a local path, or a Hugging
    Face id (`owner/repo` of an OpenVINO folder, `owner/repo:file.gguf`), fetched once."""
    weights = find_weights(model)
    if weights is not None and weights.kind == CHAT:
        path = weights_dir / weights.file_name
        if not path.exists():
            raise ModelFileError(
                f"the chat model {model} is not in {weights_dir}", remedy="run: attest models fetch"
            )
        return path
    local = Path(model).expanduser()
    if local.exists():
        return local
    if model.count("/") == 1 and not model.startswith((".", "/", "~")):
        return _fetch_from_hub(model, weights_dir)
    raise ModelFileError(
        f"there is no chat model {model!r}",
        remedy="mend ATTEST_CHAT__MODEL; known names: attest models list",
    )


def _fetch_from_hub(model: str, weights_dir: Path) -> Path:
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    repository, _, file = model.partition(":")
    folder = weights_dir / "hub"
    try:
        if file:
            return Path(hf_hub_download(repository, file, cache_dir=folder))
        return Path(snapshot_download(repository, cache_dir=folder))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as exc:
        raise ModelFileError(
            f"the chat model {model} cannot be had from the Hugging Face hub ({type(exc).__name__})",
            remedy="check the id and the connection, or set ATTEST_CHAT__MODEL to a local file",
        ) from exc
