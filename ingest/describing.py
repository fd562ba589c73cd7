"""What is said of the pictures of a document, beyond what stands in and beside them.

A vision model's words stand on a line of their own that says whose they are. When it does not
answer, the picture stays with the words that it has and the file gets a warning: no file is
lost by it, and no run waits for it again and again. Knows elements and the seam `Captioner`.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from core.errors import ChatModelError
from core.seams import Captioner
from core.text import detect_language
from core.types import Element, Figure
from ingest.cleaning.hidden_text import take_unseen_characters

CAPTION_FAILED = "caption_failed"
PAUSE_S = 60.0
"""How long a model that failed is not asked again."""
_LABELS = {"zh": "［{name} 描述］{said}", "en": "[described by {name}] {said}"}
_log = logging.getLogger(__name__)

Warnings = list[tuple[str, str]]


class FigureDescriber:
    """Completes figure elements. Thread-safe."""

    def __init__(
        self, captioner: Captioner | None = None, finder: Callable[[], str] | None = None
    ) -> None:
        """`finder` gives the fingerprint of what else finds pictures, such as an image embedder."""
        self._captioner = captioner
        self._lock = threading.Lock()
        self._quiet_until = 0.0
        self._finder = finder

    @property
    def fingerprint(self) -> str:
        """Changes whenever pictures would be described or found otherwise; empty when nothing is
        configured."""
        parts = [f"captioner/{self._captioner.name}/{self._captioner.fingerprint}"] if self._captioner else []
        return " ".join([*parts, *([self._finder()] if self._finder else [])])

    def describe(self, elements: Sequence[Element], title: str) -> tuple[tuple[Element, ...], Warnings]:
        """The elements, each figure with what the model says of it, and warnings. A figure of
        which nothing is known at all has the document's title."""
        said: dict[str, str] = {}
        warnings: Warnings = []
        found = []
        for at, element in enumerate(elements):
            if element.figure is not None and not element.hidden:
                about = _seen(element.text) or _near(elements, at) or _seen(title)
                if element.figure.name not in said:
                    said[element.figure.name] = self._caption(element.figure, about, warnings)
                words = "\n".join(part for part in (element.text, said[element.figure.name]) if part)
                element = replace(element, text=words or title)
            found.append(element)
        return tuple(found), warnings

    def _caption(self, figure: Figure, about: str, warnings: Warnings) -> str:
        if self._captioner is None:
            return ""
        with self._lock:
            is_quiet = time.monotonic() < self._quiet_until
        if is_quiet:
            _warn(warnings, "the vision model failed a moment ago and was not asked")
            return ""
        try:
            words = self._captioner.caption(figure, about)
        except ChatModelError as error:
            with self._lock:
                self._quiet_until = time.monotonic() + PAUSE_S
            _log.warning("a picture was not described: %s", error)
            _warn(warnings, str(error))
            return ""
        label = _LABELS.get(detect_language(words), _LABELS["en"])
        return label.format(name=self._captioner.name, said=words)


def _warn(warnings: Warnings, reason: str) -> None:
    """Once for a file, with how to mend it."""
    if not warnings:
        words = f"its pictures were not all described: {reason}; ingest it again with --force when it answers"
        warnings.append((CAPTION_FAILED, words))


def _near(elements: Sequence[Element], at: int) -> str:
    """The text in front of a picture about which nothing is said, else the one behind it. What is
    hidden from people is not told to a model either, whatever is done with it later."""
    near = [*reversed(elements[max(0, at - 3) : at]), *elements[at + 1 : at + 2]]
    texts = (_seen(element.text) for element in near if not element.hidden)
    return next((text for text in texts if text.strip()), "")


def _seen(text: str) -> str:
    return take_unseen_characters(text)[0]
