"""The e5 encoder as an OpenVINO graph with 8-bit matrix products.

Knows BERT's arithmetic (Devlin et al. 2019) and how to quantise it; knows nothing
of text. Weights are 8-bit per output row. Activations are 8-bit per tensor after
SmoothQuant's per-channel scaling (Xiao et al. 2022), whose ranges come from
`e5_ranges.npz`, measured once by `python -m retrieval.embedders.e5_calibrate`.
The word table is not in the graph: the caller passes word vectors in.
"""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from core.errors import ModelFileError
from core.leftovers import remove_stale
from retrieval.embedders.e5_weights import E5Weights

GRAPH_VERSION = 1
PARTS = "e5-small*.part*"
"""What graphs and vocabulary are called while they are written."""
RANGES_FILE = Path(__file__).with_name("e5_ranges.npz")
SMOOTHING = 0.8
LEVELS = 256
# After GELU a few channels are a hundred times larger than the rest: 8 bit there
# costs three points of nDCG across languages, so that input stays in float.
WIDE_SITE = ".fo.in"
LARGE_NEGATIVE = np.float32(-1e4)

Ranges = Mapping[str, np.ndarray]


class E5GraphBuilder:
    """Builds the graph; with `ranges=None` in full precision and with the input of
    every matrix product as an extra output, which is what calibration reads."""

    def __init__(self, weights: E5Weights, ranges: Ranges | None) -> None:
        self._weights = weights
        self._config = weights.config
        self._ranges = ranges
        self.probes: dict[str, ov.Output] = {}

    def build(self) -> ov.Model:
        """Inputs: `words` f32 (batch, tokens, hidden), `mask` f32 (batch, tokens).
        Output: `states` f32 (batch, tokens, hidden)."""
        hidden = self._config.hidden
        words = ops.parameter([-1, -1, hidden], np.float32, name="words")
        mask = ops.parameter([-1, -1], np.float32, name="mask")
        states = self._embed(words)
        bias = ops.multiply(ops.subtract(mask, np.float32(1)), np.float32(-LARGE_NEGATIVE))
        bias = ops.unsqueeze(ops.unsqueeze(bias, np.int64(1)), np.int64(1))
        for layer in range(self._config.layers):
            states = self._encode_layer(f"l{layer}", states, bias)
        outputs = [states, *self.probes.values()] if self._ranges is None else [states]
        model = ov.Model([ops.result(node) for node in outputs], [words, mask], "e5")
        model.outputs[0].get_tensor().set_names({"states"})
        model.inputs[0].get_tensor().set_names({"words"})
        model.inputs[1].get_tensor().set_names({"mask"})
        return model

    def _embed(self, words):
        table = self._weights.float_tensor("emb.pos").reshape(-1, self._config.hidden)
        table = table + self._weights.float_tensor("emb.type")[: self._config.hidden]
        length = ops.gather(ops.shape_of(words), np.int64(1), np.int64(0))
        ids = ops.range(np.int64(0), length, np.int64(1), "i64")
        positions = ops.gather(ops.constant(table), ids, np.int64(0))
        return self._normalise("emb.ln", ops.add(words, positions))

    def _normalise(self, name: str, value):
        scale = self._weights.float_tensor(f"{name}.w")
        shift = self._weights.float_tensor(f"{name}.b")
        eps = self._config.layer_norm_eps
        centred = ops.mvn(value, np.array([-1]), True, eps, "inside_sqrt")
        return ops.add(ops.multiply(centred, scale), shift)

    def _encode_layer(self, layer: str, states, bias):
        narrowed = self._narrow(f"{layer}.in", states, [f"{layer}.{x}.w" for x in "qkv"])
        query, key, value = (
            self._split_heads(self._product(f"{layer}.{x}", narrowed)) for x in "qkv"
        )
        context = ops.scaled_dot_product_attention(query, key, value, bias)
        context = ops.transpose(context, np.array([0, 2, 1, 3]))
        context = ops.reshape(context, np.array([0, 0, self._config.hidden]), True)
        attended = self._linear(f"{layer}.ao", context)
        states = self._normalise(f"{layer}.aln", ops.add(attended, states))
        inner = ops.gelu(self._linear(f"{layer}.fi", states), "erf")
        return self._normalise(f"{layer}.oln", ops.add(self._linear(f"{layer}.fo", inner), states))

    def _split_heads(self, value):
        heads = self._config.heads
        shape = np.array([0, 0, heads, self._config.hidden // heads])
        return ops.transpose(ops.reshape(value, shape, True), np.array([0, 2, 1, 3]))

    def _linear(self, name: str, value):
        return self._product(name, self._narrow(f"{name}.in", value, [f"{name}.w"]))

    def _matrix(self, name: str) -> np.ndarray:
        columns = self._config.feed_forward if name.endswith("fo.w") else self._config.hidden
        return self._weights.matrix(name, columns)

    def _narrow(self, name: str, value, consumers: list[str]):
        """8-bit activations for the products that read `value`; returns (value, scale)."""
        if self._ranges is None:
            self.probes[name] = value
            return value, None
        if name.endswith(WIDE_SITE):
            return value, np.ones(self._config.feed_forward, np.float32)
        least, most = self._ranges[f"{name}.min"], self._ranges[f"{name}.max"]
        peak = np.maximum(np.maximum(np.abs(least), np.abs(most)), 1e-3)
        reach = np.max([np.abs(self._matrix(m)).max(axis=0) for m in consumers], axis=0)
        scale = np.power(peak, SMOOTHING) / np.power(np.maximum(reach, 1e-5), 1 - SMOOTHING)
        low = np.minimum((least / scale).min(), 0).astype(np.float32)
        high = np.maximum((most / scale).max(), 0).astype(np.float32)
        smooth = ops.multiply(value, (1 / scale).astype(np.float32))
        return ops.fake_quantize(smooth, low, high, low, high, LEVELS), scale

    def _product(self, name: str, narrowed):
        value, scale = narrowed
        matrix = self._matrix(f"{name}.w")
        bias = self._weights.float_tensor(f"{name}.b")
        if scale is None:
            return ops.add(ops.matmul(value, ops.constant(matrix), False, True), bias)
        matrix = matrix * scale[None, :]
        step = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-8) / 127
        codes = ops.constant(np.clip(np.rint(matrix / step), -127, 127).astype(np.int8))
        rows = ops.multiply(ops.convert(codes, np.float32), step.astype(np.float32))
        return ops.add(ops.matmul(value, rows, False, True), bias)


def graph_version() -> str:
    """Changes with the graph's form or the measured ranges: part of the fingerprint."""
    return f"{GRAPH_VERSION}-{hashlib.sha256(RANGES_FILE.read_bytes()).hexdigest()[:8]}"


def open_graph(path: Path, build: Callable[[], ov.Model], threads: int) -> ov.CompiledModel:
    """The graph of a file, compiled; it is built and written first where the file is not there, and what
    others left half written beside it goes. `threads=0` uses all cores."""
    remove_stale(path.parent, PARTS)
    if not path.exists():
        _save(build(), path)
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    return ov.Core().compile_model(path, "CPU", options)


def _save(model: ov.Model, path: Path) -> None:
    """The .xml appears last, beside its weights. Raises ModelFileError."""
    partial = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.part.xml")
    try:
        ov.save_model(model, partial, compress_to_fp16=False)
        partial.with_suffix(".bin").replace(path.with_suffix(".bin"))
        partial.replace(path)
    except (OSError, RuntimeError) as exc:  # OpenVINO's own is a RuntimeError
        raise ModelFileError(
            f"the model graph {path.name} cannot be written to {path.parent} ({exc})",
            remedy="make room and let the folder be written to, or set ATTEST_CACHE",
        ) from exc


def load_ranges(path: Path = RANGES_FILE) -> Ranges:
    """The measured activation ranges, per channel: arrays NAME.min and NAME.max."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name].astype(np.float32) for name in archive.files}
