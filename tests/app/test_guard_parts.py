"""Which readers the settings give the guards."""

import pytest

from app.guard_parts import build_probe_reader, open_probe_reader
from app.weights.catalogue import BUILT_IN_CHAT
from core.errors import ModelFileError
from core.paths import weights_dir
from core.settings import Settings

SERVER = {"base_url": "http://127.0.0.1:9/v1"}


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings over a cache with or without the built-in chat model."""
    monkeypatch.delenv("ATTEST_GUARD__PROBES", raising=False)

    def build(probes: str = "auto", fetched: bool = True, **more) -> Settings:
        made = Settings(_env_file=None, data=tmp_path, cache=tmp_path / "cache", guard={"probes": probes}, **more)
        folder = weights_dir(made.cache)
        folder.mkdir(parents=True)
        if fetched:
            (folder / BUILT_IN_CHAT.file_name).touch()
        return made

    return build


def test_by_itself_the_second_reading_is_on_where_the_built_in_model_answers(settings):
    assert Settings(_env_file=None).guard.probes == "auto"
    assert build_probe_reader(settings()) is not None


@pytest.mark.parametrize(
    "given", [{"fetched": False}, {"chat": SERVER}, {"probes": "off"}], ids=["no weights", "a server", "off"]
)
def test_else_it_is_off(settings, given):
    assert build_probe_reader(settings(**given)) is None


def test_it_can_be_had_beside_a_server(settings):
    assert build_probe_reader(settings("on", chat=SERVER)) is not None


def test_wanted_without_weights_it_says_what_to_do(settings):
    with pytest.raises(ModelFileError) as failed:
        build_probe_reader(settings("on", fetched=False))
    assert "attest models fetch" in failed.value.remedy


def test_it_is_not_loaded_beside_another_embedded_model(settings):
    assert build_probe_reader(settings(chat={"model": "qwen2.5-coder-0.5b-instruct"})) is None


def test_a_model_that_cannot_be_read_is_done_without_where_nobody_asked_for_it(settings, caplog):
    assert open_probe_reader(settings()) is None
    assert "small model alone" in caplog.text and "cannot be read" in caplog.text


def test_a_model_that_was_asked_for_and_cannot_be_read_is_named(settings):
    with pytest.raises(ModelFileError):
        open_probe_reader(settings("on"))
