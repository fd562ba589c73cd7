"""What a user says of themselves and asks to be remembered, by rules, in Chinese and English.

A statement has a key, so that a newer one takes the place of an older one: `name`, `workplace`,
`answer language`, or what it is about (the `deadline` of "remember that the deadline is Friday").
Questions state nothing. Pure; knows nothing of who speaks or where it is kept.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from core.text import detect_language, normalise, split_sentences

ANSWER_LANGUAGE = "answer language"
EVERYTHING = "*"
"""The key of a wish to forget all."""
MAX_VALUE_CHARS = 300
MAX_KEY_CHARS = 80
_LANGUAGES = {
    "en": re.compile(r"英文|英语|\benglish\b", re.IGNORECASE),
    "zh": re.compile(r"中文|汉语|\b(?:chinese|mandarin)\b", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing to be remembered. `lasts` is how long it holds by its own words (today, 本周);
    None: no end is said."""

    key: str
    value: str
    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says of the user: what to remember, which keys to forget, and whether it
    says nothing else, so that there is no question to be answered."""

    statements: tuple[Statement, ...] = ()
    forgotten: tuple[str, ...] = ()
    is_all: bool = False


_QUESTION = re.compile(
    r"[?？]|[吗呢]\s*[。.!！]?$|什么|多少|哪[里些个种位年天]|怎么|如何|是否|是不是|能否|为何|为什么|谁"
    r"|^\s*(?:who|what|when|where|which|why|how|do|does|did|is|are|am|can|could|will|would|should|may)\b",
    re.IGNORECASE,
)
_END = r"\s*[。.!！；;]*\s*$"
_POLITE = (
    r"(?:(?:please|pls|hi|hello|ok|okay|and|also|btw|by the way)\b[\s,]*"
    r"|(?:你好|您好|请|麻烦|另外|对了|还有)[，,\s]*)*"
)
_FRAME = re.compile(rf"^{_POLITE}|{_END}", re.IGNORECASE)
_ASKED_EN = re.compile(
    rf"^{_POLITE}(?:remember|keep in mind|note|don't forget|do not forget)"
    r"(?:\s+(?:that|this)\b)?\s*[:,]?\s+(?P<rest>.{2,})$",
    re.IGNORECASE,
)
_ASKED_ZH = re.compile(
    rf"^{_POLITE}(?:帮我|给我)?(?:记住|记一下|记下来?|记得|别忘了)(?:这一?[点件]事?)?[：:，,\s]*(?P<rest>.{{2,}})$"
)
_ASKED_AFTER = re.compile(
    rf"^(?P<rest>.{{2,}}?)[，,]\s*(?:请|你)?(?:记住|记一下|记得|please remember(?: (?:that|this))?){_END}",
    re.IGNORECASE,
)
_STANDING = re.compile(
    rf"^{_POLITE}(?:from now on|in (?:the )?future|always|以后|今后|从现在起|从现在开始)"
    r"[，,：:\s]*(?P<rest>.{2,})$",
    re.IGNORECASE,
)
_REPLY = re.compile(
    r"(?:(?:用|以)\s*(?:英文|英语|中文|汉语)\s*(?:来)?\s*(?:回答|回复|作答|答复|回应)(?:我|问题)?"
    r"|(?:answer|reply|respond|write)(?:\s+(?:to )?me)?(?:\s+(?:always|only))?"
    r"\s+in\s+(?:english|chinese|mandarin))"
    r"(?:\s*(?:from now on|please|吧))*",
    re.IGNORECASE,
)
_FORGET = re.compile(
    rf"^{_POLITE}(?:forget|忘[记掉了]|别再?记|删除|不要再?记)\s*(?:了)?\s*(?P<what>"
    r"(?:everything|all)(?:\s+(?:you know\s+)?about me)?|(?:关于)?我的?(?:一切|所有(?:信息|事情)?)"
    rf"|(?:my|我的|that my)\s*(?P<key>.{{1,60}}?)){_END}",
    re.IGNORECASE,
)
_PLAIN_EN = r"(?P<value>(?!.*\b(?:and|but|who|which|so|because)\b)[^,]{1,120}?)"
"""Of a longer sentence the rest may be what matters: "I am a customer and my battery is dead"."""
_SLOTS = tuple(
    (key, re.compile(rf"^{_POLITE}{pattern}{_END}", re.IGNORECASE))
    for key, pattern in (
        (
            "name",
            r"(?:my name(?: is|'s)|(?:you can )?call me|i(?: am|'m) called)\s+(?P<value>[^,.;!]{1,60})",
        ),
        ("name", r"(?:我的名字[是叫]|我叫|叫我|可以叫我|请叫我)\s*(?P<value>[^，,。;；]{1,30})"),
        ("workplace", rf"i(?:'m| am)? (?:work(?:ing)?|employed) (?:in|at|for|with) {_PLAIN_EN}"),
        (
            "workplace",
            r"我(?:现在|目前)?在(?P<value>[^，,]{1,60}?)(?:工作|上班|任职)|我(?:就职|任职)于(?P<value2>[^，,]{1,60}?)",
        ),
        ("home", rf"i(?:'m| am)? (?:live|living|based) in {_PLAIN_EN}"),
        ("home", r"我(?:现在|目前)?(?:住在|居住在|常驻)(?P<value>[^，,]{1,60}?)"),
        ("role", rf"i(?:'m| am) (?:an?|the) (?!bit\b|little\b|lot\b){_PLAIN_EN}"),
        ("role", r"我是(?:一[名个位])?(?P<value>(?![说想问指不在来要有为]|因为|觉得)[^，,]{1,40}?)"),
    )
)
_OWN = re.compile(
    rf"^{_POLITE}(?:my (?P<key>[a-z][\w' -]{{0,40}}?) (?:is|are)(?: now)? "
    r"|我的(?P<zh>.{1,20}?)(?:现在)?(?:是|为|改为|变成了?))"
    rf"(?P<value>.{{1,120}}?){_END}",
    re.IGNORECASE,
)
_LASTING = re.compile(
    r"favou?rite|preferred|\b(?:name|department|team|office|birthday|e-?mail|phone|manager|company|employer|job|title"
    r"|role|language|time ?zone|(?:employee|staff|account|customer) (?:number|id))\b"
    "|名字|姓名|部门|团队|工号|生日|邮箱|电话|手机号|经理|上级|公司|职位|岗位|语言|时区|城市|办公室|最喜欢",
    re.IGNORECASE,
)
"""What of one's own is remembered unasked. "My printer is broken" is no fact but a question."""
_ABOUT = re.compile(
    r"^(?:the |our |my )?(?P<key>[\w' -]{2,50}?) "
    r"(?:is|are|has moved to|was moved to|changed to|will be)(?: now)? (?P<value>.{1,200})$"
    r"|^(?:我们?的)?(?P<zh>[^是，,。]{1,25}?)(?:现在)?(?:改为|改成|改到|变成|是|为|在)(?P<zh_value>.{1,100})$",
    re.IGNORECASE,
)
_LASTS = (
    (timedelta(days=1), re.compile(r"今天|今日|\btoday\b|\btonight\b", re.IGNORECASE)),
    (timedelta(days=7), re.compile(r"本周|这周|这个?星期|\bthis week\b", re.IGNORECASE)),
    (timedelta(days=31), re.compile(r"本月|这个月|\bthis month\b", re.IGNORECASE)),
)


