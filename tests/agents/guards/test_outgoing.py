"""Links, pictures and tags leave only when the evidence holds them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.guards.outgoing import plain_pictures, strip_links

EVIL = "evil.example.com"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"18 个月。![logo](https://{EVIL}/?q=1)", "18 个月。"),
        (f"See [the manual](http://{EVIL}/a) for 18 months.", "See the manual for 18 months."),
        (f"Visit https://{EVIL}/x?y=1 now.", "Visit now."),
        (f"Visit www.{EVIL}, it is 18 months.", "Visit , it is 18 months."),
        (f"Go to {EVIL} for it.", "Go to for it."),
        (f'18 months.<img src="https://{EVIL}/p.png">', "18 months."),
        (f"<a href='//{EVIL}'>18 months</a>", "18 months"),
        ("18 months <script>alert(1)</script>", "18 months alert(1)"),
        ("Run javascript:alert(1)", "Run )"),
        (f"请访问 hxxp，或 https://{EVIL}/路径，保修 18 个月。", "请访问 hxxp，或 ，保修 18 个月。"),
        (f"![a][b] [b]: https://{EVIL}", None),
    ],
)
def test_what_the_evidence_does_not_hold_is_taken_out(text, clean):
    stripped, count = strip_links(text, "The warranty is 18 months.")
    assert count and EVIL not in stripped and "<" not in stripped
    if clean is not None:
        assert stripped == clean


@pytest.mark.parametrize(
    "text",
    [
        "Reset it at https://id.bochuan.example/reset.",
        "Reset it at HTTPS://id.bochuan.example/reset, please.",
        "Write to help@bochuan.com.",
        "The version is 1.2.3 and costs 3.50 per unit, e.g. in file config.py.",
        "温度 < 40 度且 > 5 度。",
        "a<b and c>d",
    ],
)
def test_what_it_holds_and_what_is_no_link_stays(text):
    held = "Reset it at https://id.bochuan.example/reset or write to help@bochuan.com."
    assert strip_links(text, held) == (text, 0)


HELD = "https://pictures.example.com/plan.png"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (f"The hall ![floor plan]({HELD}) has 80 seats.", f"The hall floor plan {HELD} has 80 seats."),
        (f"The hall ![]({HELD} 'plan') has 80 seats.", f"The hall {HELD} has 80 seats."),
        (f"The hall ![plan][p]\n[p]: {HELD}", f"The hall plan\n[p]: {HELD}"),
        (f"The hall ![a [b] plan]({HELD})", f"The hall [a [b] plan]({HELD})"),
        (f'<img alt="plan" src="{HELD}">The hall', f"plan {HELD} The hall"),
        (f"<IMG src={HELD} onerror=go()>The hall", f"{HELD} The hall"),
        (f'<p style="background:url({HELD})">The hall</p>', "The hall</p>"),
        (f'<a href="{HELD}" onclick="go()">The hall</a>', f"{HELD} The hall</a>"),
        (f'<iframe src="{HELD}"></iframe>The hall', f"{HELD} </iframe>The hall"),
    ],
)
def test_a_picture_of_the_evidence_itself_leaves_as_text(text, plain):
    assert plain_pictures(text) == plain
    stripped, _ = strip_links(text, text)
    assert "![" not in stripped and "src" not in stripped and "url(" not in stripped and "The hall" in stripped


@pytest.mark.parametrize(
    "text",
    ["Press <b>OK</b>, then <br> wait!", f'See <a href="{HELD}">the plan</a>.', "3 < 5 and a = b > c", "用 <p> 分段！[1]"],
)
def test_what_fetches_nothing_stays(text):
    assert plain_pictures(text) == text and strip_links(text, text) == (text, 0)


@example("!![")
@given(st.text(st.sampled_from("![]()<> a=\"'/imgsrc:.")))
def test_no_text_leaves_with_a_picture(text):
    plain = plain_pictures(text)
    assert "![" not in plain and plain_pictures(plain) == plain


@given(st.text(st.sampled_from("abc.com/[]()!<>:w htps\"'=")), st.text(st.sampled_from("abc. "), max_size=20))
def test_no_address_is_left_that_is_not_held(text, held):
    clean, _ = strip_links(text, held)
    again, count = strip_links(clean, held)
    assert "https://" not in clean or "https://" in held or count == 0
    assert len(again) <= len(clean)
