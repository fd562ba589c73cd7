"""Greetings, thanks, "who are you": what is said to the assistant and asks no document.

A message is small talk when it is made of such phrases from its first word to its last; one word
more, and it is a question. Pure; knows no documents, and is not asked before the curated answers.
"""

import re
import unicodedata
from enum import StrEnum

from core.text import CJK

MAX_CHARS = 80
"""What is longer says more than that."""


class SmallTalk(StrEnum):
    """What is said, the weightier first: of several in one message the first is answered."""

    IDENTITY = "identity"
    ABILITIES = "abilities"
    THANKS = "thanks"
    FAREWELL = "farewell"
    GREETING = "greeting"
    ASSENT = "assent"


_EN = {
    SmallTalk.IDENTITY: r"(?:who|what) (?:are|r) you|what(?: is|s| s) your name"
    r"|(?:please )?introduce yourself"
    r"|tell me about yourself|are you (?:an? |the )?(?:ro)?(?:bot|human|person|ai|machine|assistant|chatbot)",
    SmallTalk.ABILITIES: r"what can you do(?: for (?:me|us))?|what do you do|how (?:can|do"
    r"|could) you help(?: (?:me|us))?"
    r"|what can i ask(?: you)?|how do (?:you work|i use you)|(?:please )?help(?: me)?(?: please)?"
    r"|can you help(?: me)?",
    SmallTalk.THANKS: r"(?:(?:ok|okay|many|no) )?(?:thanks|thank you|thank u|thx|ty|much appreciated|cheers)"
    r"(?: (?:a lot|a million|so much|very much|again|for (?:your|the|all your) help|for (?:that|helping)))*",
    SmallTalk.FAREWELL: r"(?:good ?)?bye(?: bye)?(?: for now)?|see (?:you|ya)(?: (?:later|soon|tomorrow"
    r"|again))?"
    r"|good night|take care|have a (?:nice|good|great) (?:day|evening|weekend|one)",
    SmallTalk.GREETING: r"(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))"
    r"(?: (?:there|all|everyone|again|bot|assistant|attest))*|how are you(?: doing)?(?: today)?"
    r"|how(?: is|s| s) it going|what(?: is|s| s) up|nice to meet you|are you there",
    SmallTalk.ASSENT: r"(?:ok|okay|great|perfect|cool|nice|awesome|excellent|alright|all right|got it|i see"
    r"|understood|sounds good|well done|good job|never ?mind|no problem)",
}
_ZH = {
    SmallTalk.IDENTITY: "[你您]是(?:谁|什么(?:助手|机器人|模型|系统|人)?|哪位)|[你您](?:叫|的名字(?:是"
    "|叫))(?:什么|啥)(?:名字)?"
    "|[你您]是(?:不是)?(?:一?个)?(?:机器人|真人|人工智能|人类?|ai|助手)吗?"
    "|(?:请|麻烦)?(?:[你您])?(?:先)?(?:做一?个|做一?下)?(?:自我介绍|介绍(?:一下)?(?:[你您])?自己)(?:一?下"
    "|吧)?",
    SmallTalk.ABILITIES: "[你您](?:都)?(?:能|会|可以)(?:帮我|为我|替我)?(?:做|干)(?:些|点)?(?:什么|啥"
    "|哪些事情?)(?:事情?)?"
    "|[你您](?:都)?有(?:什么|哪些|啥)(?:功能|能力|本领|用处?)|我(?:能|可以)(?:问|向)[你您](?:问"
    "|提)?(?:些)?(?:什么|哪些)(?:问题)?"
    "|[你您](?:能|可以)?(?:怎么|如何|怎样)(?:帮|帮助)我|(?:怎么|如何|怎样)使?用[你您]|帮助|帮帮我",
    SmallTalk.THANKS: "(?:非常|十分|太|真是|真的|实在)?(?:感谢|谢谢|多谢|谢了|谢啦|谢谢啦|感激|辛苦)"
    "(?:[你您]们?|大家|了|啦|啊|哦|呀)*(?:的(?:帮助|回答|解答|耐心))?",
    SmallTalk.FAREWELL: "再见|拜拜|拜|回头见|回见|晚安|下次见|明天见|先这样(?:吧)?",
    SmallTalk.GREETING: "(?:[你您]们?好|大家好|嗨|哈[喽啰罗]|嘿|早上好|上午好|中午好|下午好|晚上好|早安"
    "|早)(?:呀|啊|哦|哇|吗)*"
    "|在吗|在不在|[你您]在吗|有人吗|(?:[你您])?最近(?:怎么样|好吗|如何)|很高兴认识[你您]",
    SmallTalk.ASSENT: "好(?:的|吧|啦|呀|嘞|滴)*|行(?:吧|了)?|嗯+|知道了|明白了?|了解了?|收到|没问题"
    "|太[好棒]了|很好|不错|真棒|可以了",
}
_WORDS = {kind: rf"(?:{_EN[kind]}|{_ZH[kind]})" for kind in SmallTalk}
_PHRASE = re.compile("|".join(f"(?P<{kind}>{words})" for kind, words in _WORDS.items()))
_LINK = rf"(?:(?<=[{CJK}])|(?=[{CJK}])|\s(?:and\s|but\s)?)"
_ANY = "|".join(_WORDS.values())
_ALL = re.compile(rf"(?:{_ANY})(?:{_LINK}(?:attest\b|{_ANY}))*")
_MARKS = re.compile(r"[^\w\s]+")
# What stands in them is named or quoted, not said: the film 《你的名字》 asks for nobody's name.
_QUOTED = re.compile("[《》〈〉「」『』“”\"`]")

REPLIES = {
    "zh": {
        SmallTalk.IDENTITY: "我是 Attest，根据您的文档回答问题，并为每一句话给出出处；文档里没有的，"
        "我会直说。",
        SmallTalk.ABILITIES: "您可以就已导入的文档提问，中文英文都行。每一句话我都会给出可核对的出处；"
        "文档中没有答案时，"
        "我会说明找过什么，而不会猜测。",
        SmallTalk.THANKS: "不客气。还有什么想从文档里查的吗？",
        SmallTalk.FAREWELL: "再见，随时可以再来提问。",
        SmallTalk.GREETING: "您好！请问想从文档里查什么？",
        SmallTalk.ASSENT: "好的。还有什么想从文档里查的吗？",
    },
    "en": {
        SmallTalk.IDENTITY: "I am Attest. I answer questions from your documents and show where each "
        "sentence stands; "
        "what they do not hold, I say so.",
        SmallTalk.ABILITIES: "Ask about the documents that were added, in English or Chinese. Each sentence "
        "of an answer names "
        "the place it rests on; where the documents do not hold the answer I say what I looked for and do "
        "not guess.",
        SmallTalk.THANKS: "You are welcome. Is there anything else to look up in the documents?",
        SmallTalk.FAREWELL: "Goodbye. Ask again at any time.",
        SmallTalk.GREETING: "Hello! What would you like to know from the documents?",
        SmallTalk.ASSENT: "All right. Is there anything else to look up in the documents?",
    },
}


def small_talk_of(message: str) -> SmallTalk | None:
    """What a message says when it says nothing else; None for every question to the documents."""
    if len(message) > MAX_CHARS or _QUOTED.search(message):
        return None
    words = " ".join(_MARKS.sub(" ", unicodedata.normalize("NFKC", message).casefold()).split())
    if not _ALL.fullmatch(words):
        return None
    said = {match.lastgroup for match in _PHRASE.finditer(words)}
    return next(kind for kind in SmallTalk if kind in said)
