"""An answer as HTML: its sentences with their markers, and the sources with their quotes.

Knows the answer's JSON and the words of `texts`. Does not know Streamlit.
"""

import json
import re
from collections.abc import Callable

from ui.client import Json
from ui.markup import Html, element, join, picture
from ui.texts import Texts
from ui.turn import ToolStep, Turn

CONTEXT_CHARS = 400
CLOCK_FROM_S = 2
STEP_CHARS = 100
SEARCH = "search"
REPORT = "research"
ReadFigure = Callable[[str], bytes]
"""The picture at the path that a citation names; none when there is none to be had."""
CJK_FROM, CJK_TO = "\u2e80", "\uffef"
_LIST_ITEM = re.compile(r"[-*•]\s|\d{1,2}(?:[.)]\s|、)")


def question_html(question: str) -> Html:
    """The question as it was typed."""
    return element("div", question, css="attest-question")


def answer_html(turn: Turn, texts: Texts) -> Html:
    """The released sentences in order, each followed by its markers, and by a mark when the
    evidence does not quite bear it out or another document says otherwise."""
    if not turn.sentences:
        return element("div", turn.text, css="attest-answer")
    parts: list[str] = []
    for sentence in turn.sentences:
        text, markers = _words_and_markers(sentence)
        parts += [_separator(text) if parts else "", text]
        parts += [_marker(turn, marker) for marker in markers]
        parts += _doubts(sentence, texts)
    return element("div", *parts, css="attest-answer", role="article")


def report_html(turn: Turn) -> Html:
    """A report: its headings and paragraphs, and no other Markdown, for what documents say is shown as
    it stands and leads nowhere."""
    parts = []
    for line in filter(None, turn.text.split("\n")):
        mark, _, words = line.partition(" ")
        level = len(mark) if set(mark) == {"#"} else 0
        parts.append(element(f"h{level + 2}", words) if 0 < level < 4 else element("p", line))
    return element("div", *parts, css="attest-answer", role="article")


def sources_html(turn: Turn, texts: Texts, read: ReadFigure = lambda _path: b"") -> Html:
    """Numbered cards: title, page, the picture that is cited, the exact quote, and the quote
    within its chunk."""
    cards = [_card(turn, citation, texts, read) for citation in turn.cited()]
    if not cards:
        return Html("")
    heading = element("div", texts("sources"), css="attest-heading")
    return element("section", heading, *cards, css="attest-sources", aria_label=texts("sources"))


def status_html(turn: Turn, texts: Texts, elapsed_s: int = 0) -> Html:
    """The line that says what is going on while an answer is made, and for how long."""
    known = texts.get(f"stage_{turn.stage}")
    words = known or turn.stage or texts("stage_start")
    detail = element("span", turn.detail, css="attest-muted") if turn.detail else Html("")
    spinner = element("span", css="attest-spinner", aria_hidden="true")
    # Not for screen readers: they would read out every second.
    clock = texts("elapsed", seconds=elapsed_s) if elapsed_s >= CLOCK_FROM_S else ""
    waited = element("span", clock, css="attest-muted", aria_hidden="true")
    parts = (spinner, element("span", words), detail, waited)
    return element("div", *parts, css="attest-status", role="status")


def steps_html(turn: Turn, texts: Texts) -> Html:
    """A line for each tool that was called: its name, its arguments, and what it gave."""
    return element("div", *[_step(step, texts) for step in turn.steps], css="attest-steps")


def abstention_html(turn: Turn, texts: Texts) -> Html:
    """What was looked for, and the documents that came nearest."""
    title = "cut_short_title" if turn.cut_short else "abstained_title"
    parts = [element("div", texts(title), css="attest-heading")]
    if turn.text:
        parts.append(element("p", turn.text))
    if turn.looked_for:
        items = [element("li", query) for query in turn.looked_for]
        parts += [element("div", texts("looked_for"), css="attest-label"), element("ul", *items)]
    if nearest := _nearest(turn):
        items = [element("li", title, _page(page, texts)) for title, page in nearest]
        parts += [element("div", texts("nearest"), css="attest-label"), element("ul", *items)]
    return element("div", *parts, css="attest-abstained", role="note")


def withheld_html(turn: Turn, texts: Texts) -> Html:
    """The sentences that were kept back, each with the guard's reason."""
    return element("ul", *[_withheld(item, texts) for item in turn.withheld], css="attest-withheld")


def footer_html(turn: Turn, texts: Texts) -> Html:
    """One quiet line: by which way the answer came when not by the search, whether it ended at a limit, how
    many sources, how long."""
    is_usual = turn.route in ("", SEARCH)
    parts = [] if is_usual else [texts.get(f"route_{turn.route}") or turn.route]
    if turn.cut_short:
        parts.append(texts("footer_cut_short"))
    if count := len(turn.citations):
        parts.append(texts("footer_sources", count=count))
    total_ms = turn.timings_ms.get("total")
    if isinstance(total_ms, int | float) and total_ms > 0:
        parts.append(texts("footer_seconds", seconds=f"{total_ms / 1000:.1f}"))
    return element("div", " · ".join(parts), css="attest-footer") if parts else Html("")


