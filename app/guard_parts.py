"""Builds what the guards read with.

Knows settings and weights; judges nothing.
"""

from app.chat_models import find_model_path
from app.model_server.process import prepare_in_child
from app.weights.catalogue import BUILT_IN_CHAT
from core.paths import weights_dir
from core.readers import PairReader, ProbeReader
from core.settings import Settings


def build_pair_reader(settings: Settings) -> PairReader:
    """The small reader, loaded. Raises ModelFileError."""
    from retrieval.pairs.reader import AdaptedReader

    reader = AdaptedReader(weights_dir(settings.cache), settings.embedder.threads)
    reader.load()
    return reader


def build_probe_reader(settings: Settings) -> ProbeReader | None:
    """The reader of the built-in chat model's states, to be loaded at its first use; None where it is off.
    By itself it is on where this model is at hand and answers: a machine that asks a server seldom has the
    memory for one beside it.

    Raises:
        ModelFileError: it is wanted and its weights are not there.
    """
    wanted, folder = settings.guard.probes, weights_dir(settings.cache)
    if wanted == "off" or (wanted == "auto" and settings.chat.base_url):
        return None
    if wanted == "auto" and not (folder / BUILT_IN_CHAT.file_name).is_file():
        return None
    from retrieval.probes.reader import StateReader

    file = find_model_path(BUILT_IN_CHAT.name, folder)
    return StateReader(lambda: prepare_in_child(file), settings.chat.threads)
