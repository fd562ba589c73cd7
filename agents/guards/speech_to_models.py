"""What of a text speaks to whoever writes an answer, not to a reader: orders, demands on the
reply, roles, requests for a text, questions.

Broad on purpose: a hit alone bars nothing but plain orders; it says which sentences must show
that they speak of the question (`agents/guards/evidence_screen.py`). Pure; Chinese and English.
"""

import re
from enum import StrEnum

from core.instructions import find_instructions


class Speech(StrEnum):
    """How a sentence speaks to a model. Orders and marks are plain; a demand is on the reply;
    a request or a question may be meant for people."""

    NONE = ""
    ORDER = "order"
    DEMAND = "demand"
    REQUEST = "request"
    QUESTION = "question"


_REPLY = (
    r"(?:answer|response|reply|output|message|summary|solution|implementation|code(?:base)?|completion|task)"
)
_DEMAND = re.compile(
    rf"\b(?:your|you're)\s+(?:[\w'-]+\s+){{0,3}}{_REPLY}(?:s|'s|’s)?\b"
    r"|\b(?:in|to|from|with|of)\s+(?:the|this|each|every)\s+(?:answer|response|reply|output)\b"
    r"|\b(?:complete|say|saying|says|respond|reply|answer|output|print|return|write|type|repeat|append|display|echo)\b[^.?!\n]{0,48}[\"“'‘`\[«]"
    r"|\b(?:only|always|never|must|shall|will|should|exactly|simply|just)\s+(?:ever\s+|only\s+)?(?:respond|reply|say|output|print|repeat)\b"
    r"|\b(?:respond|reply|answer|output)\s+(?:only|exactly|always|with)\b"
    r"|\b(?:pretend|role-?play(?:ing)?|act\s+as|acting\s+as|imagine\s+(?:that\s+)?you)\b"
    r"|\byou\s+(?:are|will\s+be|act)\s+(?:now\s+)?(?:an?\s+|the\s+)?(?:[\w-]+\s+){0,3}(?:assistant|ai|model|bot|chatbot|agent|door|guardian|translator|linux|terminal|interpreter|arbiter|teacher)\b"
    r"|\baccess\s+(?:grant(?:s|ed)?|denied|codes?)\b|\bgrant(?:s|ed)?\s+access\b|\bpass(?:word|code|phrase)s?\s+(?:is|was|are|has|to|you)\b"
    r"|\b(?:correct|right|required)\s+pass(?:word|code|phrase)s?\b|\bsecret\s+(?:key|code|word|phrase)\b"
    r"|\b(?:[\w]+-word|brief|short|exact|single|one|following)\s+(?:response|reply|answer)\b|\bwithout\s+(?:any\s+)?(?:explanation|commentary)\b"
    r"|\b(?:prompts?|jailbr(?:eak|oken)|language\s+model|chatbot|ai\s+(?:assistant|model|language)|llms?|chatgpt|openai)\b"
    r"|\b(?:user|sample|test)\s+(?:input|response|prompt)\b|\b(?:begin|end|start|stop)\s+(?:of\s+)?(?:user\s+)?(?:input|prompt|instructions?|access|message)\b"
    r"|(?m:^)\W{0,6}(?:system|assistant|user|human|ai|admin|developer|bot|model|question|attacker|defen[cs]e)\s*[:：>]"
    r"|\b(?:instructions?|instructed|simulat(?:e|ion|ed|or)|override|overrid(?:e|den)|rules?|commands?)\b.{0,60}\b(?:follow|ignore|new|updated?|above|below|previous|end|begin|execute)\b"
    r"|\b(?:follow|ignore|new|updated?|above|below|previous|end|begin|execute|disregard|forget|obey)\b.{0,40}\b(?:instructions?|instructed|simulation|rules?|commands?|everything|anything|orders?)\b"
    r"|\b(?:following|subsequent|below|given)\s+(?:piece\s+of\s+|block\s+of\s+)?(?:code|script|snippet|command)\b"
    r"|\b(?:print|console\.log|printf|echo|eval|exec)\s*\(|^\s*(?:```|[%#@$]{3,})",
    re.IGNORECASE,
)
_DEMAND_ZH = re.compile(
    r"你的(?:\w{0,4})?(?:回答|回复|答案|答复|输出|消息|代码)|在?(?:回答|回复|答案|答复|输出)(?:的)?(?:中|里|内|末尾|结尾|开头|最后|之后|后面|之前)"
    r"|(?:回答|回复|输出|打印|重复|复述|说出?|写上|加上|附上)(?:出)?(?:以下|下面|如下)?[^。！？\n]{0,12}[：:「“\"『‘]"
    r"|请?(?:只|仅|必须|一律|直接|始终|永远)(?:能|要|需)?(?:回答|回复|输出|说)|扮演|假装(?:你|成)|假设你是|想象你"
    r"|你(?:现在|从现在起)?(?:是|将是|作为)(?:一个|一名|一位)?[^。，\n]{0,8}(?:助手|模型|机器人|AI|人工智能|终端|翻译)"
    r"|(?:语言|大)模型|人工智能助手|AI\s?助手|提示词|越狱|(?m:^)\W{0,4}(?:系统|助手|用户|管理员|开发者)\s*[:：]"
    r"|(?:执行|遵循|按照|服从)(?:以下|下面|下列|如下|新的?)[^。\n]{0,6}(?:指令|命令|指示)|新(?:的)?(?:指令|指示|规则)"
)
_POLITE = (
    r"^\W{0,4}(?:(?:please|kindly|now|also|then|next|finally|first(?:ly)?|and|instead|additionally|can\s+you|could\s+you|"
    r"would\s+you|will\s+you|you\s+(?:must|should|need\s+to|have\s+to|can|may)|don'?t\s+(?:hesitate|forget)\s+to|"
    r"be\s+sure\s+to|make\s+sure\s+to|remember\s+to|in\s+addition|before\s+answering|after\s+that)\s*,?\s+){0,3}"
)
_REQUEST = re.compile(
    _POLITE
    + r"(?:(?:write|compose|draft|develop|provide|generate|create|craft|invent|explain|describe|narrate|"
    r"summari[sz]e|translate|paraphrase|rephrase|rewrite|convert|encode|decode|encrypt|decrypt|rearrange|scramble|shuffle|reverse|"
    r"jumble|misspell|substitute|anagram|render|capitali[sz]e|recommend|suggest|propose|analy[sz]e|classify|calculate|"
    r"compute|solve|integrate|incorporate|embed|modify|augment|enhance|introduce|weave|break\s+down|execute|advertise|"
    r"promote|repeat|print|output|convince|persuade|encourage|urge|visit|click|download|answer|respond|reply|say|speak|"
    r"act|behave|forget|ignore|disregard)\b"
    r"|(?:replace|use|group|combine|swap|remove|change|add|include)\b[^.!?\n]{0,48}\b(?:letters?|vowels?|consonants?|"
    r"words?|sentences?|characters|symbols|typos?|emojis?|rhymes?)\b)",
    re.IGNORECASE,
)
_REQUEST_ZH = re.compile(
    r"^\W{0,4}(?:请|麻烦|现在|然后|接下来|另外|务必|必须|帮我|给我|为我){0,3}(?:写|编写|撰写|创作|翻译|总结|概括|解释一下|描述|生成|"
    r"输出|重复|复述|打印|列出|告诉我|推荐|介绍一下|编造|改写|替换|把.{1,16}(?:翻译|替换|改|写|倒)|访问|点击|下载|安装|转发|扫描)"
)
_LINK = re.compile(
    r"https?://|\bwww\.|\b[a-z0-9-]{2,}\.(?:com|net|org|xyz|io|info|biz|top|ru|cn|site|online|app)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"prompt|inject|jail\s?br|attack|malicious|manipulat|phish|instructions?\s+in(?:side)?\s+documents?"
    r"|提示词|注入|越狱|攻击|恶意|诱导|系统指令",
    re.IGNORECASE,
)


def speech_of(text: str) -> Speech:
    """How a sentence (or another short stretch) speaks to a model."""
    if gives_orders(text):
        return Speech.ORDER
    if _DEMAND.search(text) or _DEMAND_ZH.search(text):
        return Speech.DEMAND
    if _REQUEST.search(text) or _REQUEST_ZH.search(text) or _LINK.search(text):
        return Speech.REQUEST
    if text.rstrip(" \"'”’）)]】*_").endswith(("?", "？")):
        return Speech.QUESTION
    return Speech.NONE


def gives_orders(text: str) -> bool:
    """Whether a text of any length holds a plain order to a model."""
    return next(find_instructions(text), None) is not None


def asks_about_instructions(question: str) -> bool:
    """Whether a question is about such texts: then they are what it asks for."""
    return bool(_ABOUT.search(question))
