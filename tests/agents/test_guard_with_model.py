"""The grounding guard with the real embedder: changed facts are caught, true sentences pass."""

import pytest

from agents.binding import EvidenceBinder
from agents.drafting import DraftChecker
from agents.guards.grounding import GroundingGuard
from tests.agents.doubles import chunk

REFUND = chunk("Goods may be returned for a refund within 14 days of delivery. Send requests to the front office.", 0, "Terms")
WARRANTY = chunk("TM-20 主机的保修期为 18 个月，光源模块的保修期为 36 个月，电池的保修期为 6 个月。", 1, "售后问答")
RULES = chunk("Only managers may approve travel abroad. The office closes at 18:00 on Fridays.", 2, "House rules")
HEAT = chunk("仪器的工作温度最高为 40 度。试用期员工不允许远程办公。", 3, "说明书")
SECRET = chunk("Confidential information must not be shared by email.", 4, "Security")
pytestmark = pytest.mark.models


@pytest.fixture
def released(built_in_embedder, pair_reader):
    """What leaves of a draft over all the evidence."""
    pool = EvidenceBinder(built_in_embedder).pool([REFUND, WARRANTY, RULES, HEAT, SECRET])
    guard = GroundingGuard(pair_reader, 0.5)

    def check(draft: str, question: str) -> str:
        checker = DraftChecker(pool, guard, question)
        checker.check(draft)
        return checker.draft.text

    return check


@pytest.mark.parametrize(
    ("question", "draft"),
    [
        ("Is the refund period 30 days?", "Goods may be returned for a refund within 30 days of delivery."),
        ("主机的保修期是 24 个月吗？", "TM-20 主机的保修期为 24 个月。"),
        ("电池的保修期是多久？", "电池的保修期为 18 个月。"),
        ("How long is the refund period?", "Goods may be returned for a refund within 14 months of delivery."),
        ("Should I write to Alice Brown?", "Send requests to the front office and to Alice Brown."),
        ("Who may approve travel abroad?", "Only interns may approve travel abroad."),
        ("When is the office open?", "The office opens at 18:00 on Fridays."),
        ("最低温度是多少？", "仪器的工作温度最低为 40 度。"),
        ("试用期员工可以远程办公吗？", "试用期员工可以远程办公。"),
        ("公司的股价是多少？", "公司的股价为 18 元。"),
    ],
)
def test_changed_facts_do_not_leave(released, question, draft):
    assert released(draft, question) == ""


@pytest.mark.parametrize(
    ("question", "draft"),
    [
        ("How long is the refund period?", "Goods may be returned for a refund within 14 days of delivery."),
        ("主机的保修期是多久？", "TM-20 主机的保修期为十八个月。"),
        ("电池的保修期是多久？", "电池的保修期为 6 个月。"),
        ("Who may approve travel abroad?", "Only managers may approve travel abroad."),
        ("试用期员工可以远程办公吗？", "试用期员工不允许远程办公。"),
        ("May I mail it?", "Confidential information must not be shared by email."),
    ],
)
def test_true_sentences_leave_with_a_citation(released, question, draft):
    assert released(draft, question).endswith("[1]")
