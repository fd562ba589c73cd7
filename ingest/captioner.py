"""Descriptions of pictures by a vision model behind the OpenAI protocol (vLLM and others).

The picture goes along in the message as a `data:` address
(https://platform.openai.com/docs/guides/images-vision). Knows that protocol and the prompt;
knows nothing of documents.
"""

import base64
import hashlib
import json
from pathlib import Path

import openai

from core.chat import explain
from core.errors import ChatModelError, SettingsError
from core.settings import CaptionerSettings
from core.types import Figure

SETTING = "ATTEST_CAPTIONER__"
PROMPT = Path(__file__).with_name("prompts") / "caption.md"
_ABOUT_CHARS = 600
_MAX_CHARS = 1200


class OpenAICaptioner:
    """A `Captioner` over `POST {base_url}/chat/completions`. Thread-safe; nothing is sent before
    the first call.

    Raises:
        SettingsError: no model is named.
    """

    def __init__(self, settings: CaptionerSettings) -> None:
        if not settings.model:
            raise SettingsError("no vision model is named", remedy=f"set {SETTING}MODEL")
        self.name = settings.model
        self._settings = settings
        system, _, user = PROMPT.read_text(encoding="utf-8").partition("\n---\n")
        self._system, self._user = system.strip(), user.strip()
        parts = [settings.model, settings.max_tokens, system, user]
        self.fingerprint = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
        self._client = openai.OpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key.get_secret_value() or "none",
            timeout=settings.timeout_s,
            max_retries=1,
        )

    def caption(self, figure: Figure, about: str) -> str:
        """See `Captioner.caption`."""
        try:
            reply = self._client.chat.completions.create(
                model=self.name,
                messages=self._messages(figure, about),
                max_tokens=self._settings.max_tokens,
                temperature=0.0,
            )
        except openai.OpenAIError as exc:
            raise explain(exc, self._settings.base_url, self.name, SETTING) from exc
        words = (reply.choices[0].message.content or "") if reply.choices else ""
        said = " ".join("".join(c if c.isprintable() else " " for c in words).split())[:_MAX_CHARS]
        if not said:
            raise ChatModelError(f"the vision model {self.name} said nothing", remedy=f"mend {SETTING}MODEL")
        return said

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _messages(self, figure: Figure, about: str) -> list[dict]:
        # Angle brackets could end the fence around these words.
        shown = about[:_ABOUT_CHARS].replace("<", "‹").replace(">", "›") or "-"
        address = f"data:{figure.media_type};base64,{base64.b64encode(figure.data).decode('ascii')}"
        content = [
            {"type": "image_url", "image_url": {"url": address}},
            {"type": "text", "text": self._user.replace("{about}", shown)},
        ]
        return [{"role": "system", "content": self._system}, {"role": "user", "content": content}]
