"""Bad cases as rows of the answers evaluation: what was answered badly once is asked again.

Pure functions; the rows are those that `attest eval answers` reads.
"""

import re
import unicodedata
from collections.abc import Sequence

from agents.bad_cases import BadCase
from agents.keywords import segments
from core.text import detect_language
from core.wording import codes, names, numbers

MAX_WORDS = {"zh": 8, "en": 4}
MAX_SEGMENTS = 3
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*|[零〇一二两三四五六七八九十百千万亿]+|[A-Za-z]+")
_WORD = re.compile(r"[A-Za-z](?:[A-Za-z0-9./_-]*[A-Za-z0-9])?")
# Mostly no number: 一般, 一些.
_LOOSE = "一"
_ENDS = " \t\r\n.。!！?？;；"


def golden_row(case: BadCase, right_answer: str, sources: Sequence[str]) -> dict:
    """The row of a case whose right answer is known; `sources` are uris."""
    files = dict.fromkeys(uri.rstrip("/").rpartition("/")[2] for uri in sources)
    return {
        "id": case.answer_id,
        "question": case.question,
        "answerable": True,
        "must_match": must_match(right_answer),
        "sources": list(files),
        "right_answer": right_answer,
        "causes": [cause.kind.value for cause in case.causes],
    }


def must_match(right_answer: str) -> list[list[str]]:
    """What an answer must hold: a short right answer itself; of a longer one its numbers, written
    either way, its codes and names; of one without any the first of its content words."""
    text = unicodedata.normalize("NFKC", right_answer).strip(_ENDS)
    language = detect_language(text)
    size = len(text) if language == "zh" else len(text.split())
    if size <= MAX_WORDS[language]:
        return [[text]]
    written = [word for word in _WORD.findall(text) if codes(word)]
    rest = text
    for word in written:
        rest = rest.replace(word, " ")
    facts = [*_numbers(rest), *([word] for word in [*written, *sorted(names(text))])]
    wanted = facts or [[word] for word in segments(text)[:MAX_SEGMENTS]]
    return [group for at, group in enumerate(wanted) if group not in wanted[:at]] or [[text]]


def _numbers(text: str) -> list[list[str]]:
    """Each number as it is written, and in digits."""
    groups = []
    for word in _NUMBER.findall(text):
        values = numbers(word)
        if len(values) == 1 and word != _LOOSE:
            groups.append(list(dict.fromkeys([word, f"{values.pop():g}"])))
    return groups
