"""The lower layers of the built-in chat model."""

import numpy as np
import pytest

from core.errors import ModelFileError
from retrieval.probes.reader import Probes, shipped_probes
from retrieval.probes.states import GRAPH_FILE, LayerStates


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=str(tmp_path)) as failed:
        LayerStates(tmp_path, 3)
    assert "attest models fetch" in failed.value.remedy


def test_a_damaged_model_is_named(tmp_path):
    (tmp_path / GRAPH_FILE).write_text("<net")
    with pytest.raises(ModelFileError, match="cannot be loaded"):
        LayerStates(tmp_path, 3)


def test_a_model_of_another_kind_is_refused(tmp_path):
    import openvino
    from openvino import opset13

    given = opset13.parameter([1, 4], np.float32)
    product = opset13.matmul(given, opset13.constant(np.eye(4, dtype=np.float32)), False, False)
    openvino.save_model(openvino.Model([product], [given]), tmp_path / GRAPH_FILE)
    with pytest.raises(ModelFileError, match="no layers"):
        LayerStates(tmp_path, 3)


def test_a_probe_is_a_linear_map():
    probes = Probes({"layer": np.array(2), "holds.weights": np.array([1.0, -2.0]), "holds.bias": np.array(0.5)}, "x")
    assert probes.logits("holds", np.array([[1.0, 1.0], [0.0, 0.0]], np.float32)) == [-0.5, 0.5]


def test_the_shipped_probes_are_whole():
    probes = shipped_probes()
    states = np.zeros((2, 1536), np.float32)
    for name in ("answers", "holds", "fits"):
        assert np.isfinite(probes.logits(name, states)).all()
    assert probes.layer > 0 and len(probes.fingerprint) == 8


@pytest.mark.models
@pytest.mark.slow
def test_a_beginning_that_is_kept_changes_nothing(probe_reader):
    probe_reader.load()
    states = probe_reader._states
    beginning, endings = "The port of Vallmar was opened in 1931.\n\n", ["When was it?", "Who built it?"]
    together = states.read(beginning, endings)
    first, rest = beginning[:19], beginning[19:]
    alone = np.concatenate([states.read(first, [rest + ending]) for ending in endings])
    likeness = (together * alone).sum(axis=1) / np.linalg.norm(together, axis=1) / np.linalg.norm(alone, axis=1)
    assert likeness.min() > 0.999
    other = states.read("Another text.\n\n", endings)
    assert np.abs(other - together).max() > 0.1
    assert np.allclose(states.read(beginning, endings), together, atol=1e-3)
