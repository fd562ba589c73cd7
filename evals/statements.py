"""Statements in other words than the evidence: a question joined with its answer, a sentence
with clauses dropped, moved or said with synonyms.

By rule, so that they can be made without end; pure given the random source.
"""

import random
import re

from core.text import detect_language

ASKING_ZH = re.compile(
    "(?:是)?(?:在)?(?:什[么麼](?:名字|时候|時候|时间|地方|人|样的人)?|多少[年天個个種种次名元米岁歲人]?|[谁誰]|哪[一些個个裡里年位種种座支]*|"
    "何[时時地人处處]|几[年天個个種种次月号日])"
)
_WH = re.compile(r"^(?:in |on |at |by |for |to )?(?:who|what|which|when|where)\b", re.IGNORECASE)
_SYNONYMS = (
    ("因为", "由于"), ("但是", "不过"), ("表示", "指出"), ("位于", "坐落于"), ("开始", "着手"),
    ("建立", "设立"), ("出生", "诞生"), ("目前", "现在"),
    ("非常", "十分"), ("拥有", "具有"), ("使用", "采用"), ("以及", "和"), ("大约", "约"),
    ("认为", "觉得"), ("之后", "以后"), ("进行", "开展"),
    ("也是", "同样是"), ("其中", "当中"), ("虽然", "尽管"), ("成为", "变成"), ("参加", "出席"),
    ("获得", "取得"), ("公布", "发布"), ("报道", "消息"),
    ("said", "stated"), ("because", "since"), ("also", "as well"), ("began", "started"),
    ("however", "but"), ("used", "employed"),
    ("large", "big"), ("show", "indicate"), ("shows", "indicates"), ("located", "situated"),
    ("about", "roughly"), ("many", "numerous"),
    ("such as", "like"), ("purchased", "bought"), ("obtained", "got"), ("required", "needed"),
    ("during", "in the course of"),
    ("although", "even though"), ("help", "assist"), ("found", "discovered"), ("main", "chief"),
    ("often", "frequently"), ("important", "significant"),
    ("known as", "called"), ("approximately", "about"), ("children", "kids"), ("movie", "film"),
    ("created", "made"), ("became", "turned into"),
    ("died", "passed away"), ("near", "close to"), ("several", "a number of"), ("released", "published"),
    ("built", "constructed"),
)  # fmt: skip
_WRAPS = {
    "zh": ("资料显示，{}", "据介绍，{}", "由此得知，{}", "文中提到，{}", "{}"),
    "en": (
        "According to the text, {}",
        "It is stated that {}",
        "The source says that {}",
        "As far as is known, {}",
        "{}",
    ),
}


def join_answer(question: str, answer: str, rng: random.Random) -> str:
    """Question and answer as one statement. Where no rule fits, the two stand side by side."""
    asked = question.strip().rstrip("？?。.").strip()
    if detect_language(question + answer) == "zh":
        match = ASKING_ZH.search(asked)
        if match and rng.random() < 0.9:
            verb = (
                "是"
                if match.group().startswith("是")
                or match.start() == 0
                and asked[match.end() : match.end() + 1] not in "是"
                else ""
            )
            verb = "" if match.start() == 0 else verb
            return f"{asked[: match.start()]}{verb}{answer}{asked[match.end() :]}。"
        return rng.choice(
            (
                f"{asked}：{answer}。",
                f"{asked}，答案是{answer}。",
                f"{asked}是{answer}。" if not match else f"{asked}？{answer}。",
            )
        )
    return _join_english(asked, answer, rng)


def _join_english(asked: str, answer: str, rng: random.Random) -> str:
    lower = asked[:1].lower() + asked[1:]
    if match := re.match(r"who\s+(?!(?:is|was|are|were|did|does|do)\b)(.+)", lower):
        return f"{answer} {match[1]}."
    if match := re.match(r"(?:who|what)\s+(is|was|are|were)\s+(.+)", lower):
        subject = match[2]
        subject = subject[:1].upper() + subject[1:]
        return rng.choice((f"{subject} {match[1]} {answer}.", f"{answer} {match[1]} {match[2]}."))
    if match := re.match(r"(?:when|where|in what year)\s+(was|were|is|are|did|does|do)\s+(.+)", lower):
        rest, _, verb = match[2].rpartition(" ")
        link = "" if re.match(r"(?:in|on|at)\b", answer) else (" on " if "," in answer else " in ")
        aux = "" if match[1].startswith("d") else f" {match[1]}"
        if rest:
            return f"{rest[:1].upper() + rest[1:]}{aux} {verb}{link or ' '}{answer}."
    if match := re.match(r"how (?:many|much) (\w+) (.+)", lower):
        return rng.choice(
            (f"{answer} {match[1]} {match[2]}.", f"The number of {match[1]} {match[2]}: {answer}.")
        )
    if match := re.match(r"(?:what|which) (\w+) (?!(?:is|was|are|were|did|does|do)\b)(.+)", lower):
        return f"{answer} is the {match[1]} that {match[2]}."
    if _WH.match(lower):
        return rng.choice((f"{asked[:1].upper() + asked[1:]}? {answer}.", f"As to {lower}, it is {answer}."))
    subject = asked[:1].upper() + asked[1:]
    return rng.choice((f"{subject}: {answer}.", f"The answer for {lower} is {answer}."))


def paraphrase(sentence: str, rng: random.Random) -> str:
    """A sentence in other words: brackets and a clause dropped, clauses moved, some synonyms, a
    lead. What is left is still said by the original."""
    language = detect_language(sentence)
    end = "。" if language == "zh" else "."
    body = re.sub(r"\s*[（(][^（）()]*[）)]", "", sentence).strip().rstrip("。.;；！!")
    comma = "，" if language == "zh" else ", "
    parts = [part for part in re.split("，" if language == "zh" else ", ", body) if part.strip()]
    if len(parts) >= 3 and rng.random() < 0.6:
        del parts[rng.choice(range(1, len(parts)))]
    if (
        len(parts) >= 2
        and rng.random() < 0.35
        and all(len(p) > (5 if language == "zh" else 15) for p in parts[:2])
    ):
        parts[0], parts[-1] = parts[-1], parts[0]
    body = comma.join(parts)
    for one, other in rng.sample(_SYNONYMS, len(_SYNONYMS)):
        first, second = (one, other) if rng.random() < 0.5 else (other, one)
        pattern = rf"\b{first}\b" if first.isascii() else first
        if rng.random() < 0.7:
            body = re.sub(pattern, second, body, count=1)
    if rng.random() < 0.4:
        lead = rng.choice(_WRAPS[language])
        if language == "en" and lead != "{}" and not re.match(r"[A-Z]\w+ [A-Z]|[A-Z]{2}|I\b", body):
            body = (
                body[:1].lower() + body[1:]
                if re.match(r"(?:The|A|An|In|On|It|This|These|They|He|She)\b", body)
                else body
            )
        body = lead.format(body)
    return body + end
