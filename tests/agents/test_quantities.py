"""Units, and numbers that belong to something else in the evidence."""

from agents.quantities import crossed_numbers, differing_units, explained_numbers, split_facts

WARRANTY = "TM-20 和 TM-20L 主机的保修期为 18 个月，光源模块的保修期为 36 个月，电池的保修期为 6 个月。"


def test_another_unit_is_told_across_languages():
    assert differing_units("The warranty is 18 days", [WARRANTY]) == {(18, "day")}
    assert differing_units("The warranty is 18 months", [WARRANTY]) == set()
    assert differing_units("Delivery takes 7 days", [WARRANTY]) == set()


def test_a_number_of_something_else_is_crossed():
    facts = split_facts(WARRANTY)
    assert crossed_numbers("电池的保修期为 18 个月", facts) == {18}
    assert crossed_numbers("光源模块的保修期为 6 个月", facts) == {6}
    for true in ("电池的保修期为 6 个月", "主机的保修期为 18 个月", "光源模块的保修期是 36 个月"):
        assert crossed_numbers(true, facts) == set()


def test_a_cell_belongs_to_its_column():
    facts = split_facts("| 防护等级 | IP67 | IP65 |", "| 项目 | TM-20 | TM-20L |")
    assert facts == ["防护等级 TM-20 IP67", "防护等级 TM-20L IP65"]
    row = split_facts("| Weight | 3 kg | 5 kg |", "| Item | FS-80 | FS-85 |")
    assert crossed_numbers("The weight of the meter FS-85 is 3 kg", row) == {3}
    assert crossed_numbers("The weight of the meter FS-85 is 5 kg", row) == set()


def test_one_fact_alone_crosses_nothing():
    assert crossed_numbers("员工每年有 10 天年假", split_facts("年假 10 天。")) == set()
    assert crossed_numbers("10", ["10"]) == set()


def test_numbers_that_are_held_without_being_spelt():
    assert explained_numbers("约131万辆", {1_310_000}, ["交付1313851辆"]) == {1_310_000}
    assert explained_numbers("The way is 1500 m long", {1500}, ["a way of 1.5 km"]) == {1500}
    assert explained_numbers("下午6点关门", {6}, ["18:00 关门"]) == {6}
    assert explained_numbers("In total 24 months", {24}, ["18 months and 6 months"]) == {24}
    assert explained_numbers("增长了20%", {20}, ["从50万增加到60万"]) == {20}


def test_chance_explains_nothing():
    assert explained_numbers("The warranty is 24 months", {24}, ["18 months and 6 months"]) == set()
    assert explained_numbers("In total 25 months", {25}, ["18 months and 6 months"]) == set()
    assert explained_numbers("1320000辆", {1_320_000}, ["1313851辆"]) == set()
    assert explained_numbers("合计 3 kg", {3}, ["18 months, 21 months"]) == set()
