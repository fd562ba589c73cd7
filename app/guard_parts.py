"""Builds what the guards read with.

Knows settings and weights; judges nothing.
"""

import logging
from typing import TYPE_CHECKING

from app.chat_models import find_model_path
from app.model_server.process import prepare_in_child
from app.weights.catalogue import BUILT_IN_CHAT
from core.errors import ModelFileError
from core.paths import weights_dir
from core.readers import PairReader, ProbeReader
from core.settings import Settings

if TYPE_CHECKING:
    from retrieval.probes.reader import StateReader

_log = logging.getLogger(__name__)


def build_pair_reader(settings: Settings) -> PairReader:
    """The small reader, loaded. Raises ModelFileError."""
    from retrieval.pairs.reader import AdaptedReader

    reader = AdaptedReader(weights_dir(settings.cache), settings.embedder.threads)
    reader.load()
    return reader


def open_probe_reader(settings: Settings) -> ProbeReader | None:
    """The reader of the built-in chat model's states, opened; None where it is off, and where nobody has
    asked for it and it cannot be opened: the guards do without.

    Raises:
        ModelFileError: it is wanted and cannot be had.
    """
    reader = build_probe_reader(settings)
    if reader is None:
        return None
    try:
        reader.load()
    except ModelFileError as exc:
        if settings.guard.probes == "on":
            raise
        _log.warning("guards read with the small model alone: %s", exc)
        return None
    return reader


def build_probe_reader(settings: Settings) -> "StateReader | None":
    """The same, to be opened at its first use; None where it is off. By itself it is on where this model is
    at hand and answers: a machine that asks another seldom has the memory for this one beside it.

    Raises:
        ModelFileError: it is wanted and its weights are not there.
    """
    wanted, folder = settings.guard.probes, weights_dir(settings.cache)
    answers = not settings.chat.base_url and settings.chat.model == BUILT_IN_CHAT.name
    if wanted == "off" or (wanted == "auto" and not answers):
        return None
    if wanted == "auto" and not (folder / BUILT_IN_CHAT.file_name).is_file():
        return None
    from retrieval.probes.reader import StateReader

    file = find_model_path(BUILT_IN_CHAT.name, folder)
    return StateReader(lambda: prepare_in_child(file), settings.chat.threads)