def read_said(message: str) -> Said:
    """What a message in Chinese or English says of the user."""
    spans = (span.of(message) for span in split_sentences(message))
    sentences = [part for sentence in spans for part in re.split("[;；]", sentence) if part.strip()]
    statements: list[Statement] = []
    forgotten: list[str] = []
    others = 0
    for sentence in sentences:
        if (key := _forgotten(sentence)) is not None:
            forgotten.append(key)
        elif (statement := _statement(sentence)) is not None:
            statements.append(statement)
        else:
            others += 1
    latest = {statement.key: statement for statement in statements}
    said = bool(latest or forgotten)
    return Said(tuple(latest.values()), tuple(dict.fromkeys(forgotten)), said and not others)


def language_wish(message: str) -> str:
    """The language that a message itself asks to be answered in: zh, en, or nothing."""
    wish = _REPLY.search(message)
    return _language_in(wish[0]) if wish else ""


def _statement(sentence: str) -> Statement | None:
    bare = sentence.strip()
    if wish := _REPLY.search(sentence):
        # Within a question it holds for that answer alone.
        rest = _STANDING.sub(lambda match: match["rest"], bare).replace(wish[0], "", 1)
        is_whole = not _FRAME.sub("", rest).strip("，, ")
        return Statement(ANSWER_LANGUAGE, _language_in(wish[0])) if is_whole else None
    asked = _ASKED_ZH.match(bare) or _ASKED_EN.match(bare) or _ASKED_AFTER.match(bare)
    body = (asked["rest"] if asked else sentence).strip()
    if _QUESTION.search(body):
        return None
    found = _slot(body, is_asked=asked is not None) or (_about(body) if asked else None)
    if found is None and (standing := _STANDING.match(body)):
        found = ("", standing[0])
    if found is None and not asked:
        return None
    key, value = found or ("", body)
    value = re.sub(_END, "", value).strip()
    key = key or _key(value)
    if not value or not key:
        return None
    lasts = next((span for span, pattern in _LASTS if pattern.search(sentence)), None)
    return Statement(key, value[:MAX_VALUE_CHARS], lasts)


def _slot(body: str, *, is_asked: bool) -> tuple[str, str] | None:
    """A key that every user has, or one of their own: my X is Y."""
    for key, pattern in _SLOTS:
        if match := pattern.match(body):
            groups = match.groupdict()
            return key, groups["value"] or groups.get("value2") or ""
    match = _OWN.match(body)
    if match is None or not (is_asked or _LASTING.search(match["key"] or match["zh"])):
        return None
    return own_key(match["key"] or match["zh"]), match["value"]


def _about(body: str) -> tuple[str, str] | None:
    """What a note is about, as its key, and the whole note: said again of the same thing, it is
    new."""
    match = _ABOUT.match(re.sub(_END, "", body))
    return (_key(match["key"] or match["zh"]), body) if match else None


def _forgotten(sentence: str) -> str | None:
    match = _FORGET.match(sentence)
    if match is None:
        return None
    if not match["key"]:
        return EVERYTHING
    return own_key(match["key"])


_SAME_KEY = {
    "名字": "name", "姓名": "name", "公司": "workplace", "employer": "workplace", "company": "workplace",
    "job": "role", "职位": "role", "职务": "role", "岗位": "role", "住址": "home", "address": "home",
    "language": ANSWER_LANGUAGE, "语言": ANSWER_LANGUAGE, "回答语言": ANSWER_LANGUAGE,
}  # fmt: skip


def _key(text: str) -> str:
    folded = re.sub(r"^(?:the|our|my|a|an|我们?的)\s*", "", normalise(text)).strip(" .。!！,，")
    return folded[:MAX_KEY_CHARS]


def own_key(text: str) -> str:
    """The key of what is one's own: my company is where I work."""
    return _SAME_KEY.get(_key(text), _key(text))


def _language_in(wish: str) -> str:
    return next((name for name, pattern in _LANGUAGES.items() if pattern.search(wish)), detect_language(wish))
