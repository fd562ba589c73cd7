"""The tokenizer of multilingual-e5, from the vocabulary in its weights file.

Knows SentencePiece's unigram scheme (Kudo 2018) and the normaliser that the model
was trained with; knows nothing of vectors. The same vocabulary held by a general
tokenizer library takes 280 MB of memory; by SentencePiece itself it takes 50.
"""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import sentencepiece

from retrieval.embedders.e5_weights import E5Weights

INFORMATION_RANGE = (1.0, 20.0)
_BLANK = "\u2581"
"""SentencePiece's sign for a blank."""


class E5Tokenizer:
    """Text to token ids, framed as `<s> … </s>`."""

    def __init__(self, weights: E5Weights, vocabulary_file: Path) -> None:
        """`vocabulary_file` is what `write_vocabulary` made from the same weights."""
        self._special = weights.special
        self._rules = str.maketrans(weights.normaliser())
        self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(vocabulary_file))

    def encode(self, text: str, max_tokens: int) -> list[int]:
        """Ids including the frame; what is longer than `max_tokens` is cut at the end."""
        ids = self._pieces.encode(self.normalise(text))
        return [self._special.bos, *ids[: max_tokens - 2], self._special.eos]

    def count(self, text: str) -> int:
        """Number of tokens without the frame."""
        return len(self._pieces.encode(self.normalise(text)))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token in the normalised text, without the frame."""
        normal = self.normalise(text)
        places = [at for at, char in enumerate(normal) if not char.isspace() and char != _BLANK]
        places.append(len(normal))
        found, done = [], 0
        for piece in self._pieces.encode(normal, out_type=str):
            length = len(piece.replace(_BLANK, ""))
            start, last = min(done, len(places) - 1), min(done + max(length, 1), len(places)) - 1
            found.append((places[start], places[last] + bool(length)))
            done += length
        return found

    def information(self, ids: Sequence[int]) -> np.ndarray:
        """How much each token tells, in nats: minus the log-probability that the vocabulary's
        unigram model gives it (Kudo 2018). Learned from text in a hundred languages, so it is
        an idf that needs no collection and is the same across languages. What the vocabulary does
        not know is rare. float32, 1…20."""
        scores = [
            INFORMATION_RANGE[1] if token == self._special.unk else -self._pieces.get_score(int(token))
            for token in ids
        ]
        return np.clip(np.array(scores, np.float32), *INFORMATION_RANGE)

    def normalise(self, text: str) -> str:
        """The text as it is cut into tokens: the vocabulary's rules and NFKC. It may be longer or shorter."""
        return unicodedata.normalize("NFKC", text.translate(self._rules))


def write_vocabulary(weights: E5Weights, path: Path) -> None:
    """Writes the SentencePiece model file; replaced in one step, so never half there."""
    # Only the one call that writes pays for protobuf's import.
    from sentencepiece import sentencepiece_model_pb2 as proto

    piece = proto.ModelProto.SentencePiece
    model = proto.ModelProto()
    special = weights.special
    control = {special.bos, special.eos, special.pad}
    for index, (text, score) in enumerate(weights.pieces()):
        kind = piece.CONTROL if index in control else piece.NORMAL
        kind = piece.UNKNOWN if index == special.unk else kind
        model.pieces.add(piece=text, score=score, type=kind)
    model.trainer_spec.model_type = proto.TrainerSpec.UNIGRAM
    model.trainer_spec.vocab_size = len(model.pieces)
    model.trainer_spec.bos_id, model.trainer_spec.eos_id = special.bos, special.eos
    model.trainer_spec.pad_id, model.trainer_spec.unk_id = special.pad, special.unk
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = True
    partial = path.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(model.SerializeToString())
    partial.replace(path)
