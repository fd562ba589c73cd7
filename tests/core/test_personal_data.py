"""Personal data: what is found, what is left alone, and that masking leaves nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from core.personal_data import KINDS, count_personal_data, find_personal_data, mask_personal_data

ID_CARD = "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("手机13812345678，请回电。", "手机[phone]，请回电。"),
        ("手机：１３８１２３４５６７８", "手机：[phone]"),
        ("138-1234-5678、138 1234 5678/13912345678", "[phone]、[phone]/[phone]"),
        ("+86 138 1234 5678 或 008613812345678", "[phone] 或 [phone]"),
        ("总机(010)65529988，传真 0755-86773388", "总机[phone]，传真 [phone]"),
        ("（021）38967777", "[phone]"),
        ("call (212) 555-2368 or 415-555-2671", "call [phone] or [phone]"),
        ("London +44 20 7946 0958, Paris +33 1 42 68 53 00.", "London [phone], Paris [phone]."),
        (f"身份证号{ID_CARD}。", "身份证号[id_card]。"),
        ("身份证 11010519491231002x", "身份证 [id_card]"),
        ("邮箱zhang.san@corp.com.cn是", "邮箱[email]是"),
        ("Write to Li.Na+hr@sub.example.org, please.", "Write to [email], please."),
        ("card 4111 1111 1111 1111, 4111111111111111", "card [bank_card], [bank_card]"),
        ("amex 3782-822463-10005", "amex [bank_card]"),
        ("IBAN DE89 3704 0044 0532 0130 00 BIC X", "IBAN [iban] BIC X"),
        ("GB82WEST12345698765432", "[iban]"),
        ("SSN 536-90-4399", "SSN [ssn]"),
    ],
)
def test_it_is_found_in_both_languages(text, masked):
    assert mask_personal_data(text)[0] == masked


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-05 12:30:11, 05.03.2024, 20240305123011, 1700000000123",
        "ISBN 978-7-111-54742-6, ISBN 9787111547426, DOI 10.1145/3292500.3330701",
        "营业收入 13,812,345,678 元，同比增长 12.5%；净利润 1381234567.8 元",
        "0.4111111111111111 and 3.14159265358979, 1e13812345678",
        "身份证号110105194912310021",  # wrong check digit
        "card 4111 1111 1111 1112",  # wrong check digit
        "IBAN DE88 3704 0044 0532 0130 00",
        "SSN 000-12-3456, 987-65-4321",
        "https://a.example/13812345678?u=4111111111111111",
        "a@b, @handle, logo@2x.png, user@localhost, x@y.py",
        "GB/T 19001-2016, TM-20-13812345678, v1.13812345678",
        "| 2021 | 2022 | 2023 |\n| 1,200 | 1,310 | 12345678901 |",
        "pages 123-45-67, section 212-55-123, 10.1.13.138",
        "统一社会信用代码 91110000802100433B",
    ],
)
def test_ordinary_numbers_are_left_alone(text):
    assert find_personal_data(text) == []


def test_kinds_are_chosen():
    text = f"{ID_CARD} a@b.cn"
    assert mask_personal_data(text, ["email"])[0] == f"{ID_CARD} [email]"
    assert count_personal_data(text) == {"id_card": 1, "email": 1}
    assert mask_personal_data(text, [])[0] == text


@given(st.text(alphabet=st.sampled_from("0123456789 -+().@abXx中，/"), max_size=80))
def test_masking_finds_everything_at_once_and_keeps_the_rest(text):
    masked, counts = mask_personal_data(text)
    found = find_personal_data(text)
    assert sum(counts.values()) == len(found)
    rest, at = [], 0
    for finding in found:
        assert at <= finding.start < finding.end <= len(text)
        rest.append(text[at : finding.start])
        at = finding.end
    pieces = masked
    for kind in KINDS:
        pieces = pieces.replace(f"[{kind}]", "\0")
    assert pieces == "\0".join([*rest, text[at:]])


@given(
    st.integers(0, 10**13 - 1), st.sampled_from(["", " ", "-"]), st.sampled_from(["卡号", "card no. ", ""])
)
def test_any_card_with_its_check_digit_is_found(number, parted, before):
    body = f"62{number:013d}"
    digits = body + luhn.calc_check_digit(body)
    shown = parted.join(digits[at : at + 4] for at in range(0, 16, 4))
    assert mask_personal_data(f"{before}{shown}。")[0] == f"{before}[bank_card]。"


@pytest.mark.parametrize(
    "text", ["1" * 50_000, "a@" * 20_000, "a." * 30_000 + "@", "+1 (2 " * 10_000, "-1" * 30_000]
)
def test_no_text_takes_long(text):
    started = time.process_time()
    find_personal_data(text)
    assert time.process_time() - started < 5
