"""Questions of several parts over the real index and guards, with a scripted model."""

import pytest

from tests.app.curating import open_desk

pytestmark = pytest.mark.models
FILES = {
    "maker.md": "# 产品目录\n\nTM-20 温度计由星河仪器有限公司生产，2019 年开始销售。\n",
    "people.md": "# 工商登记\n\n星河仪器有限公司的法定代表人是李明远，注册地在苏州。\n\n"
    "# 其他登记\n\n长江电子有限公司的法定代表人是周启航，注册地在武汉。\n",
    "weights.md": "# 规格\n\nTM-30 温度计的重量为 2.4 千克。\n\n# 规格二\n\nTM-20 温度计的重量为 1.8 千克。\n",
    "leave.md": "# 制度\n\n请假须提前三天向部门经理申请。\n",
    "maker-en.md": "# Catalogue\n\nThe FS-85 flow meter is made by Nova Instruments in Leiden.\n",
    "people-en.md": "# Register\n\nThe director of Nova Instruments is Eva Jansen.\n\n# Other\n\n"
    "The director of Delta Pumps is Tom Brook.\n",
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory, built_in_embedder):
    """The library above, with the settings as they come."""
    strict = {"sufficient_at": 0.35, "policy": "strict"}
    with open_desk(tmp_path_factory.mktemp("hops"), built_in_embedder, guard=strict) as desk:
        for name, text in FILES.items():
            desk.write(name, text)
        yield desk


def ask(desk, question: str, reply: str, effort: str = "standard") -> dict:
    desk.chat.replies, desk.chat.asked = [reply] * 3, []
    answer = desk.call("eve", "POST", "/v1/ask", json={"question": question, "effort": effort})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("question", "reply", "searched"),
    [
        ("生产 TM-20 温度计的公司的法定代表人是谁？", "星河仪器有限公司的法定代表人是李明远。", "星河仪器有限公司的法定代表人是谁？"),
        (
            "Who is the director of the company that makes the FS-85 flow meter?",
            "The director of Nova Instruments is Eva Jansen.",
            "Who is the director of Nova Instruments?",
        ),
    ],
)  # fmt: skip
def test_the_second_search_asks_of_what_the_first_has_found(desk, question, reply, searched):
    answer = ask(desk, question, reply)
    assert (answer["route"], answer["status"]) == ("hops", "answered")
    assert answer["looked_for"][-1] == searched and answer["text"].startswith(reply)
    shown = desk.chat.asked[0][-1].content
    assert all(word in shown for word in (("李明远", "TM-20") if "TM-20" in question else ("Eva Jansen", "FS-85")))


def test_parts_side_by_side_are_each_searched_and_shown(desk):
    reply = "TM-20 温度计的重量为 1.8 千克。TM-30 温度计的重量为 2.4 千克。"
    answer = ask(desk, "TM-20 温度计和 TM-30 温度计的重量分别是多少？", reply)
    assert (answer["route"], answer["status"], len(answer["sentences"])) == ("hops", "answered", 2)
    assert len(answer["looked_for"]) == 3 and len(answer["citations"]) == 2


def test_a_part_that_the_library_does_not_hold_is_named(desk):
    reply = "TM-20 温度计的重量为 1.8 千克。"
    answer = ask(desk, "TM-20 温度计的重量和年假的天数分别是多少？", reply)
    assert answer["route"] == "hops"
    answer = ask(desk, "TM-20 温度计的重量是多少，武汉的人口有多少？", reply)
    assert answer["status"] == "partial" and "武汉的人口" in answer["text"].split("\n\n")[-1]


@pytest.mark.parametrize(
    ("question", "reply", "words"),
    [
        ("TM-20 温度计和 TM-30 温度计的重量分别是多少？", "TM-30 温度计的重量为 2.4 千克。",
         "（这部分没有得到回答：TM-20 温度计的重量是多少？）"),
        ("Who is the director of Nova Instruments and who is the director of Delta Pumps?",
         "The director of Delta Pumps is Tom Brook.",
         "(Left without an answer: Who is the director of Nova Instruments?)"),
    ],
)  # fmt: skip
def test_a_part_that_the_draft_says_nothing_of_is_named(desk, question, reply, words):
    answer = ask(desk, question, reply)
    assert (answer["route"], answer["status"]) == ("hops", "partial")
    assert answer["text"] == f"{reply}[1]\n\n{words}"


def test_at_the_quick_effort_there_is_one_search(desk):
    answer = ask(desk, "TM-20 温度计和 TM-30 温度计的重量分别是多少？", "TM-30 温度计的重量为 2.4 千克。", "quick")
    assert answer["route"] == "search"
