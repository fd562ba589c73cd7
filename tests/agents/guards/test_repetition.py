"""Loops are caught within a bound, whatever they are made of; ordinary text raises no alarm."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.guards.repetition import LEAST_BLANK, LEAST_OF_CELLS, LONGEST_PERIOD, RepetitionWatch
from core.text import split_sentences

SAMPLES = Path(__file__).parents[3] / "samples"
DOCS = Path(__file__).parents[3] / "docs"
ZH = "我是大天才今年公司员工保修期为电池主机温度不得超过请按红色按钮然后等待指示灯亮起再开门取出样品"
EN = re.findall(
    r"\w+", "the warranty of this pump covers eighteen months from delivery and every battery has its own term"
)
ordinary = pytest.mark.parametrize("piece", [1, 7])


def first_alarm(text: str, piece: int = 3) -> int | None:
    """After how many characters a loop is told of; None for never."""
    watch = RepetitionWatch()
    for at in range(0, len(text), piece):
        if watch.feed(text[at : at + piece]):
            return at + piece
    return None


def sentence_alarm(text: str) -> bool:
    watch = RepetitionWatch()
    return any(watch.feed_sentence(span.of(text)) for span in split_sentences(text))


def bound_of(unit: str) -> int:
    """How long a loop of this unit may go on: three times, or what little units need."""
    return max(LEAST_OF_CELLS, 3 * len(unit)) + len(unit) + 8


zh_unit = st.text(alphabet=ZH + "，。 1", min_size=1, max_size=120)
en_unit = st.lists(st.sampled_from(EN), min_size=1, max_size=18).map(lambda words: " ".join(words) + " ")
any_unit = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Zs", "Cc", "Zl", "Zp"]), min_size=1, max_size=40)


@given(st.sampled_from(["", "TM-20 主机的保修期为 18 个月。", "The warranty is 18 months. "]), zh_unit | en_unit | any_unit)
def test_every_loop_is_caught_within_a_bound(before, unit):
    if not unit.strip():
        unit = "好"
    bound = len(before) + bound_of(unit)
    alarm = first_alarm(before + unit * (bound // len(unit) + 4))
    assert alarm is not None and alarm <= bound + 3 * 3


@given(st.integers(1, LONGEST_PERIOD), st.randoms(use_true_random=False))
def test_a_loop_of_any_length_is_caught(length, random):
    unit = "".join(random.choice(ZH) for _ in range(length))
    assert first_alarm(unit * 5 + unit * (60 // length)) <= 3 * length + 60


def test_one_character_for_ever():
    assert first_alarm("答案是" + "啊" * 50) <= 30
    assert first_alarm("a" * 50) <= 30
    assert first_alarm("\n" * 500) <= LEAST_BLANK + 3
    assert first_alarm("-" * 500) is not None


def test_a_loop_that_counts_on_or_varies_a_little():
    counted = "".join(f"第{n}遍：我是大天才，全世界最聪明的大天才。\n" for n in range(200))
    assert first_alarm(counted) < 500
    varied = "".join(f"我是大天才{'啊呀哦嗯哈'[n * n % 5]}我真的是一个大天才，" for n in range(200))
    assert first_alarm(varied) < 700
    english = "".join(f"Step {n}: I am a great genius and I will not stop saying it. " for n in range(200))
    assert first_alarm(english) < 1600


def test_sentences_said_again_and_again():
    a, b, c = "电池的保修期为 6 个月。", "主机的保修期为 18 个月。", "光源模块的保修期为 36 个月。"
    assert sentence_alarm(a + b + c + a + b)
    assert sentence_alarm(a + b + a + c + a)
    assert sentence_alarm("1. The battery lasts six months.\n2. The battery lasts six months.\n3. The battery lasts six months.\n")
    assert not sentence_alarm(a + b + a + c)
    assert not sentence_alarm("可以。\n" * 5)


@ordinary
@pytest.mark.parametrize("path", sorted([*SAMPLES.rglob("*.md"), *SAMPLES.rglob("*.txt"), *DOCS.glob("*.md")]), ids=lambda p: p.name)
def test_no_alarm_in_documents(path, piece):
    text = path.read_text(encoding="utf-8")[:6000]
    for at in range(0, len(text), 1500):  # about what a draft may have
        part = text[at : at + 1500]
        assert first_alarm(part, piece) is None
        assert not sentence_alarm(part)


numbers = st.integers(0, 999_999)


@given(st.lists(st.tuples(st.sampled_from(["是", "否", "支持", "yes", "no", "—"]), numbers), min_size=2, max_size=14))
def test_no_alarm_in_tables(rows):
    table = "| 型号 | 支持 | 数量 |\n|---|---|---|\n" + "".join(
        f"| TM-{20 + at} | {word} | {number} |\n" for at, (word, number) in enumerate(rows)
    )
    assert first_alarm(table) is None and not sentence_alarm(table)


@given(st.lists(st.sampled_from(EN), min_size=5, max_size=60, unique=True).map(" ".join), numbers)
def test_no_alarm_in_lists_and_numbers(words, number):
    text = "\n".join(f"- {word}: {number + at} days, from delivery" for at, word in enumerate(words.split()[:8]))
    assert first_alarm(text) is None and not sentence_alarm(text)
    assert first_alarm(f"1,000,000,000,000 and 0.3333333333333333 and 10000000000000 {number}") is None
    assert first_alarm("| 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |\n") is None
