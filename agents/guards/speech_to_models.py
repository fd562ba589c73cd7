"""What of a text speaks to whoever writes an answer, not to a reader: orders, demands on the
reply, roles, requests for a text, questions, and lines that only a machine reads.

Broad on purpose: a hit alone bars nothing but plain orders; it says which sentences must show
that they speak of the question (`agents/guards/evidence_screen.py`). Pure; Chinese and English.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from agents.guards.unreadable import is_unreadable
from core.instructions import find_instructions


class Speech(StrEnum):
    """How a sentence speaks to a model. Orders and marks are plain, and what nobody can read is no
    evidence; a demand is on the reply; a request, a question or a greeting may be meant for
    people; code is for machines."""

    NONE = ""
    ORDER = "order"
    UNREADABLE = "unreadable"
    DEMAND = "demand"
    REQUEST = "request"
    QUESTION = "question"
    CODE = "code"


_REPLY = (
    r"(?:answer|response|reply|output|message|summary|solution|implementation|code(?:base)?|completion|task)"
)
_DEMAND = re.compile(
    rf"\b(?:your|you're)\s+(?:[\w'-]+\s+){{0,3}}{_REPLY}(?:s|'s|’s)?\b"
    r"|\b(?:in|to|from|with|of)\s+(?:the|this|each|every)\s+(?:answer|response|reply|output)\b"
    r"|\b(?:complete|say|saying|says|respond|reply|answer|output|print|return|write|type|repeat|append|display|echo)\b[^.?!\n]{0,48}[\"“'‘`\[«]"
    r"|\b(?:only|always|never|must|shall|will|should|exactly|simply|just)\s+(?:ever\s+|only\s+)?(?:respond|reply|say|output|print|repeat)\b"
    r"|\b(?:only|just|simply)\s+(?:write|type|give|tell)\b.{0,20}\b(?:answer|response|reply|output|words?)\b"
    # Rows of brackets close what stands before them for a model, and nothing for a reader.
    r"|(?:[\[\](){}]\s*){12,}"
    r"|\b(?:precede|preface|prefix|begin|start|end|finish)\s+(?:\w+\s+){0,2}(?:answers?|responses?|reply|replies|outputs?)\b"
    r"|</?\w*(?:prompt|instruction|input)\w*>|\bI\s+want\s+you\s+(?:to\s+)?(?:act|be|become|turn|behave|play|pretend|answer|respond|say)\b"
    r"|\b(?:do\s+not|don'?t|never)\s+(?:write|give|provide|add|include|offer)\s+(?:an?y?\s+|further\s+)?explanations?\b"
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
_DEMAND_WORDS = (
    "you", "answer", "respon", "repl", "output", "complete", "say", "print", "return", "write", "type",
    "repeat", "append", "display", "echo", "word", "(", ")", "[", "]", "{", "}", "prompt", "instruct",
    "input", "explanation", "pretend", "roleplay", "role-play", "act as", "acting as", "access", "pass",
    "secret", "gpt", "commentary", "jailbr", "model", "chatbot", "assistant", "ai language", "llm",
    "openai", "message", ":", "：", ">", "simulat", "overrid", "rule", "command", "everything",
    "anything", "order", "code", "script", "snippet", "```", "%", "#", "@", "$",
)  # fmt: skip
"""Every demand holds one of these in its folded form: to look for them costs a tenth of the pattern."""
_DEMAND_ZH = re.compile(
    r"你的(?:\w{0,4})?(?:回答|回复|答案|答复|输出|消息|代码)|在?(?:回答|回复|答案|答复|输出)(?:的)?(?:中|里|内|末尾|结尾|开头|最后|之后|后面|之前)"
    r"|(?:回答|回复|输出|打印|重复|复述|写上|加上|附上)(?:出)?(?:以下|下面|如下)?[^。！？\n]{0,12}[：:「“\"『‘]"
    # Who says something, in a report, stands before the word; a demand has nobody there.
    r"|(?:^|[，,。；;：:、请须只要你就先再并应该能\s])说出?(?:以下|下面|如下)?[^。！？\n]{0,12}[：:「“\"『‘]"
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
# Someone is spoken to, whoever that is.
_GREETING = re.compile(r"^\W{0,4}(?:hello|hi|hey|greetings)\b[^.!?\n]{0,40},\s*I(?:['’]m)?\s", re.IGNORECASE)
_LINK = re.compile(
    r"https?://|\bwww\.|\b[a-z0-9-]{2,}\.(?:com|net|org|xyz|io|info|biz|top|ru|cn|site|online|app)\b",
    re.IGNORECASE,
)
_KIND = r"(?:instruction|text|prompt|document|e?-?mail|message|command|content)s?"
_MODEL = r"(?:models?|ai|assistants?|chatbots?|llms?)"
# Attacks and security alone are subjects of history and of any handbook.
_ABOUT = re.compile(
    rf"\bprompt[\s-]*(?:inject|leak|attack)|\b(?:system|hidden)\s+prompt|jail[\s-]?br|phishing|\binject\w*\s+(?:into\s+)?{_KIND}\b"
    rf"|\b(?:malicious|hidden|suspicious|hostile|manipulat\w+|embedded)\W+(?:\w+\W+){{0,2}}{_KIND}\b"
    rf"|\battack\w*\b.{{0,40}}\b{_MODEL}\b|\b{_MODEL}\b.{{0,40}}\battack|instructions?\s+in(?:side)?\s+documents?"
    r"|提示词|提示注入|注入攻击|越狱|系统指令|(?:恶意|诱导|钓鱼|隐藏)(?:的)?(?:指令|邮件|文本|提示|内容|信息)"
    r"|(?:攻击|诱导|欺骗).{0,6}(?:模型|助手|AI)|(?:模型|助手|AI).{0,6}(?:攻击|诱导|欺骗)",
    re.IGNORECASE,
)
_NAME = r"[A-Za-z_]\w*(?:\.\w+)*"
_CODE = re.compile(
    rf"^\s*(?:>>>\s*)?(?:import\s+{_NAME}(?:\s*,\s*{_NAME})*(?:\s+as\s+\w+)?;?\s*$|from\s+{_NAME}\s+import\s"
    r"|(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[({:]|return\s+(?:\w*_\w+|\w+\(|[\[{\"'])|#include\b|<\?php|\$\w+\s*="
    r"|(?:async\s+)?(?:with|for|while|if|elif|except)\b.*[\[(=_].*:\s*$|(?:var|let|const)\s+\w+\s*=|function\s*\w*\("
    rf"|for\s+[a-z]\w{{0,2}}\s+in\s+[\w.]+:\s*$|for\s+\w+\s+in\s+{_NAME}\(|[{{\[]\s*[\"'][^\"']{{1,40}}[\"']\s*[:,]"
    # An assignment of something made, a call that is all of the line, an argument, a string of a list.
    rf"|{_NAME}(?:\[[^\]]*\])?(?:\s*,\s*{_NAME})*\s*[+-]?=\s*(?:[\[({{\"']|[frb][\"']|await\b|{_NAME}[(\[])"
    rf"|(?:await\s+)?{_NAME}\(.*[)(,\[{{;]+\s*$|{_NAME}\s+for\s+\w+\s+in\s|[\"'][^\"']{{1,80}}[\"']\s*[,:)\]]"
    r"|.*\)\s*\{\s*$|.*[=)]\s*;\s*$"
    # What spells nothing: a cipher, names run together.
    r")|(?:^|\s)(?:[01]{8}(?:\s+|$)){4,}|(?:^|\s)(?=\S*[A-Z])(?=\S*[a-z])(?![\w.+-]+@|https?:)[A-Za-z0-9+/_-]{24,}={0,2}(?:\s|$)|(?:^|\s)[A-Za-z0-9+/]{14,}={1,2}(?:\s|$)",
    re.ASCII,
)
_REMARK = re.compile(r"\s*(?:#|//|/\*|\*/|--\s)")
_ABOUT_CODE = re.compile(
    r"\b(?:code|coding|program|function|script|snippet|command|query|queries|api|sdk|endpoint|librar(?:y|ies)|import|method|"
    r"class|variable|argument|parameter|syntax|call|install|config|configur\w*|sql|python|java|javascript|json|xml|yaml|html|"
    r"curl|shell|bash|regex|hash|checksum|token|key|id|base64|encod\w*)s?\b|[_(){}`]"
    r"|代码|编程|程序|函数|脚本|命令|接口|语句|库|变量|参数|语法|调用|安装|配置|正则|哈希|校验|令牌|密钥|编码",
    re.IGNORECASE,
)


_DOTLESS = {0x131: "i", 0x307: None}
"""Forms of i that patterns which pass over case take for one."""


def speech_of(text: str) -> Speech:
    """How a sentence (or another short stretch) speaks to a model."""
    if gives_orders(text):
        return Speech.ORDER
    if is_unreadable(text):
        return Speech.UNREADABLE
    if _is_demand(text):
        return Speech.DEMAND
    if _CODE.search(text):
        return Speech.CODE
    if _REQUEST.search(text) or _REQUEST_ZH.search(text) or _LINK.search(text):
        return Speech.REQUEST
    if text.rstrip(" \"'”’）)]】*_").endswith(("?", "？")) or _GREETING.search(text):
        return Speech.QUESTION
    return Speech.NONE


def _is_demand(text: str) -> bool:
    plain = " ".join(text.casefold().split()).translate(_DOTLESS)
    if any(word in plain for word in _DEMAND_WORDS) and _DEMAND.search(text):
        return True
    return not text.isascii() and _DEMAND_ZH.search(text) is not None


def speeches_of(texts: Sequence[str]) -> list[Speech]:
    """How each piece of a text speaks; a remark beside lines of code is one of them."""
    found = [speech_of(text) for text in texts]
    for at, text in enumerate(texts):
        around = found[max(0, at - 1) : at] + found[at + 1 : at + 2]
        if found[at] in (Speech.NONE, Speech.REQUEST) and Speech.CODE in around and _REMARK.match(text):
            found[at] = Speech.CODE
    return found


def gives_orders(text: str) -> bool:
    """Whether a text of any length holds a plain order to a model."""
    return next(find_instructions(text), None) is not None


def asks_about_instructions(question: str) -> bool:
    """Whether a question is about such texts: then they are what it asks for."""
    return bool(_ABOUT.search(question))


def asks_about_code(question: str) -> bool:
    """Whether a question may be answered by a line of code, a key or the like."""
    return bool(_ABOUT_CODE.search(question))
