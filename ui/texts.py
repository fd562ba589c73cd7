"""Every word of the page in English and Chinese. Knows nothing else.

Words of documents, answers and error messages never come from here.
"""

LANGUAGES = {"en": "English", "zh": "中文"}

_WORDS: dict[str, tuple[str, str]] = {
    "tagline": ("Answers with evidence, from your own documents.", "以您自己的文档作答，句句有据。"),
    "view_chat": ("Ask", "提问"),
    "view_documents": ("Documents", "文档"),
    "view_faq": ("FAQ", "常见问题"),
    "view_assistants": ("Assistants", "助手"),
    "view_memory": ("Memory", "记忆"),
    "language": ("Language", "语言"),
    "assistant": ("Assistant", "助手"),
    "no_assistant": ("None", "不使用"),
    "assistant_help": (
        "A saved way of answering. It never shows more than you may see.",
        "预设的回答方式，不会让您看到权限之外的内容。",
    ),
    "assistant_gone": (
        "The assistant of this chat is no longer there; it goes on without one.",
        "此对话使用的助手已不存在，将不使用助手继续。",
    ),
    "as_assistant": ("As the assistant has it", "由助手决定"),
    "as_before": ("As set", "沿用现有设置"),
    "left_open": ("Left open", "不指定"),
    "strategy": ("This chat recalls", "此对话的记忆方式"),
    "strategy_help": (
        "What of the chat is taken up when a question refers back to it.",
        "当问题提到前文时，从对话中取用哪些内容。",
    ),
    "strategy_full": ("Everything", "全部对话"),
    "strategy_window": ("The latest", "最近几轮"),
    "strategy_first_and_latest": ("Beginning and latest", "开头与最近"),
    "strategy_key_turns": ("What told most", "关键轮次"),
    "strategy_summary": ("A summary", "摘要"),
    "strategy_entities": ("Notes on names", "实体笔记"),
    "strategy_graph": ("Connected remarks", "关联内容"),
    "strategy_vector": ("What is alike", "相似内容"),
    "edit": ("Edit", "修改"),
    "save": ("Save", "保存"),
    "saved": ("Saved.", "已保存。"),
    "memory_on": ("Remember what I say of myself", "记住我关于自己的陈述"),
    "memory_help": (
        "Off: nothing more is remembered, and nothing remembered is used. It stays until you delete it.",
        "关闭后不再记住新的内容，也不使用已有内容；已有内容会保留，直到您删除。",
    ),
    "memory_none": (
        "Nothing is remembered. Say in a question: remember that …",
        "还没有记住任何内容。提问时可以说：请记住……",
    ),
    "memory_value": ("What is remembered", "记住的内容"),
    "memory_until": ("Until", "有效期至"),
    "memory_said": ("You said so on {day}", "您在 {day} 说过"),
    "memory_noted": ("You noted so on {day}", "您在 {day} 记下"),
    "memory_holds": ("holds until {day}", "有效期至 {day}"),
    "memory_forget_all": ("Forget everything", "全部忘记"),
    "memory_all": ("everything that is remembered of you", "关于您的全部记忆"),
    "fact_name": ("Name", "姓名"),
    "fact_workplace": ("Workplace", "工作单位"),
    "fact_home": ("Home", "住处"),
    "fact_role": ("Role", "职务"),
    "fact_answer_language": ("Language of answers", "回答语言"),
    "instructions_own": ("My instructions for all answers", "我对所有回答的要求"),
    "instructions": ("Instructions", "回答要求"),
    "instructions_help": (
        "Tone, length, language, format. Evidence is checked as ever, whatever stands here.",
        "语气、长短、语言、格式。无论写什么，依据都照常核对。",
    ),
    "assistant_new": ("New assistant", "新建助手"),
    "assistants_none": ("No assistants yet.", "还没有助手。"),
    "assistant_use": ("Use", "使用"),
    "assistant_name": ("Name", "名称"),
    "assistant_collections": ("Collections", "文档集"),
    "assistant_collections_help": ("None chosen: all that its user may see.", "不选则为使用者可见的全部。"),
    "assistant_effort": ("Effort", "细致程度"),
    "assistant_policy": ("How sure a sentence must be, at least", "句子至少要多可靠"),
    "assistant_language": ("Language of answers", "回答语言"),
    "assistant_memory": ("Its chats recall", "对话的记忆方式"),
    "assistant_role": ("… whose role is at least", "……且角色至少为"),
    "assistant_readers": ("Share with", "共享给"),
    "assistant_readers_help": (
        "Users and groups, parted by commas; everyone shares it with all. Empty: yours alone.",
        "用户或用户组，以逗号分隔；everyone 表示所有人。留空则仅自己可用。",
    ),
    "assistant_of": ("made by {owner}", "由 {owner} 创建"),
    "assistant_shared": ("shared with {readers}", "共享给 {readers}"),
    "policy_strict": ("Strict: supported only", "严格：仅有依据的"),
    "policy_balanced": ("Balanced: unsure ones marked", "均衡：不确定的加标记"),
    "policy_open": ("Open: unsupported ones marked", "宽松：无依据的加标记"),
    "role_reader": ("Reader", "读者"),
    "role_editor": ("Editor", "编辑"),
    "role_admin": ("Administrator", "管理员"),
    "collection": ("Collection", "文档集"),
    "effort": ("Effort", "细致程度"),
    "effort_help": (
        "How much evidence is read, and how long an answer may be.",
        "读取证据的多少，以及回答的长短。",
    ),
    "effort_quick": ("Quick", "快速"),
    "effort_standard": ("Standard", "标准"),
    "effort_deep": ("Deep", "深入"),
    "new_chat": ("New chat", "新对话"),
    "chats": ("Earlier chats", "历史对话"),
    "no_chats": ("Your chats will be listed here.", "您的对话会列在这里。"),
    "delete": ("Delete", "删除"),
    "delete_chat": ("Delete this chat", "删除此对话"),
    "delete_document": ("Delete this document", "删除此文档"),
    "delete_for_good": ("Delete {name} for good?", "确定永久删除“{name}”吗？"),
    "keep": ("Keep", "保留"),
    "untitled": ("Untitled", "未命名"),
    "token": ("API key", "API 密钥"),
    "token_wanted": (
        "This server asks for an API key. Enter yours in the sidebar.",
        "此服务器需要 API 密钥，请在侧边栏输入。",
    ),
    "token_refused": (
        "The server does not accept this API key. Enter another one in the sidebar.",
        "服务器不接受此 API 密钥，请在侧边栏重新输入。",
    ),
    "token_help": (
        "Kept for this browser tab only. Made by: attest keys create",
        "仅在此标签页内有效。创建命令：attest keys create",
    ),
    "ask_placeholder": ("Ask about your documents…", "就您的文档提问…"),
    "welcome": ("What would you like to know?", "您想了解什么？"),
    "welcome_body": (
        "Each sentence of an answer carries the numbers of its sources, with the exact words quoted. "
        "Where the documents do not say, the answer says so.",
        "答案的每句话都标有来源编号，并附原文引句；文档中没有的内容，会如实说明。",
    ),
    "documents_here": ("{count} documents in {name}", "“{name}”中共有 {count} 个文档"),
    "document_here": ("1 document in {name}", "“{name}”中共有 1 个文档"),
    "no_documents": ("No documents yet", "还没有文档"),
    "no_documents_body": (
        "Add files here, or on the command line:",
        "可在此添加文件，或使用命令行：",
    ),
    "add_documents": ("Add documents", "添加文档"),
    "stage_start": ("Sending the question", "正在提交问题"),
    "stage_planning": ("Reading the question", "正在理解问题"),
    "stage_searching": ("Searching the documents", "正在检索文档"),
    "stage_refused": ("Not a question about documents", "不是关于文档的问题"),
    "stage_screening": ("Leaving out text that speaks to a model", "正在排除针对模型的指令"),
    "stage_answering": ("Writing the answer", "正在撰写答案"),
    "stage_revising": ("Rewriting what the evidence does not bear out", "正在改写缺乏依据的句子"),
    "stage_checking": ("Checking each sentence against its evidence", "正在逐句核对依据"),
    "sources": ("Sources", "来源"),
    "sources_not_kept": (
        "Of earlier answers only the words are kept. Ask again to see their sources.",
        "历史回答只保留文字，如需查看来源请重新提问。",
    ),
    "in_context": ("Show in context", "查看上下文"),
    "page": ("p. {page}", "第 {page} 页"),
    "footer_sources": ("Sources: {count}", "来源：{count} 处"),
    "footer_seconds": ("{seconds} s", "用时 {seconds} 秒"),
    "elapsed": ("{seconds} s", "已用 {seconds} 秒"),
    "footer_cut_short": ("Stopped at a limit: there may be more", "已到上限，可能未答完"),
    "footer_curated": ("Curated answer", "人工审定的答案"),
    "thumb_thanks": ("Thank you.", "感谢反馈。"),
    "thumb_reason": ("What is wrong with it?", "哪里不对？"),
    "thumb_right": ("What would have been right?", "正确的答案是什么？"),
    "thumb_send": ("Send", "发送"),
    "faq_new": ("New curated answer", "新增审定答案"),
    "faq_question": ("Question", "问题"),
    "faq_answer": ("Answer", "答案"),
    "faq_answer_help": (
        "Each sentence is looked for in the documents; what they do not bear out is refused.",
        "逐句在文档中核对，文档中没有依据的句子会被拒绝。",
    ),
    "faq_force": ("Keep sentences without evidence", "保留没有依据的句子"),
    "faq_add": ("Add", "添加"),
    "faq_accept": ("Accept", "采纳"),
    "faq_look": ("Look for questions that keep coming up", "查找反复出现的问题"),
    "faq_nothing_new": ("No question keeps coming up.", "没有反复出现的问题。"),
    "faq_suggested": ("These questions keep coming up", "以下问题反复出现"),
    "faq_asked": ("Asked {count} times", "被问 {count} 次"),
    "faq_no_answer": ("No verified answer yet.", "尚无已核实的答案。"),
    "faq_none": ("No curated answers yet.", "还没有审定答案。"),
    "faq_valid": ("Valid", "有效"),
    "faq_expired": ("Expired, not used", "已失效，不再使用"),
    "faq_unverified": ("Without evidence in part", "部分内容没有依据"),
    "copy": ("Copy as text", "复制文本"),
    "cut_short_title": ("Stopped at a limit before an answer", "已到上限，尚未得出答案"),
    "abstained_title": ("The documents do not answer this", "文档中没有找到答案"),
    "looked_for": ("Looked for", "已检索"),
    "nearest": ("Nearest documents", "最接近的文档"),
    "withheld_one": (
        "1 sentence was withheld: the evidence does not bear it out",
        "有 1 句话因缺乏依据未予显示",
    ),
    "withheld": (
        "{count} sentences were withheld: the evidence does not bear them out",
        "有 {count} 句话因缺乏依据未予显示",
    ),
    "withheld_body": (
        "The draft said this, but it could not be verified. Do not rely on it.",
        "草稿中有以下内容，但未能核实，请勿采信。",
    ),
    "verdict_supported": ("Supported", "有依据"),
    "verdict_contradicted": ("The evidence says otherwise", "与依据相矛盾"),
    "verdict_unsupported": ("Not in the evidence", "依据中没有"),
    "verdict_unsure": ("Could not be decided", "无法判定"),
    "conflict": ("Documents disagree", "资料说法不一"),
    "conflict_help": (
        "Another document says otherwise; both are quoted, the newer first where their dates are known.",
        "另一份资料的说法不同；两者均已引用，日期可知时较新的在前。",
    ),
    "stopped": ("Stopped before the end.", "回答已中止。"),
    "cut_short": ("The reply ended before the answer was complete", "回答尚未完成，连接已结束"),
    "ask_again": ("Ask again.", "请重新提问。"),
    "failed_title": ("That did not work", "操作未成功"),
    "remedy_unreachable": ("Start it with: attest up", "请先启动服务：attest up"),
    "remedy_foreign": (
        "Set ATTEST_UI_API_URL to the address of the API.",
        "请将 ATTEST_UI_API_URL 设为 API 的地址。",
    ),
    "retry": ("Try again", "重试"),
    "upload_label": ("Files to add", "要添加的文件"),
    "upload_button": ("Add to {name}", "添加到“{name}”"),
    "uploading": ("Sending {name} ({number} of {count})", "正在上传 {name}（{number}/{count}）"),
    "job_waiting": (
        "{name} is safe and waits for its turn ({number} of {count}). You may leave this page.",
        "{name} 已安全保存，正在排队（{number}/{count}）。可以离开本页。",
    ),
    "job_running": ("Reading {name} ({number} of {count})", "正在读取 {name}（{number}/{count}）"),
    "job_done": ("{name} is read ({number} of {count})", "{name} 已读完（{number}/{count}）"),
    "job_failed": ("{name} failed ({number} of {count})", "{name} 失败（{number}/{count}）"),
    "job_cancelled": ("{name} was cancelled ({number} of {count})", "{name} 已取消（{number}/{count}）"),
    "report": (
        "Added {added} · updated {updated} · unchanged {skipped} · failed {failed}",
        "新增 {added} · 更新 {updated} · 未变 {skipped} · 失败 {failed}",
    ),
    "failures": ("These files could not be added", "以下文件未能添加"),
    "failure_file": ("File", "文件"),
    "failure_code": ("Code", "代码"),
    "failure_reason": ("Reason", "原因"),
    "filter": ("Filter by title", "按标题筛选"),
    "none_match": ("No title matches.", "没有匹配的标题。"),
    "more_documents": ("{count} more: narrow the filter to see them.", "另有 {count} 个，请缩小筛选范围。"),
    "chunks": ("{count} chunks", "{count} 个片段"),
    "newer_waiting": ("a newer version waits", "新版本等待处理"),
    "newer_failed": ("a newer version failed", "新版本处理失败"),
    "pages": ("{count} pages", "{count} 页"),
}


class Texts:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._column = list(LANGUAGES).index(self.language)

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key` with its values put in. An unknown key is a fault: `KeyError`."""
        return _WORDS[key][self._column].format(**values)

    def get(self, key: str) -> str:
        """The text of `key`, or nothing: for names that come from the API."""
        return _WORDS[key][self._column] if key in _WORDS else ""


def language_of(locale: str | None) -> str:
    """`zh` for any Chinese locale of a browser, else `en`."""
    return "zh" if (locale or "").lower().startswith("zh") else "en"
