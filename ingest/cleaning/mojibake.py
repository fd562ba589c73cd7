"""Text that was read in a wrong encoding before it came into the file, and how it read.

Western mix-ups are ftfy's (UTF-8 read as Latin-1, Windows-1252 and their kin). UTF-8 read as
GB 18030, the mix-up of Chinese systems, ftfy does not know: such a run of characters is mended
when its bytes are valid UTF-8 as a whole and say Chinese; real Chinese of that length practically
never is. Pure.
"""

import re
from collections.abc import Callable
from functools import cache

_WIDE = re.compile(r"[^\x00-\x7f\ufffd]{3,}")
_CUT_START = re.compile(rb"[\x80-\xbf]{0,2}")
_CUT_END = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})?$")
_LEAST_HAN = 0.6
_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而"
    "方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好"
    "应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向"
    "道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特"
    "件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处府"
    "文档请检查报告规定公司部门安全负责记录保存"
)


def mend(text: str) -> str:
    """The text as it read before; itself when nothing is wrong with it or nobody can tell."""
    if text.isascii():
        return text
    return _western()(_WIDE.sub(_mend_run, text))


@cache
def _western() -> Callable[[str], str]:
    """ftfy with everything but encodings turned off; loaded when a text is not plain ASCII."""
    import ftfy

    config = ftfy.TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
        replace_lossy_sequences=False,
        fix_c1_controls=False,
        explain=False,
    )
    return lambda text: ftfy.fix_encoding(text, config)


def _mend_run(match: re.Match[str]) -> str:
    run = match.group()
    try:
        data = run.encode("gb18030")
    except UnicodeError:  # half of a surrogate pair
        return run
    # A character of which the wrong reading lost a byte, at either end of the run.
    start, end = len(_CUT_START.match(data).group()), len(data)
    end -= len(_CUT_END.search(data).group())
    try:
        middle = data[start:end].decode("utf-8")
    except UnicodeError:
        return run
    han = [c for c in middle if "\u4e00" <= c <= "\u9fff"]
    common = sum(c in _COMMON for c in han)
    is_chinese = len(han) >= max(_LEAST_HAN * len(middle), 2) and common * 5 >= len(han)
    lost = "\ufffd"
    return f"{lost if start else ''}{middle}{lost if end < len(data) else ''}" if is_chinese else run
