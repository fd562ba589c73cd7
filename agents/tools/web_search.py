"""The tool `web_search`: a SearXNG server that the settings name. What it finds is not to be trusted.

Off unless the settings name it. Knows one JSON protocol; results that give orders to a model are left out.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
from pydantic import Field

from agents.guards.outgoing import plain_pictures
from agents.guards.speech_to_models import Speech, speech_of
from agents.tools.tool import EVERY_ROLE, ToolArguments, ToolCall, ToolResult
from core.errors import SettingsError, ToolError
from core.text import storable

MAX_REPLY_BYTES = 2 * 2**20
MAX_TITLE_CHARS = 200
MAX_TEXT_CHARS = 1_000


class WebSearchArguments(ToolArguments):
    """What to search the web for."""

    query: str = Field(min_length=1, max_length=500, description="words or a question")
    limit: int = Field(5, ge=1, le=20, description="most results wanted")


class WebSearchTool:
    """Results of a web search, as titles, addresses and excerpts."""

    name = "web_search"
    descriptions: Mapping[str, str] = {
        "zh": "在互联网上搜索；结果未经核实。",
        "en": "Searches the web; what it finds is not verified.",
    }
    arguments = WebSearchArguments
    effects = False
    reads_documents = False
    roles = EVERY_ROLE
    timeout_s = 15.0

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`url` is the server's, without /search. Raises SettingsError when there is none."""
        if not url.startswith(("http://", "https://")):
            raise SettingsError(
                "the tool web_search has no server",
                remedy="set ATTEST_TOOLS__WEB_SEARCH_URL=http://host:8080",
            )
        self._url = url.rstrip("/")
        self._transport = transport

    async def run(self, arguments: WebSearchArguments, call: ToolCall) -> ToolResult:
        """See `Tool.run`."""
        found = await self._ask(arguments.query)
        results, left_out = [], 0
        for row in found:
            title, text = _text(row, "title", MAX_TITLE_CHARS), _text(row, "content", MAX_TEXT_CHARS)
            address = _text(row, "url", MAX_TEXT_CHARS)
            if not address.startswith(("http://", "https://")):
                continue
            if Speech.ORDER in (speech_of(title), speech_of(text)):
                left_out += 1
                continue
            results.append({"title": title, "url": address, "text": text})
        results = results[: arguments.limit]
        lines = [f"{row['title']}\n{row['url']}\n{row['text']}".strip() for row in results]
        data = {"results": results, "left_out": left_out}
        return ToolResult(plain_pictures("\n\n".join(lines)), data, is_untrusted=True)

    async def _ask(self, query: str) -> list[dict]:
        try:
            async with (
                httpx.AsyncClient(timeout=self.timeout_s, transport=self._transport) as client,
                client.stream("GET", f"{self._url}/search", params={"q": query, "format": "json"}) as reply,
            ):
                reply.raise_for_status()
                body = b""
                async for piece in reply.aiter_bytes():
                    body += piece
                    if len(body) > MAX_REPLY_BYTES:
                        raise self._failed("its reply is too long")
            results = httpx.Response(200, content=body).json()["results"]
        except httpx.HTTPStatusError as exc:
            raise self._failed(f"HTTP {exc.response.status_code}") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise self._failed(str(exc) or type(exc).__name__) from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise self._failed("its reply is no JSON of SearXNG") from exc
        return [row for row in results if isinstance(row, dict)] if isinstance(results, list) else []

    def _failed(self, why: str) -> ToolError:
        # Its address may hold a password.
        host = urlsplit(self._url).hostname
        return ToolError(
            f"the web search at {host} does not answer: {' '.join(why.split())[:200]}",
            remedy="see that it runs, and that its settings allow format: json",
        )


def _text(row: Mapping, name: str, most: int) -> str:
    return " ".join(storable(str(row.get(name) or "")).split())[:most]
