"""A report: what it is about, which sections it has, and how what was found becomes Markdown.

Pure. Knows questions, hits and checked sentences; knows no search and no model.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace

from agents.drafting import join_sentences
from agents.guards.exact import negation_differs
from agents.guards.outgoing import plain_pictures, strip_links
from agents.guards.speech_to_models import Speech, speech_of
from agents.records import read_citation, read_sentence, sentence_record
from core.text import detect_language
from core.types import Citation, Hit, Sentence, Status, Usage
from retrieval.terms import split_terms

_FORM_ZH = "(?:报告|综述|调研|白皮书|总结|分析|梳理)"
_TOPIC_ZH = (
    re.compile(
        r"(?:关于|有关|针对|围绕)\s*(?P<topic>.+?)(?:的|，|,|\s)*(?:写|做|出|生成)?(?:一[份篇个])?"
        rf"(?:详细|全面|完整|深入|调研|研究|分析)*的?{_FORM_ZH}"
    ),
    re.compile(r"(?:梳理|总结|分析|调研|研究|介绍|综述)(?:一下)?\s*(?P<topic>.+)$"),
    re.compile(
        rf"(?:写|撰写|生成|出|做|整理|提供|起草)(?:一[份篇个])?\s*(?P<topic>.+?)的?(?:调研|研究|分析)?{_FORM_ZH}"
    ),
)
_TOPIC_EN = (
    re.compile(
        r"\b(?:report|overview|survey|white ?paper|briefing|dossier|analysis|review|summary|study|research)\b"
        r"\s+(?:report\s+)?(?:on|of|about|for|into|regarding)\s+(?P<topic>.+)$",
        re.IGNORECASE,
    ),
)
_ASPECTS = re.compile(
    r"[，,;；:：]?\s*(?:其中)?(?:包括|涵盖|包含|分为|including|covering"
    r"|with sections on)\s*[:：]?\s*(?P<aspects>.+)$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*(?:、|，|,\s*and\s|,|以及|和|与|\sand\s)\s*")
_END = re.compile(r"[？?。.！!\s]+$")
_LEAD = re.compile(r"^(?:our|the|公司的?|我们的?)\s*", re.IGNORECASE)
SECTION = {
    "zh": "关于{topic}，{title}有什么规定或内容？",
    "en": "What do the documents say about {topic}: {title}?",
}
SOURCES = {"zh": "来源", "en": "Sources"}
PAGE = {"zh": "第 {page} 页", "en": "page {page}"}


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a report: its heading, and the question that finds and drafts it. `wanted`: the user
    named it; else `source` are the chunks whose heading it is."""

    title: str
    question: str
    wanted: bool = False
    source: tuple[str, ...] = ()


def topic_of(request: str) -> tuple[str, tuple[str, ...]]:
    """What a report is asked about, and the sections that the request names."""
    bare = _END.sub("", " ".join(request.split()))
    aspects: tuple[str, ...] = ()
    if match := _ASPECTS.search(bare):
        named = (_LEAD.sub("", one.strip()) for one in _BETWEEN.split(match["aspects"]))
        aspects = tuple(filter(None, named))
        bare = bare[: match.start()]
    patterns = _TOPIC_ZH if detect_language(bare) == "zh" else _TOPIC_EN
    found = (match["topic"] for pattern in patterns if (match := pattern.search(bare)))
    return _LEAD.sub("", next(found, bare).strip()) or bare, aspects


def outline(
    topic: str, aspects: Sequence[str], hits: Sequence[Hit], limit: int, language: str
) -> list[Section]:
    """The sections: those that were asked for, else the headings under which the library speaks of the
    topic, in the order of what was found; their questions are in the language of the request."""
    sources: dict[str, list[str]] = {title: [] for title in aspects}
    for title, chunk_id in () if aspects else _headings(hits):
        sources.setdefault(title, []).append(chunk_id)
    asked = SECTION[language]
    return [
        Section(title, asked.format(topic=topic, title=title), bool(aspects), tuple(source))
        for title, source in list(sources.items())[:limit]
    ]


def _headings(hits: Sequence[Hit]) -> Iterator[tuple[str, str]]:
    for hit in hits:
        name = hit.chunk.headings[-1] if hit.chunk.headings else hit.chunk.title
        if (clean := plain_title(name)) and speech_of(name) is not Speech.ORDER:
            yield clean, hit.chunk.id


def plain_title(text: str) -> str:
    """A title or heading of a document as words alone: no link, no picture, no mark of Markdown."""
    words = plain_pictures(strip_links(text, "")[0])
    return " ".join(re.sub(r"[#*_`|<>\[\]()]+", " ", words).split())


