"""The word of thanks for what a user only tells: it says what is remembered, and asks no document.

Knows the rules and the texts; knows nothing of the graph.
"""

from agents.memory.background import Background
from agents.memory.statements import ANSWER_LANGUAGE, read_said
from core.text import detect_language

KEPT = {
    "zh": "已记住：{what}。可在记忆中查看、修改或删除。",
    "en": "Noted: {what}. You can list, edit or delete what is remembered.",
}
FORGOTTEN = {"zh": "已忘记。", "en": "Forgotten."}
SWITCHED_OFF = {
    "zh": "你已关闭记忆，因此没有记住。",
    "en": "Your memory is switched off, so this was not remembered.",
}


def acknowledge(message: str, background: Background, wished: str = "") -> str:
    """What is answered to a message that holds statements or wishes to forget and nothing else, in the
    language that it wishes for, else the `wished` one, else its own; empty for every other one, and where
    nothing is ever remembered."""
    if background.keeps_facts is None:
        return ""
    said = read_said(message)
    if not said.is_all:
        return ""
    language = wished or detect_language(message)
    named = [s.value for s in said.statements if s.key == ANSWER_LANGUAGE]
    language = named[-1] if named else language
    if not background.keeps_facts:
        return SWITCHED_OFF[language]
    parts = [FORGOTTEN[language]] if said.forgotten else []
    if said.statements:
        mark = "；" if language == "zh" else "; "
        parts.append(KEPT[language].format(what=mark.join(_shown(s.key, s.value) for s in said.statements)))
    return " ".join(parts)


def _shown(key: str, value: str) -> str:
    return value if key in value.casefold() else f"{key}: {value}"
