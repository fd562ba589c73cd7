"""Facts in words: numbers however they are written, codes as wholes, negation, clauses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wording import (
    chinese_names,
    clauses,
    codes,
    holds_code,
    in_digits,
    missing_numbers,
    negations,
    numbers,
    squeeze,
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("12,000 元", {12000}), ("1.2万元", {12000}), ("一万二千元", {12000}), ("壹万贰仟元", {12000}),
        ("叁天", {3}), ("３ 天", {3}), ("三十五", {35}), ("十八个月", {18}), ("二〇二五年", {2025}),
        ("twelve months", {12}), ("14 November", {14, 11}), ("3.5 mm", {3.5}), ("两亿", {2e8}),
        ("百分之五", {5}), ("一般来说", set()), ("two million", {2e6}),
        ("twenty-five", {25}), ("1.2 billion", {1.2e9}), ("一億", {1e8}), ("several hundred", set()), ("a hundred", {100}), ("no numbers here", set()), ("", set()),
    ],
)  # fmt: skip
def test_values_are_read_however_they_are_written(text, values):
    assert numbers(text) == values


@given(st.integers(0, 10**9))
def test_arabic_numbers_survive_with_and_without_commas(value):
    assert value in numbers(f"共 {value} 元") and value in numbers(f"EUR {value:,} net")


def test_a_number_that_the_evidence_lacks_is_found():
    assert missing_numbers("保修期为24个月", ["保修期为十八个月"]) == {24}
    assert missing_numbers("保修期为18个月", ["保修期为十八个月"]) == set()
    assert missing_numbers("The TM-20 weighs 3 kg", ["weight: 3 kg"]) == set()


def test_codes_are_wholes():
    assert codes("TM-20L 和 FS-85 用 vLLM v2.4.1, IP67") == {"tm20l", "fs85", "vllm", "v2.4.1", "ip67"}
    assert codes("an ordinary Sentence") == set()
    near = squeeze("TM-20L 的防护等级为 IP65")
    assert holds_code("tm20l", near) and holds_code("ip65", near)
    assert not holds_code("tm20", near)
    assert holds_code("fs85", squeeze("the FS 85 meter")) and holds_code("eur", squeeze("EUR 84,000"))


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("不允许远程办公", True), ("禁止吸烟", True), ("It is not allowed", True), ("without delay", True),
        ("不超过 40 元", False), ("不得超过 40 元", False), ("不同的产品", False), ("noted", False),
    ],
)  # fmt: skip
def test_negation_is_no_mere_character(text, negated):
    assert (negations(text) > 0) is negated


def test_clauses_stand_alone_or_stay_together():
    assert clauses("工作温度范围是5到40度，防护等级是IP65。", "zh") == ["工作温度范围是5到40度，", "防护等级是IP65。"]
    assert clauses("是的，可以。", "zh") == ["是的，可以。"]
    english = "Staff may work remotely 2 days a week, and staff on probation may not do so."
    assert len(clauses(english, "en")) == 2
    assert clauses("The budget is EUR 84,000.", "en") == ["The budget is EUR 84000."]


@given(st.text(alphabet="甲乙，；, and but1", max_size=80), st.sampled_from(["zh", "en"]))
def test_clauses_lose_no_word(text, language):
    kept = "".join("".join(clauses(text, language)).split()).replace(",", "")
    assert kept == "".join(text.split()).replace(",", "")


def test_chinese_names_that_rules_can_tell():
    assert chinese_names("《人在囧途》的导演") == {"人在囧途"}
    assert chinese_names("导演是布莱恩·辛格和") == {"恩·辛格"}
    assert chinese_names("一个普通的句子") == set()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("电池的保修期是六个月。", "电池的保修期是6个月。"),
        ("共一万二千元", "共12000元"),
        ("约1.2万人", "约12000人"),
        ("1,200 pages in two weeks", "1200 pages in 2 weeks"),
        ("伍德沃德统一了两国", "伍德沃德统一了两国"),
        ("twenty-five and Twelve", "twenty-five and 12"),
        ("一个人", "一个人"),
        ("要两三年、三四天、五六百人", "要两三年、三四天、五六百人"),
        ("十分重要的三星公司", "十分重要的三星公司"),
        ("三星期、十分钟、二〇二一年", "3星期、10分钟、2021年"),
        ("two million users", "2000000 users"),
        ("2 million users", "2000000 users"),
        ("ten thousand", "10000"),
        ("3万亿元", "3000000000000元"),
    ],
)
def test_numbers_are_written_in_digits(text, written):
    assert in_digits(text) == written
