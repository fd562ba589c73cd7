"""Prompts as files: read once, filled in, known by a hash of all of them.

A file NAME.LANGUAGE.md holds a system part and a user part, split by a line `---`. Knows
files and messages; knows nothing of models.
"""

import hashlib
import re
from pathlib import Path

from core.seams import Message


class PromptFiles:
    """The prompt files of one folder. `fingerprint` changes with any of them."""

    def __init__(self, folder: Path) -> None:
        self._texts = {
            path.name.removesuffix(".md"): path.read_text(encoding="utf-8")
            for path in sorted(folder.glob("*.*.md"))
        }
        joined = "".join(self._texts.values()).encode()
        self.fingerprint = hashlib.sha256(joined).hexdigest()[:12]

    def messages(self, name: str, **values: str) -> list[Message]:
        """The system and the user message of NAME.LANGUAGE, with `{…}` filled in."""
        system, _, user = self._texts[name].partition("\n---\n")
        return [Message("system", system.strip()), Message("user", _fill(user.strip(), **values))]


def _fill(template: str, **values: str) -> str:
    """In one pass: what looks like a placeholder inside of a value stays as it is."""
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], template)
