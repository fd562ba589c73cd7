"""The rule with the real embedder: what near wordings pass, and that no confusable one does."""

import os
from pathlib import Path

import numpy as np
import pytest

from agents.same_question import SameQuestion, likeness
from core.settings import FaqSettings
from evals.same_question import measure, read_pairs

NEAR = [
    ("问题实例字符串的另一个术语是什么？", "问题实例的字符串的另一个术语是什么？"),
    ("哪个城市的人口最多？", "哪个城市人口最多？"),
    ("TM-20 主机的保修期是多久？", "TM-20 主机的保修期多久？"),
]
CONFUSABLE = [
    ("产假有多少天？", "婚假有多少天？"),
    ("TM-20 的保修期是多久？", "TM-20 的保质期是多久？"),
    ("中国由谁负责审批？", "日本由谁负责审批？"),
    ("忘记了密码应该联系哪个部门处理？", "忘记了账号应该联系哪个部门处理？"),
    ("这份合同由财务部审批吗？", "这份合同由人事部审批吗？"),
    ("who approves the invoice of li wei?", "who approves the invoice of li ming?"),
    ("Where can I find the rules for printers?", "Where can I find the rules for scanners?"),
]


@pytest.fixture(scope="module")
def same(built_in_embedder):
    return SameQuestion(lambda: built_in_embedder, FaqSettings().near_at)


@pytest.mark.parametrize(("one", "other"), NEAR)
def test_a_near_wording_is_found(same, one, other):
    assert same.find(one, ["完全不同的问题吗？", other]) == 1


@pytest.mark.parametrize(("one", "other"), CONFUSABLE)
def test_a_confusable_question_is_not(same, one, other):
    assert same.find(one, [other]) is None and same.find(other, [one]) is None


def test_at_one_no_model_is_asked():
    def embedder():
        raise AssertionError("not asked for here")

    same = SameQuestion(embedder, 1)
    assert same.find(*NEAR[0][:1], [NEAR[0][1]]) is None
    assert same.find("保修期多久", ["请问保修期多久？"]) == 0
    assert same.find("保修期多久", []) is None


def test_likeness_is_that_of_the_token_that_stands_alone():
    one = np.eye(4, dtype=np.float32)
    assert likeness(one, one) == 1 and likeness(one, one[:3]) == 0
    assert likeness(one, one[:0]) == 0


@pytest.mark.slow
def test_on_the_shared_sets_nothing_but_the_same_question_passes(built_in_embedder):
    folder = os.environ.get("ATTEST_EVAL_DATA")
    if not folder or not (Path(folder) / "xquad").is_dir():
        pytest.skip("the shared question sets are absent: set ATTEST_EVAL_DATA")
    pairs = read_pairs(Path(folder))
    pairs.confusable = {name: pairs.confusable[name] for name in ("cmrc", "xquad_zh", "xquad_en")}
    pairs.same = {"courtesy": pairs.same["xquad_zh, courtesy"]}
    report = measure(pairs, lambda: built_in_embedder, FaqSettings().near_at)
    assert report["passed"] == [] and sum(row["pairs"] for row in report["confusable"].values()) > 4000
    assert report["same"]["courtesy"]["passed"] / report["same"]["courtesy"]["pairs"] > 0.98
