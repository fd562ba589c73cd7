"""The lower layers of a language model in OpenVINO's form, and the states that they end in.

A graph of the Qwen2 kind is cut behind one layer: what is above, and the words to come, are never computed.
Knows graphs and tokens; knows nothing of what the states are read for.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import ModelFileError

GRAPH_FILE = "openvino_model.xml"
KEPT_BEGINNINGS = 4
"""Texts whose keys and values stay in memory: about 40 kB a token."""


class LayerStates:
    """Texts to the states of their last tokens behind one layer. Safe to call from several threads;
    calls take turns.

    Raises:
        ModelFileError: there is no such model in the folder, or it is of another kind.
    """

    def __init__(self, folder: Path, layer: int, threads: int = 0) -> None:
        """`folder` as `openvino_genai` writes it; `layer` counts from 0; `threads=0` uses all cores."""
        graph, self._tokenizer = _open(folder, layer, threads)
        self._request = graph.create_infer_request()
        self._beginnings: OrderedDict[str, tuple[int, list[np.ndarray]]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, beginning: str, endings: Sequence[str]) -> np.ndarray:
        """Shape (len(endings), size), float32: for each ending the state of the last token of beginning and
        ending. The beginning is read once, and kept for the next calls."""
        with self._lock:
            length, kept = self._read_beginning(beginning)
            states = []
            for ending in endings:
                self._restore(kept)
                states.append(self._feed(self._encode(ending), length))
            return np.stack(states)

    def count(self, text: str) -> int:
        """Tokens of a text."""
        return len(self._encode(text))

    def cut(self, text: str, most: int) -> str:
        """The text, or its first `most` tokens."""
        ids = self._encode(text)
        return text if len(ids) <= most else self._tokenizer.decode(ids[:most].tolist())

    def _read_beginning(self, text: str) -> tuple[int, list[np.ndarray]]:
        if text not in self._beginnings:
            ids = self._encode(text)
            self._request.reset_state()
            self._feed(ids, 0)
            kept = [state.state.data.copy() for state in self._request.query_state()]
            self._beginnings[text] = len(ids), kept
            if len(self._beginnings) > KEPT_BEGINNINGS:
                self._beginnings.popitem(last=False)
        self._beginnings.move_to_end(text)
        return self._beginnings[text]

    def _restore(self, kept: Sequence[np.ndarray]) -> None:
        import openvino

        for state, array in zip(self._request.query_state(), kept, strict=True):
            state.state = openvino.Tensor(array)

    def _encode(self, text: str) -> np.ndarray:
        return self._tokenizer.encode(text, add_special_tokens=False).input_ids.data[0].astype(np.int64)

    def _feed(self, ids: np.ndarray, past: int) -> np.ndarray:
        whole = past + len(ids)
        self._request.infer(
            {
                "input_ids": ids[None],
                "attention_mask": np.ones((1, whole), np.int64),
                "position_ids": np.arange(past, whole, dtype=np.int64)[None],
                "beam_idx": np.zeros(1, np.int32),
            }
        )
        return self._request.get_output_tensor(0).data[0, 0].copy()


def _open(folder: Path, layer: int, threads: int):
    """(the compiled graph of the layers up to this one, whose output is the last token's state; the
    tokenizer)."""
    import openvino
    import openvino_genai

    path = folder / GRAPH_FILE
    if not path.is_file():
        raise ModelFileError(f"there is no model at {folder}", remedy="run: attest models fetch")
    try:
        core = openvino.Core()
        cut = _cut(core.read_model(path), layer)
        options = {"PERFORMANCE_HINT": "LATENCY", "KV_CACHE_PRECISION": "f32"}
        if threads:
            options["INFERENCE_NUM_THREADS"] = str(threads)
        return core.compile_model(cut, "CPU", options), openvino_genai.Tokenizer(str(folder))
    except (RuntimeError, ValueError) as exc:
        raise ModelFileError(
            f"the model in {folder} cannot be loaded ({str(exc).strip().splitlines()[-1]})",
            remedy="run: attest models verify",
        ) from exc


def _cut(model, layer: int):
    """Raises ModelFileError when the graph is not made of layers with a gated feed-forward part."""
    import openvino
    from openvino import opset13

    products = [op for op in model.get_ordered_ops() if op.get_type_name() == "MatMul"]
    widest = max((_width_before(op) for op in products), default=0)
    downs = sorted((op for op in products if _width_before(op) == widest), key=_number)
    sinks = sorted(model.get_sinks(), key=_number)
    added = [_sum_after(op) for op in downs]
    if layer >= len(downs) or len(sinks) != 2 * len(downs) or None in added:
        raise ModelFileError(
            "the model has no layers of the kind that can be read",
            remedy="set ATTEST_GUARD__PROBES=off, or run: attest models fetch",
        )
    last = opset13.gather(
        added[layer].output(0),
        opset13.constant(np.array([-1], np.int64)),
        opset13.constant(np.array(1, np.int64)),
    )
    kept = sinks[: 2 * (layer + 1)]
    named = {sink.get_variable_id() for sink in kept}
    variables = [one for one in model.get_variables() if one.info.variable_id in named]
    return openvino.Model([opset13.result(last)], kept, model.get_parameters(), variables, "layers")


def _width_before(op) -> int:
    """Of what a matrix is applied to; 0 where it is not known. The widest is within the feed-forward part."""
    shape = op.input_value(0).get_partial_shape()
    return shape[-1].get_length() if shape.rank.is_static and shape[-1].is_static else 0


def _sum_after(op):
    """The sum with what goes past the layer; None when there is none."""
    users = [target.get_node() for target in op.output(0).get_target_inputs()]
    return next((user for user in users if user.get_type_name() == "Add"), None)


def _number(op) -> int:
    """Their names end in the order in which they were made."""
    return int(op.get_friendly_name().rpartition("_")[2])
