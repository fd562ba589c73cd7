"""A model's folder: no code, no pickles, and a fingerprint of its files."""

import json

import numpy as np
import pytest

from core.errors import ModelFileError
from retrieval.model_folder import open_model_folder


def write_weights(path, values: list[float], name: str = "layer") -> None:
    """A safetensors file of one tensor."""
    data = np.array(values, np.float32).tobytes()
    entry = {"dtype": "F32", "shape": [len(values)], "data_offsets": [0, len(data)]}
    header = json.dumps({name: entry}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "1_Dense").mkdir()
    write_weights(tmp_path / "model.safetensors", [1, 2])
    write_weights(tmp_path / "1_Dense" / "model.safetensors", [3])
    return tmp_path


def opened(folder):
    return open_model_folder(str(folder), "embedding model", "ATTEST_EMBEDDER__MODEL")


def test_the_fingerprint_changes_with_any_file_that_is_read(folder):
    first = opened(folder).fingerprint()
    assert opened(folder).fingerprint() == first
    (folder / "README.md").write_text("words")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.json").write_text("{}")
    assert opened(folder).fingerprint() == first
    write_weights(folder / "1_Dense" / "model.safetensors", [4])
    assert opened(folder).fingerprint() != first


def test_a_file_under_another_name_changes_the_fingerprint(folder):
    first = opened(folder).fingerprint()
    (folder / "config.json").rename(folder / "config2.json")
    assert opened(folder).fingerprint() != first


@pytest.mark.parametrize("cut", [0, 4, 8, 20, -1])
def test_weights_that_are_cut_short_are_refused(folder, cut):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(ModelFileError, match="damaged or incomplete model.safetensors"):
        opened(folder)


@pytest.mark.parametrize("header", [b"[1, 2, 3]", b'{"layer": 1}', b'{"layer": {}}', b"{not json}"])
def test_weights_with_a_header_of_nonsense_are_refused(folder, header):
    file = folder / "model.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ModelFileError, match="damaged or incomplete"):
        opened(folder)


def test_weights_that_must_be_unpickled_are_refused(folder):
    for file in folder.rglob("*.safetensors"):
        file.rename(file.with_name("pytorch_model.bin"))
    with pytest.raises(ModelFileError, match="no safetensors") as caught:
        opened(folder)
    assert "@revision" in caught.value.remedy


def test_code_that_a_model_brings_along_is_refused(folder, tmp_path):
    modules = [{"type": "sentence_transformers.base.modules.Transformer"}, {"type": "modeling_own.Own"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "modeling_own.py").write_text("raise SystemExit('this code was run')")
    with pytest.raises(ModelFileError, match=r"code of its own \(modeling_own.Own\)"):
        opened(folder)


@pytest.mark.parametrize("text", ["", "[", "[1]", '[{"name": "x"}]'])
def test_a_damaged_list_of_modules_is_told(folder, text):
    (folder / "modules.json").write_text(text)
    with pytest.raises(ModelFileError, match="damaged modules.json"):
        opened(folder)


@pytest.mark.parametrize("name", ["./no/such/folder", "owner/name/more", "not a name!"])
def test_what_is_neither_a_folder_nor_a_name_is_told(name):
    with pytest.raises(ModelFileError, match="is no folder") as caught:
        open_model_folder(name, "cross-encoder", "ATTEST_RETRIEVAL__RERANKER_MODEL")
    assert "ATTEST_RETRIEVAL__RERANKER_MODEL" in caught.value.remedy