def compose(topic: str, language: str, noted: Sequence[dict]) -> dict:
    """The outcome of a report: `noted` are the notes of the sections in their order, each `title`, `wanted`
    and `outcome`. Citations are numbered anew; what a former section says is not said again. What they took
    is not part of it."""
    book = _Citations()
    said: list[Sentence] = []
    blocks: list[str] = []
    for one in noted:
        mine = []
        for sentence in book.take(one["outcome"]):
            if not any(_says_again(sentence, old) for old in said):
                mine.append(sentence)
                said.append(sentence)
        if mine:
            blocks.append(f"## {one['title']}\n\n{join_sentences(mine)}")
    citations = book.used_by(said)
    heading = f"# {plain_title(topic)}"
    sources = f"## {SOURCES[language]}\n\n" + "\n".join(_source(c, language) for c in citations)
    whole = all(one["outcome"]["sentences"] for one in noted if one["wanted"])
    return {
        "status": _status(said, whole=whole),
        "text": "\n\n".join([heading, *blocks, sources]) if said else "",
        "sentences": [sentence_record(sentence) for sentence in said],
        "citations": [asdict(citation) for citation in citations],
        "withheld": [lost for one in noted for lost in one["outcome"]["withheld"]],
        "guarded": dict(sum((Counter(one["outcome"].get("guarded", {})) for one in noted), Counter())),
    }


def cited_by(noted: Sequence[dict]) -> list[Citation]:
    """What the notes cite, in their order."""
    return [read_citation(record) for one in noted for record in one["outcome"]["citations"]]


def withdraw(
    noted: Sequence[dict], standing: Sequence[Citation | None], gone: Set[str]
) -> tuple[list[dict], Counter[str]]:
    """The notes without what rests on citations that do not stand any more, and how many sentences each title
    lost; `standing` are those of `cited_by` as they are now. What was withheld of a section that was shown a
    chunk which is `gone`, or left it without a citation, may speak of it and goes too. So does a section
    where all chunks whose heading it has are gone, whole: its title is told as ""."""
    now, left, lost = iter(standing), [], Counter()
    for one in noted:
        outcome = one["outcome"]
        current = [(record, next(now)) for record in outcome["citations"]]
        if is_source_gone(one, gone):
            lost += Counter({"": len(outcome["sentences"])})
            continue
        fallen = {record["marker"] for record, citation in current if citation is None}
        may_speak_of_it = bool(fallen or gone.intersection(one.get("shown", ())))
        resting = [s for s in outcome["sentences"] if s["citations"] or not may_speak_of_it]
        kept = [s for s in resting if not fallen.intersection(s["citations"])]
        if len(kept) < len(outcome["sentences"]):
            lost[one["title"]] += len(outcome["sentences"]) - len(kept)
        cleared = {
            **outcome,
            "sentences": [{**s, "conflicts": [m for m in s["conflicts"] if m not in fallen]} for s in kept],
            "citations": [asdict(citation) for _, citation in current if citation is not None],
            "withheld": [] if may_speak_of_it else outcome["withheld"],
        }
        left.append({**one, "outcome": cleared})
    return left, lost


def is_source_gone(section: Mapping, gone: Set[str]) -> bool:
    """Whether the title of a section is a heading of chunks that are all gone."""
    source = section.get("source", ())
    return bool(source) and gone.issuperset(source)


def _says_again(sentence: Sentence, old: Sentence) -> bool:
    """Whether a sentence brings nothing that a former one does not say from the same place. A single word
    makes the difference: 主机保修 24 个月 is not 电池保修 24 个月."""
    is_new = set(split_terms(sentence.text)) - set(split_terms(old.text))
    same_place = set(sentence.citations) <= set(old.citations)
    return same_place and not is_new and not negation_differs(sentence.text, old.text)


def usage_of(noted: Sequence[dict]) -> Usage:
    """What the notes took."""
    total = Usage()
    for one in noted:
        total = total.plus(Usage(**one["outcome"]["usage"]))
    return total


def _status(said: Sequence[Sentence], *, whole: bool) -> str:
    if not said:
        return Status.ABSTAINED.value
    return (Status.ANSWERED if whole else Status.PARTIAL).value


def _source(citation: Citation, language: str) -> str:
    page = f", {PAGE[language].format(page=citation.page)}" if citation.page else ""
    quote = " ".join(plain_pictures(citation.quote).split())
    title = plain_title(citation.title or citation.uri.rsplit("/", 1)[-1])
    return f"{citation.marker}. {title}{page}: “{quote}”"


class _Citations:
    """Those of all sections under one numbering: the same place has one marker."""

    def __init__(self) -> None:
        self._by_place: dict[tuple, Citation] = {}

    def take(self, outcome: dict) -> list[Sentence]:
        """The sentences of a section with the markers of the report."""
        markers = {}
        for citation in map(read_citation, outcome["citations"]):
            place = (citation.chunk_id, citation.start, citation.end)
            known = self._by_place.setdefault(place, replace(citation, marker=len(self._by_place) + 1))
            markers[citation.marker] = known.marker
        sentences = map(read_sentence, outcome["sentences"])
        return [
            replace(
                sentence,
                citations=tuple(markers[m] for m in sentence.citations if m in markers),
                conflicts=tuple(markers[m] for m in sentence.conflicts if m in markers),
            )
            for sentence in sentences
        ]

    def used_by(self, sentences: Sequence[Sentence]) -> list[Citation]:
        """The citations that are named, in marker order."""
        named = {marker for sentence in sentences for marker in (*sentence.citations, *sentence.conflicts)}
        return [citation for citation in self._by_place.values() if citation.marker in named]
