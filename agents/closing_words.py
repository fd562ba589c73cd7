"""What an answer says of itself at its end, in both languages: declined, cut short, refused, or waiting."""

NOT_HELD = {
    "zh": "文档中没有找到这个问题的答案。查找的是：{queries}。",
    "en": "The documents do not hold the answer to this question. Looked for: {queries}.",
}
NOT_ALL = {
    "zh": "（文档中没有找到：{parts}）",
    "en": "(Not found in the documents: {parts})",
}
UNANSWERED = {
    "zh": "（这部分没有得到回答：{parts}）",
    "en": "(Left without an answer: {parts})",
}
"""Of parts that the documents may well hold: the draft says nothing of them, or what it says was withheld."""
WITHDRAWN = {
    "zh": "（未列入 {count} 句，因为所依据的文档已被更改、删除或您已无权阅读：{titles}）",
    "en": "(Sentences left out, for the documents behind them have changed, are gone or may not be read by "
    "you any more: {count} of {titles})",
}
UNNAMED = {"zh": "不再列出标题的章节", "en": "sections that are not named any more"}
NEAREST = {"zh": "最接近的文档：{titles}。", "en": " The nearest documents: {titles}."}
LIMITS = {
    "seconds": {"zh": "时间", "en": "time"},
    "model_calls": {"zh": "模型调用次数", "en": "model calls"},
    "tokens": {"zh": "用量", "en": "tokens"},
}
STOPPED_AT = {
    "zh": "（已达到这一细致程度的{limit}上限，回答到此为止，可能还有遗漏。）",
    "en": "(Stopped at the limit of {limit} of this effort; there may be more.)",
}
NOTHING_YET = {
    "zh": "已达到这一细致程度的{limit}上限，尚未得到可核实的回答。可选择更高的细致程度再问一次。",
    "en": "The limit of {limit} of this effort was met before a verified answer was found. Ask again with "
    "more effort.",
}
WAITING = {
    "zh": "需要您批准才能继续：{tool}。批准、修改或拒绝后，这次对话会接着进行。",
    "en": "This waits for your approval: {tool}. Approve, edit or reject it, and the conversation goes on.",
}
REFUSED = {
    "instructions": {
        "zh": "这个问题要求系统改变自己的规则，因此不予回答。Attest 只回答关于文档内容的问题。",
        "en": "This question asks the system to change its own rules, so it is not answered. "
        "Attest answers questions about what the documents say.",
    },
    "secrets": {
        "zh": "这个问题索要系统自身的提示词、密钥或配置，因此不予回答。Attest 只回答关于文档内容的问题。",
        "en": "This question asks for the system's own prompt, keys or settings, so it is not answered. "
        "Attest answers questions about what the documents say.",
    },
}
