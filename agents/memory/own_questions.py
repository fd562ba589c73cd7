"""Questions of users about what they said of themselves, answered from their facts, with the day.

By rules, in Chinese and English, and only where there is such a fact: every other question goes its
ordinary way, as "my notice period" may stand in a document. Pure; knows nothing of the graph.
"""

import re

from agents.memory.background import Background
from agents.memory.facts import Fact
from agents.memory.statements import ANSWER_LANGUAGE, EVERYTHING, own_key
from core.text import detect_language, normalise

MAX_TOLD = 20
"""Facts of an answer to what is known at all."""
_LEAD = (
    r"(?:(?:hi|hello|hey|please|ok|okay|so|and|well)\b[\s,]*)*"
    r"(?:(?:do|can|could|would) you (?:still |please )*(?:know|remember|recall|tell me|remind me of)\s+"
    r"|(?:tell|remind) me (?:again )?(?:of )?)?"
)
_END = r"(?:\s+(?:again|now|please))*\s*[?？.!。！]*$"
_LEAD_ZH = (
    r"(?:(?:请问|请|你好|您好|那|告诉我|[你您](?:还|还能)?(?:知道|记得|记不记得|知不知道)(?:吗)?)[，,\s]*)*"
)
_END_ZH = r"(?:来着|吗|呢|呀|啊|吧)*(?:[，,]?[你您](?:还)?(?:知道|记得)吗)?\s*[?？.!。！]*$"
_WHAT_ZH = r"(?:什么|啥|多少|谁|几号|何时|什么时候|哪[里儿个家天位]?|怎么(?:写|称呼))"
_QUESTIONS = (
    ("en", "name", r"who (?:am i|i am)|what (?:am i|i am) called|what i'?m called"),
    ("en", "workplace", r"(?:where|who(?:m)?) (?:do )?i (?:currently )?work(?: for| at)?"),
    ("en", "home", r"where (?:do )?i (?:currently )?live|where (?:am i|i am) (?:based|living)"),
    (
        "en",
        "role",
        r"what (?:do )?i do (?:for a living|for work)|what(?:'s| is) my (?:profession|occupation)",
    ),
    ("en", EVERYTHING, r"what (?:all )?(?:do )?you (?:know|remember|have noted) (?:about|of) me"),
    ("en", EVERYTHING, r"what (?:have|did) i (?:tell|told) you(?: so far)?(?: about (?:me|myself))?"),
    ("en", EVERYTHING, r"what (?:have|did) i (?:ask|asked) you to (?:remember|note)"),
    ("zh", "name", r"我(?:叫|是)(?:什么(?:名字)?|啥(?:名字)?|谁)|我的(?:名字|姓名)"),
    (
        "zh",
        "workplace",
        r"我(?:现在|目前)?(?:是)?在(?:哪[里儿]?|什么地方|[哪什][个家么](?:公司|单位|办公室))(?:工作|上班)",
    ),
    ("zh", "home", r"我(?:现在|目前)?(?:是)?(?:住|居住|常驻)在?(?:哪[里儿]?|什么地方)"),
    ("zh", "role", r"我是(?:做|干)(?:什么|啥)(?:工作)?的|我(?:做|干)(?:什么|啥)工作"),
    ("zh", EVERYTHING, r"[你您]?都?(?:知道|记得|了解|记住了?)(?:关于)?我的?(?:什么|些什么|哪些\S{0,4})"),
    ("zh", EVERYTHING, r"关于我[，,]?[你您]都?(?:知道|记得|了解|记住了?)(?:什么|些什么|哪些\S{0,4})"),
    ("zh", EVERYTHING, r"我(?:让|请|叫|要)[你您]记(?:住|下|得)?了?(?:什么|些什么|哪些\S{0,4})"),
)
_FRAMES = {"en": (_LEAD, _END), "zh": (_LEAD_ZH, _END_ZH)}
_ASKED = tuple(
    (key, re.compile(f"^{_FRAMES[language][0]}(?:{pattern}){_FRAMES[language][1]}"))
    for language, key, pattern in _QUESTIONS
)
_OWN = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^{_LEAD}(?:(?:what|who|when|where|which)(?:'s| is| are| was)?)? ?my (?P<key>[a-z][\w' -]{{0,40}}?)"
        rf"(?: is| are| was)?{_END}",
        rf"^{_LEAD_ZH}我的?(?P<key>[^\s，,是叫为在的]{{1,20}}?)(?:是|叫|为|在)?{_WHAT_ZH}{_END_ZH}",
        rf"^{_LEAD_ZH}我(?:是|在|属于)(?:什么|哪一?个)(?P<key>部门|团队|公司|办公室|城市)(?:的|工作|上班)?{_END_ZH}",
    )
)
_ALIKE = (
    ("department", "部门"), ("team", "团队"), ("birthday", "生日"), ("email", "e-mail", "邮箱"),
    ("phone", "phone number", "电话", "手机号"), ("manager", "boss", "经理", "上级"), ("city", "城市"),
    ("office", "办公室"), ("employee number", "employee id", "staff number", "工号"),
)  # fmt: skip
"""Keys of the same thing, in either language."""
_TOLD = {
    "en": {"name": "Your name is {value}", "home": "You live in {value}", "": "Your {key}: {value}"},
    "zh": {
        "name": "你叫{value}",
        "home": "你住在{value}",
        "workplace": "你在{value}工作",
        "role": "你是{value}",
        "": "你的{key}：{value}",
    },
}
_SOURCE = {
    "en": ("(you said so on {day})", "(you noted so on {day})"),
    "zh": ("（你在 {day} 说过）", "（你在 {day} 记下）"),
}
_ENDS = {"en": ".", "zh": "。"}


def answer_about_oneself(question: str, background: Background, wished: str = "") -> str:
    """What is answered to a question about a fact of the one who asks, in the `wished` language or that which
    they named or wrote in; empty for every other question, and where there is no such fact."""
    asked = asked_key(question)
    if not asked:
        return ""
    facts = [fact for fact in background.facts if asked == EVERYTHING or fact.key in _alike(asked)]
    language = wished or background.answer_language or detect_language(question)
    return "\n".join(_told(fact, language) for fact in facts[:MAX_TOLD])


def asked_key(question: str) -> str:
    """The key of the fact that a question is about, EVERYTHING for all; empty when it asks for none."""
    plain = normalise(question).replace("’", "'")
    for key, pattern in _ASKED:
        if pattern.match(plain):
            return key
    match = next((found for pattern in _OWN if (found := pattern.match(plain))), None)
    return own_key(match["key"]) if match else ""


def _alike(key: str) -> tuple[str, ...]:
    return next((keys for keys in _ALIKE if key in keys), (key,))


def _told(fact: Fact, language: str) -> str:
    forms = _TOLD[language]
    if fact.key == ANSWER_LANGUAGE or fact.key not in fact.value.casefold():
        key = next((name for name in _alike(fact.key) if detect_language(name) == language), fact.key)
        words = forms.get(fact.key, forms[""]).format(key=key, value=fact.value)
    else:
        words = fact.value
    said, noted = _SOURCE[language]
    source = (said if fact.session_id else noted).format(day=fact.said[:10])
    gap = " " if language == "en" else ""
    return f"{words.rstrip('.。')}{gap}{source}{_ENDS[language]}"
