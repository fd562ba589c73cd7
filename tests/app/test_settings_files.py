"""`attest.toml` and `.env.example` list every setting with its true default."""

import tomllib
from pathlib import Path

from app.settings_files import UNSET_EXAMPLE, list_settings, write_env, write_toml
from core.settings import Settings

ROOT = Path(__file__).parents[2]


def uncomment(text: str) -> str:
    return "\n".join(line.removeprefix("#") for line in text.splitlines() if not line.startswith("# "))


def test_the_example_in_the_repository_is_what_would_be_written_now():
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == write_env(), "attest init --env --force"


def test_uncommented_toml_gives_the_defaults():
    values = tomllib.loads(uncomment(write_toml()))
    assert values.pop("cache") == UNSET_EXAMPLE
    assert Settings(_env_file=None, _file=values) == Settings(_env_file=None)


def test_uncommented_env_gives_the_defaults(tmp_path):
    file = tmp_path / "env"
    file.write_text(uncomment(write_env()).replace(f"ATTEST_CACHE={UNSET_EXAMPLE}", ""), encoding="utf-8")
    assert Settings(_env_file=file) == Settings(_env_file=None)


def test_every_setting_is_described_and_settable():
    entries = list_settings()
    assert len(entries) == len({entry.variable for entry in entries}) > 25
    assert all(entry.about for entry in entries)
    assert "ATTEST_MILVUS__URI" in {entry.variable for entry in entries}
