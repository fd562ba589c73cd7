"""Curating and measuring ask the judge that the settings name, over HTTP as the product does."""

import json

import pytest

from app.services import Services
from core.settings import Settings
from evals.guard_run import GuardJob, run_guard
from tests.app.curating import QUESTION, open_desk
from tests.contracts.chat_server import ChatServerStandIn

pytestmark = pytest.mark.models
UNSURE = {"judge": True, "supported_at": 0.9999, "unsure_at": 0.0001, "judge_timeout_s": 60.0}
"""Whatever is not copied letter by letter or false by rules goes to the judge."""
CLAIM = "主机如果出问题，18 个月之内可以保修。"


@pytest.fixture
def judge():
    """A server whose model says that all is stated, until `reply` is changed."""
    made = ChatServerStandIn(lambda asked: json.dumps({"verdict": "supported", "reason": "it is"}))
    yield made
    made.close()


def test_a_curated_answer_is_judged(tmp_path, built_in_embedder, judge):
    chat = {"base_url": judge.base_url, "model": "m"}
    settings = Settings(_env_file=None, data=tmp_path, chat=chat, guard=UNSURE)
    with open_desk(tmp_path / "desk", built_in_embedder, Services(settings).chat_model(), guard=UNSURE) as desk:
        wish = {"questions": [QUESTION], "answer": CLAIM}
        assert desk.add("bob", **wish).status_code == 201 and len(judge.asked) >= 1
        judge.reply = lambda asked: json.dumps({"verdict": "not_stated", "reason": "nowhere to be found"})
        refused = desk.add("bob", **wish)
        assert refused.status_code == 400 and "nowhere to be found" in refused.json()["detail"]


def test_the_measured_guard_asks_the_judge_and_counts_it(tmp_path, weights_folder, judge):
    claims = tmp_path / "claims.jsonl"
    rows = [{"id": str(n), "evidence": "TM-20 主机的保修期为 18 个月。", "claim": CLAIM, "label": n} for n in (0, 1)]
    claims.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    chat = {"base_url": judge.base_url, "model": "m"}
    job = GuardJob(claims, (), None)
    asked = run_guard(job, Settings(_env_file=None, data=tmp_path, chat=chat, guard=UNSURE), lambda text: None)
    calls = len(judge.asked)
    assert calls >= 1 and asked["usage"] == {
        "prompt_tokens": 10 * calls, "completion_tokens": 5 * calls, "model_calls": calls,
        "cached_tokens": 0, "models": ("m",),
    }  # fmt: skip
    assert asked["labels"]["supported"] == 2
    alone = run_guard(job, Settings(_env_file=None, data=tmp_path, chat=chat), lambda text: None)
    assert len(judge.asked) == calls and alone["usage"]["model_calls"] == 0
