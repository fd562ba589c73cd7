"""Reads evidence with the built-in chat model, and asks its hidden states: a `ProbeReader`.

What a language model has understood of a text stands in its middle layers before it says a word, and a
linear probe finds it (Alain and Bengio 2017; of questions without an answer: Slobodkin et al. 2023), where
the same small model asked in words is no better than chance. Nothing is generated, and the upper layers
never run. Knows prompts and probes; knows nothing of verdicts.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from core.wording import in_digits
from retrieval.pairs.window import cut_window
from retrieval.probes.states import LayerStates

PROBES_FILE = Path(__file__).with_name("probes.npz")
ANSWERS, HOLDS, FITS = "answers", "holds", "fits"
"""The probes: a text answers a question; it holds a sentence; a sentence is its answer to a question."""
TEXT_TOKENS, SAID_TOKENS = 256, 160
"""Most of a text, and of a question or a sentence, that is read."""
_MARKS = re.compile(r"<(?=\||/?tool_)")
_BEGINNING = "<|im_start|>user\nText:\n{text}\n\n"
_END = " Reply yes or no.<|im_end|>\n<|im_start|>assistant\n"
_ENDINGS = {
    ANSWERS: "Question: {question}\n\nDoes the text state the answer to the question?",
    HOLDS: "Sentence: {sentence}\n\nDoes the text state all that the sentence says?",
    FITS: "Question: {question}\nAnswer: {sentence}\n\n"
    "Does the text state this, and is it the answer to the question?",
}
PROMPTS_FINGERPRINT = hashlib.sha256(repr((_BEGINNING, _ENDINGS, _END)).encode()).hexdigest()[:8]


class Probes:
    """Linear maps of states to logits, as the file beside this one holds them."""

    def __init__(self, arrays: Mapping[str, np.ndarray], fingerprint: str) -> None:
        """`arrays`: `layer`, and for each probe NAME.weights (size,) and NAME.bias. `fingerprint` changes
        with any of them."""
        self._arrays = arrays
        self.layer = int(arrays["layer"])
        self.fingerprint = fingerprint

    def logits(self, name: str, states: np.ndarray) -> list[float]:
        """Of states (rows, size), a logit each."""
        found = states @ self._arrays[f"{name}.weights"].astype(np.float32) + self._arrays[f"{name}.bias"]
        return [float(value) for value in found]


def shipped_probes() -> Probes:
    """Those of the built-in chat model."""
    content = PROBES_FILE.read_bytes()
    with np.load(PROBES_FILE, allow_pickle=False) as held:
        return Probes(dict(held), hashlib.sha256(content).hexdigest()[:8])


class StateReader:
    """See `ProbeReader`. The model is opened on first use.

    Raises, when it is asked first:
        ModelFileError: the model's weights are not there or cannot be read.
    """

    def __init__(
        self, find_folder: Callable[[], Path], threads: int = 0, probes: Probes | None = None
    ) -> None:
        """`find_folder` gives the chat model in OpenVINO's form and may take a minute where it is made
        first; `threads=0` uses all cores; `probes` are the shipped ones unless given."""
        self._find_folder, self._threads = find_folder, threads
        self._probes = probes or shipped_probes()
        self._opening = threading.Lock()

    @cached_property
    def fingerprint(self) -> str:
        """See `ProbeReader`."""
        return f"probes-{self._probes.layer}-{self._probes.fingerprint}-{PROMPTS_FINGERPRINT}"

    @cached_property
    def _states(self) -> LayerStates:
        return LayerStates(self._find_folder(), self._probes.layer, self._threads)

    def load(self) -> None:
        """Opens the model now, so that the first question does not wait for it. Raises as the class says."""
        with self._opening:
            self._states  # noqa: B018

    def read_answers(self, question: str, texts: Sequence[str]) -> list[float]:
        """See `ProbeReader.read_answers`."""
        return [self._ask(ANSWERS, question, text, question=question) for text in texts]

    def read_claim(self, sentence: str, text: str) -> float:
        """See `ProbeReader.read_claim`."""
        said = in_digits(sentence)
        return self._ask(HOLDS, said, in_digits(text), sentence=said)

    def read_fit(self, question: str, sentence: str, texts: Sequence[str]) -> list[float]:
        """See `ProbeReader.read_fit`."""
        asked = f"{question} {sentence}"
        return [self._ask(FITS, asked, text, question=question, sentence=sentence) for text in texts]

    def states_of(self, probe: str, text: str, **said: str) -> np.ndarray:
        """The state that a probe reads, (size,): for fitting."""
        self.load()
        cut = self._states.cut
        given = {name: cut(_plain(value), SAID_TOKENS) for name, value in said.items()}
        beginning = _BEGINNING.format(text=cut(_plain(text), TEXT_TOKENS))
        return self._states.read(beginning, [_ENDINGS[probe].format(**given) + _END])[0]

    def window(self, about: str, text: str) -> str:
        """What is read of a text: all, or the sentences that speak most of `about`."""
        self.load()
        return cut_window(about, text, TEXT_TOKENS, self._states.count)

    def _ask(self, probe: str, about: str, text: str, **said: str) -> float:
        states = self.states_of(probe, self.window(about, text), **said)
        return self._probes.logits(probe, states[None])[0]


def _plain(text: str) -> str:
    """Without marks that the model's own template is made of: a document cannot leave its place."""
    return _MARKS.sub("< ", text)