def copy_text(turn: Turn, texts: Texts) -> str:
    """The answer as plain text with its markers, doubts and sources, to be pasted elsewhere; of a report
    its Markdown, which holds all of that."""
    if turn.route == REPORT:
        return turn.text
    words = ""
    for sentence in turn.sentences:
        text, markers = _words_and_markers(sentence)
        words += (_separator(text) if words else "") + text + "".join(f"[{marker}]" for marker in markers)
        words += "".join(f" ({doubt})" for doubt, _ in _doubts_of(sentence, texts))
    lines = [words or turn.text]
    if sources := turn.cited():
        lines += ["", texts("sources")]
        for source in sources:
            page = texts("page", page=source["page"]) if source.get("page") else ""
            name = " · ".join(part for part in (_title(source), page) if part)
            lines.append(f"[{source['marker']}] {name}: “{source.get('quote', '')}”")
    return "\n".join(lines)


def _words_and_markers(sentence: Json) -> tuple[str, list[int]]:
    """A sentence's words without the markers of its citations, and these in order.

    A draft may carry its markers in its words; shown twice they would only be in the way.
    """
    markers = [marker for marker in sentence.get("citations") or [] if isinstance(marker, int)]
    text = str(sentence.get("text", ""))
    for marker in markers:
        text = re.sub(rf"\s*\[{marker}\]", "", text)
    return text.strip(), markers


def _separator(text: str) -> str:
    """What stands before a sentence that is not the first: list items start a line."""
    if _LIST_ITEM.match(text):
        return "\n"
    return "" if CJK_FROM <= text[:1] <= CJK_TO else " "


def _marker(turn: Turn, marker: int) -> Html:
    citation = turn.citations.get(marker, {})
    hint = f"{_title(citation)}: {citation.get('quote', '')}" if citation else ""
    return element("sup", f"[{marker}]", css="attest-marker", title=hint)


def _doubts(sentence: Json, texts: Texts) -> list[Html]:
    marks = _doubts_of(sentence, texts)
    return [element("span", words, css="attest-doubt", title=hint) for words, hint in marks]


def _doubts_of(sentence: Json, texts: Texts) -> list[tuple[str, str]]:
    """What tells a sentence from one that is borne out and undisputed, as words and a hint."""
    verdict = sentence.get("verdict") or {}
    label = str(verdict.get("label", "supported"))
    reason = str(verdict.get("reason") or "")
    marks = [] if label == "supported" else [(texts.get(f"verdict_{label}") or label, reason)]
    if sentence.get("conflicts"):
        marks.append((texts("conflict"), texts("conflict_help")))
    return marks


def _card(turn: Turn, citation: Json, texts: Texts, read: ReadFigure) -> Html:
    quote = str(citation.get("quote", ""))
    head = element(
        "div",
        element("span", str(citation["marker"]), css="attest-number"),
        element("span", _title(citation), css="attest-title", title=str(citation.get("uri", ""))),
        _page(citation.get("page"), texts),
        css="attest-card-head",
    )
    quoted = element("blockquote", element("mark", quote), css="attest-quote")
    shown = _picture(citation, quote, read)
    return element("div", head, shown, quoted, _context(turn, citation, quote, texts), css="attest-card")


def _picture(citation: Json, quote: str, read: ReadFigure) -> Html:
    path = citation.get("figure")
    data = read(path) if isinstance(path, str) and path else b""
    return picture(data, quote, "attest-figure") if data else Html("")


def _context(turn: Turn, citation: Json, quote: str, texts: Texts) -> Html:
    """The chunk around the quote, folded away; nothing where the quote is all there is."""
    chunk = turn.chunk_text(str(citation.get("chunk_id", "")))
    start = _start_of(quote, chunk, citation.get("start"))
    if start < 0 or not quote or len(chunk.strip()) <= len(quote.strip()):
        return Html("")
    end = start + len(quote)
    before, after = chunk[max(0, start - CONTEXT_CHARS) : start], chunk[end : end + CONTEXT_CHARS]
    text = join(
        "…" if start > CONTEXT_CHARS else "",
        before,
        element("mark", quote),
        after,
        "…" if end + CONTEXT_CHARS < len(chunk) else "",
    )
    return element(
        "details", element("summary", texts("in_context")), element("div", text), css="attest-context"
    )


def _start_of(quote: str, chunk: str, start: object) -> int:
    if isinstance(start, int) and chunk[start : start + len(quote)] == quote:
        return start
    return chunk.find(quote)


def _step(step: ToolStep, texts: Texts) -> Html:
    written = json.dumps(step.arguments, ensure_ascii=False)
    outcome = texts("tool_running") if step.text is None else step.text
    return element(
        "div",
        element("span", step.tool, css="attest-title"),
        element("code", _clipped(written)),
        element("span", f"→ {_clipped(outcome)}", css="attest-muted"),
        css="attest-step",
    )


def _clipped(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= STEP_CHARS else line[: STEP_CHARS - 1] + "…"


def _withheld(item: Json, texts: Texts) -> Html:
    verdict = item.get("verdict") or {}
    label = str(verdict.get("label", ""))
    why = texts.get(f"verdict_{label}") or label
    reason = str(verdict.get("reason") or "")
    tail = element("div", " · ".join(part for part in (why, reason) if part), css="attest-label")
    return element("li", element("span", str(item.get("text", "")), css="attest-muted"), tail)


def _nearest(turn: Turn, limit: int = 3) -> list[tuple[str, object]]:
    """The first documents of the hits, each once."""
    seen: dict[str, tuple[str, object]] = {}
    for hit in turn.hits:
        seen.setdefault(str(hit.get("document_id", "")), (_title(hit), hit.get("page")))
    return list(seen.values())[:limit]


def _title(source: Json) -> str:
    return str(source.get("title") or source.get("uri") or source.get("document_id") or "")


def _page(page: object, texts: Texts) -> Html:
    return element("span", texts("page", page=page), css="attest-page") if page else Html("")
