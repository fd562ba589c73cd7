"""A password in an address is as secret as a key: no message, log or report tells it."""

import logging

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.doctor import examine
from app.services import Services
from core.addresses import hide_credentials
from core.chat import OpenAIChatModel
from core.errors import ChatModelError, StoreError
from core.logs import configure_logging
from core.seams import ChatOptions, Message
from core.settings import MilvusSettings, Settings
from evals.indexing import shown_settings
from retrieval.connections import connect_server

SECRET = "hunter2"
DEAD = f"http://ann:{SECRET}@127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"at {DEAD} (down)", "at http://127.0.0.1:9/v1 (down)"),
        ("http://ann@host", "http://host"),
        ("http://a:p@ss@host/v1?m=x@y", "http://host/v1?m=x@y"),
        ("http://host/v1/a@b", "http://host/v1/a@b"),
        ("http://host?user=a@b", "http://host?user=a@b"),
        ("write to li@example.org, see http://host", "write to li@example.org, see http://host"),
        ("postgresql+psycopg://u:p@h/db and redis://:p@h", "postgresql+psycopg://h/db and redis://h"),
    ],
)
def test_what_stands_before_the_host_is_left_out(text, shown):
    assert hide_credentials(text) == shown


@given(st.text(st.characters(exclude_characters="/?# \t\n\r\x0b\x0c", exclude_categories=["Z", "Cc", "Cs"]), min_size=8))
def test_no_password_is_left_whatever_it_is(password):
    assert hide_credentials(f"a http://u:{password}@host/v1 b") == "a http://host/v1 b"


async def test_errors_do_not_tell_it():
    model = OpenAIChatModel(DEAD, "m", "", timeout_s=2)
    with pytest.raises(ChatModelError, match="127.0.0.1:9") as failed:
        [delta async for delta in model.stream([Message("user", "hi")], ChatOptions())]
    await model.close()
    with pytest.raises(StoreError, match="127.0.0.1:9") as down:
        connect_server(MilvusSettings(uri=f"http://ann:{SECRET}@127.0.0.1:9", timeout_s=1))
    for error in (failed.value, down.value):
        assert SECRET not in f"{error} {error!r} {error.message} {error.remedy}"


def test_neither_does_doctor_nor_a_report(tmp_path):
    chat = {"base_url": DEAD, "model": "m", "fallback_base_url": DEAD}
    settings = Settings(_env_file=None, data=tmp_path / "data", cache=tmp_path / "none", chat=chat)
    told = [f"{finding.message} {finding.remedy}" for finding in examine(Services(settings))]
    assert SECRET not in str(told) and sum("127.0.0.1:9/v1" in line for line in told) == 2
    shown = shown_settings(settings, ["chat"])
    assert SECRET not in str(shown) and shown["chat"]["base_url"] == "http://127.0.0.1:9/v1"


def test_nor_a_log_not_even_of_a_library(capsys):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        configure_logging("debug")
        with pytest.raises(httpx.ConnectError):
            httpx.get(DEAD)
        logging.getLogger("httpx").info('HTTP Request: %s %s "%s"', "GET", httpx.URL(DEAD), "OK")
        try:
            raise ValueError(DEAD)
        except ValueError:
            logging.getLogger("app").exception("failed")
    finally:
        root.handlers[:], level = before[0], before[1]
        root.setLevel(level)
    told = capsys.readouterr().err
    assert "HTTP Request" in told and "ValueError: http://127.0.0.1:9/v1" in told and SECRET not in told
