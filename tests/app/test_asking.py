"""A fault that was to be expected is told in one line, a defect with its traceback."""

import logging

import pytest

from agents.asking import Ask
from app.asking import stream_answer
from app.services import Services
from core.settings import Settings
from core.types import Scope

pytestmark = pytest.mark.anyio
ASK = Ask("年假几天？", Scope("default"), "local")


async def events_of(services: Services) -> list[tuple[str, dict]]:
    return [event async for event in stream_answer(services, ASK)]


async def test_a_missing_model_is_one_message_without_a_traceback(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    services = Services(Settings(_env_file=None, data=tmp_path / "data", cache=tmp_path / "none"))
    [(name, body)] = await events_of(services)
    assert (name, body["code"]) == ("failed", "model_missing")
    assert "attest models fetch" in body["remedy"] and caplog.records == []


async def test_a_defect_is_logged_with_its_traceback_and_told_without(tmp_path, caplog):
    class Broken:
        def ask(self, ask):
            raise ZeroDivisionError("secret detail")

    services = Services(Settings(_env_file=None, data=tmp_path / "data"), {"asker": Broken()})
    [(name, body)] = await events_of(services)
    assert (name, body["code"]) == ("failed", "internal") and "secret" not in str(body)
    assert caplog.records[-1].exc_info is not None
