"""Broken characters are mended where that is safe, and nothing else is touched."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cleaning.mojibake import mend

SAMPLES = Path(__file__).parents[3] / "samples" / "library"
ZH = "设备每十二个月校准一次，记录保存五年，由质量部门检查。"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize("text", ["Café Müller’s naïve résumé – déjà vu", "Straße in Köln", ZH])
def test_utf8_read_as_western_is_mended(encoding, text):
    try:
        broken = text.encode().decode(encoding)
    except UnicodeDecodeError:
        pytest.skip("this reading fails and no such text comes to be")
    assert mend(broken) == text


def test_utf8_read_as_gb18030_is_mended():
    broken = ZH.encode().decode("gb18030", errors="replace")
    assert broken != ZH
    mended = mend(broken)
    assert "设备每十二个月" in mended and "记录保存五年" in mended


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.md")), ids=lambda path: path.name)
def test_sound_documents_are_not_touched(path):
    text = path.read_text(encoding="utf-8")
    assert mend(text) == text


@pytest.mark.parametrize(
    "text",
    ["中文", "鍩轰簬 is how 基于 looks", "Ångström", "日本語のテキスト", "ÀÉÎ", "x²≤9", "锟斤拷烫烫烫", "🎉"],
)
def test_short_and_foreign_words_stay(text):
    assert mend(text) == text or "基于" in mend(text)


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), max_size=60))
def test_chinese_characters_are_not_touched(text):
    assert mend(text) == text


@given(st.text())
def test_any_text_can_be_given(text):
    assert isinstance(mend(text), str)
    assert not text.isascii() or mend(text) == text
