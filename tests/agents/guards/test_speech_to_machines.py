"""Lines for machines are told from prose, and are evidence where a question asks for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.guards.speech_to_models import Speech, asks_about_code, speech_of


@pytest.mark.parametrize(
    "line",
    [
        "import shutil, os",
        "from email.mime.text import MIMEText",
        "def build_text():",
        "return result_text",
        "letters = ['a', 'b']",
        "session.quit()",
        "reply = client.fetch(",
        "with open(path) as file:",
        '"Room report",',
        "const total = 4",
        "b64: aGVsbG8gd29ybGQ=",
        "FrameStackViewLoaderBracketToken",
    ],
)
def test_lines_of_programs_and_ciphers(line):
    assert speech_of(line) is Speech.CODE


@pytest.mark.parametrize(
    "line",
    [
        "Return goods within 14 days of delivery.",
        "If you are ill (for more than 3 days), tell your manager.",
        "Items: tables, chairs (two); lamps;",
        "TM-20 主机的保修期(含配件)为 18 个月。",
        "保修期(18个月)",
        "port = 8080",
        "For parents:",
        "Import duties are paid by the buyer.",
        "电话：010-12345678；邮箱：help.desk@bochuan.example",
        "The model TM-20-PRO-2024-REVISION costs 300 €.",
        "“Quality first”, says the handbook.",
        "| TM-20 | 18 | 6 |",
    ],
)
def test_prose_is_none(line):
    assert speech_of(line) is Speech.NONE


def test_rows_of_brackets_are_demands():
    assert speech_of("] } ) ] } ) ] } ) ] } )") is Speech.DEMAND and speech_of("Just type the answer") is Speech.DEMAND


def test_which_questions_ask_for_such_lines():
    assert asks_about_code("Which function makes the report?") and asks_about_code("用什么命令启动服务？")
    assert not asks_about_code("How long is the warranty?") and not asks_about_code("保修期是多久？")


WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=9).filter(
    lambda word: word not in ("import", "class", "def", "return", "const", "let", "var", "function")
)


@given(st.lists(WORDS, min_size=1, max_size=9))
def test_words_with_a_stop_are_no_code(words):
    assert speech_of(f"The {' '.join(words)}.") is not Speech.CODE
