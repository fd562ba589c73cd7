"""Both languages say the same things with the same values, and every text is used."""

import re
import string
from pathlib import Path

import pytest

from ui.texts import _WORDS, Texts, language_of

UI = Path(__file__).parents[2] / "ui"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(_WORDS))
def test_both_languages_are_there_with_the_same_values(key):
    english, chinese = _WORDS[key]
    assert english and chinese
    assert fields(english) == fields(chinese)
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert not re.search(r"[\u4e00-\u9fff]", english)


def test_every_key_in_the_source_is_known_and_every_known_key_is_in_the_source():
    source = "".join(path.read_text(encoding="utf-8") for path in UI.glob("*.py") if path.name != "texts.py")
    used = set(re.findall(r'texts\(\s*"(\w+)"', source))
    assert used <= set(_WORDS)
    named = set(re.findall(r'"(\w+)"', source))
    prefixes = tuple(re.findall(r'f"(\w+_)\{', source))
    unused = {key for key in _WORDS if key not in named and not key.startswith(prefixes)}
    assert unused == set()


@pytest.mark.parametrize(
    ("locale", "language"),
    [("zh-CN", "zh"), ("zh-Hant-TW", "zh"), ("en-GB", "en"), ("de", "en"), (None, "en")],
)
def test_the_browser_chooses_the_first_language(locale, language):
    assert language_of(locale) == language
    assert Texts(language).language == language
