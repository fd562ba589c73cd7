"""Rules that tell questions of several facts."""

import pytest

from agents.several_facts import asks_several_facts


@pytest.mark.parametrize(
    "question",
    [
        "TM-20L 的工作温度范围和防护等级分别是什么？",
        "量产推迟到哪一天？原因是什么？",
        "2022年特斯拉和比亚迪交付量",
        "MU5735航班坠毁的时间和地点",
        "Which firmware corrected the fault, and when was it released?",
        "What are the limits for Beijing and Rotterdam, respectively?",
        "What is the difference between the FS-80 and the FS-85?",
    ],
)
def test_several(question):
    assert asks_several_facts(question)


@pytest.mark.parametrize(
    "question",
    [
        "公司员工的婚假有多少天？",
        "主机的保修期是多久？",
        "How soon must a lost laptop be reported to the service desk?",
        "What does research and development cost?",
        "",
        "？" * 5000,
    ],
)
def test_one(question):
    assert not asks_several_facts(question)

