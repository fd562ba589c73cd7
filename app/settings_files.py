"""The settings as files to fill in: `attest.toml` and `.env.example`, made from the fields.

Knows how a field is written down; knows nothing of what it does.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from core.settings import Settings

HEADER = "All settings of attest with their defaults. Take the # away in front of what you change."

UNSET_EXAMPLE = "/some/folder"
"""Stands where the default is no value: an empty text would be one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting: `path` is its section and name."""

    path: tuple[str, ...]
    value: Any
    about: str

    @property
    def variable(self) -> str:
        """The environment variable of the setting."""
        return "ATTEST_" + "__".join(self.path).upper()


def list_settings() -> list[Entry]:
    """Every setting, those of the top level first, then section by section."""
    entries = list(_entries(Settings, ()))
    return sorted(entries, key=lambda entry: len(entry.path) > 1)


def write_toml() -> str:
    """A commented `attest.toml`."""
    lines, section = [f"# {HEADER}", ""], ()
    for entry in list_settings():
        if entry.path[:-1] != section:
            section = entry.path[:-1]
            lines += [f"[{'.'.join(section)}]", f"# {_about_section(section)}"]
        lines += [f"# {entry.about}", f"#{entry.path[-1]} = {_toml_value(entry.value)}", ""]
    return "\n".join(lines)


def write_env() -> str:
    """A commented `.env`."""
    lines = [f"# {HEADER}", "# The environment and .env are stronger than attest.toml.", ""]
    for entry in list_settings():
        lines += [f"# {entry.about}", f"#{entry.variable}={_env_value(entry.value)}", ""]
    return "\n".join(lines)


def _entries(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[Entry]:
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _entries(info.annotation, (*path, name))
        else:
            yield Entry((*path, name), info.get_default(), _about(name, info))


def _about(name: str, info: FieldInfo) -> str:
    about = info.description or name.replace("_", " ")
    if get_origin(info.annotation) is not None and all(isinstance(a, str) for a in get_args(info.annotation)):
        about += f" ({', '.join(get_args(info.annotation))})"
    return about


def _about_section(path: tuple[str, ...]) -> str:
    model: Any = Settings
    for name in path:
        model = model.model_fields[name].annotation
    return " ".join((model.__doc__ or "").split())


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value)
    if value is None:
        return UNSET_EXAMPLE
    return list(value) if isinstance(value, tuple) else value


def _toml_value(value: Any) -> str:
    # JSON's strings, numbers, booleans and lists of strings are TOML's too.
    return json.dumps(_plain(value), ensure_ascii=False)


def _env_value(value: Any) -> str:
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain)
