"""Which sentences are plainly in another language than asked for."""

import pytest

from agents.guards.answer_language import is_off_language


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("The warranty of the main unit is eighteen months from the day of delivery.", "zh"),
        ("主机的保修期为十八个月，自交货之日起计算。", "en"),
        ("メインユニットの保証期間は納品日から１８か月です。", "zh"),
        ("メインユニットのほしょうきかんは１８かげつです。", "en"),
        ("Гарантия на главный блок составляет восемнадцать месяцев.", "en"),
        ("본체의 보증 기간은 인도일로부터 열여덟 달입니다.", "zh"),
    ],
)
def test_another_language(sentence, wanted):
    assert is_off_language(sentence, wanted)


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("TM-20L。", "zh"),
        ("Shanghai Bochuan Precision Instruments Co., Ltd.", "zh"),
        ("《The Old Man and the Sea》。", "zh"),
        ("该函数是 open_collection(collection, dimensions, fingerprint)。", "zh"),
        ("错误信息是 “the model server cannot be reached, start it or mend the address”。", "zh"),
        ("The document is called 《上海市外国机构管理条例》.", "en"),
        ("18 μm ± 0.5", "zh"),
        ("", "en"),
    ],
)
def test_names_titles_and_quotations_are_no_other_language(sentence, wanted):
    assert not is_off_language(sentence, wanted)


def test_a_question_in_a_third_script_is_answered_in_it():
    sentence = "Гарантия на главный блок составляет восемнадцать месяцев."
    assert not is_off_language(sentence, "en", "Какая гарантия на главный блок?")
