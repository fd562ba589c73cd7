"""Checks a draft sentence by sentence and numbers its citations.

The pure middle of the answer node: text and evidence in, released or withheld sentences
out. Knows binder and guard; knows nothing of the graph or of the model.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from agents.binding import BoundSpan, EvidencePool, count_invented, passage_of, strip_markers
from agents.conflicts import find_rivals, newest_day
from agents.guards.answer_check import ANSWERING, GROUNDING
from agents.guards.demands import adds_something, offers_kind, speaks_of
from agents.guards.evidence_screen import ScreenedEvidence
from agents.guards.exact import NEAR_COPY, overlap
from agents.guards.outgoing import plain_pictures, strip_links
from agents.keywords import segment_cover
from agents.policy import Policy
from core.seams import Guard
from core.text import detect_language, normalise
from core.types import Chunk, Citation, Label, Sentence, Verdict
from core.wording import clauses

_REFUSAL = re.compile(
    r"(?:资料|文档|文件|证据|材料|内容|信息|上文)中?(?:里)?(?:并)?(?:没有|未(?!经)|无法"
    r"|不(?!得|可|准|许|允许|应|宜|超过|少于|多于|低于|高于|易|需|必|要|同于))"
    r"|(?:没有|未|无)(?:明确)?(?:提到|提及|说明|找到|提供|相关|包含|给出|规定|记载)"
    r"|无法(?:回答|确定|得知|判断)|不知道|不清楚|抱歉"
    r"|\b(?:evidence|documents?|texts?|passages?|context|information)\b.{0,24}"
    r"\b(?:(?:do|does|did|is|are)(?: not|n't)|no)\b.{0,16}"
    r"\b(?:mention|say|state|contain|provide|specif|include|give|available|found|hold|tell)"
    r"|\bnot\b.{0,16}\b(?:mentioned|specified|provided|stated|contained)\b"
    r"|\bno (?:\w+ )?(?:mention|information)\b"
    r"|^(?:it|this|that)\b.{0,8}\b(?:do(?:es)? not|doesn't|didn't)\b.{0,16}"
    r"\b(?:mention|state|specify|contain|provide)\b"
    r"|\b(?:not|no|n't)\b.{0,30}\b(?:found|given) in"
    r"|^\s*not (?:stated |held )?in the (?:evidence|documents?|texts?)\b"
    r"|\b(?:cannot|can't|unable to) (?:answer|determine|find)|\bI(?:'m| am) sorry\b|\bI don't know\b",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.、)])\s+")
# The line that says where evidence stands, which a small model may copy with it.
_PLACE = re.compile(r"^\s*[(（][^()（）]*›[^()（）]*[)）]\s*")
# A marker with words of the model's own, and nothing beside it.
_BRACKETED = re.compile(r"[\[【][^\[\]【】]*[\]】]\W*$")
_EMPHASIS = re.compile(r"\*\*|__|^#+\s*")
_SURENESS = {Label.CONTRADICTED: 0, Label.UNSUPPORTED: 1, Label.UNSURE: 2, Label.SUPPORTED: 3}
_REFUSED = Verdict(Label.UNSUPPORTED, 0.0, "refusal", "says that it is not held")
AS_QUOTED = 0.97
"""As surely as the guard takes a near copy a quote is held, where the answer is weighed."""
_QUOTED = Verdict(Label.SUPPORTED, 1.0, "quote", "word for word")
_DOUBTFUL = {"zh": "（未能完全核实）", "en": " (not fully verified)"}
_OTHERWISE = {
    "zh": "另一份资料《{title}》的说法不同：“{quote}”",
    "en": "Another document, “{title}”, says otherwise: “{quote}”",
}


Weigh = Callable[[str, str, Sequence[str], Verdict], Verdict]
"""Question, sentence, the texts that it rests on and the verdict so far to the verdict that counts."""


@dataclass(frozen=True, slots=True)
class Released:
    """A sentence that may be shown, and the citations that are new with it."""

    sentence: Sentence
    citations: tuple[Citation, ...]


@dataclass
class CheckedDraft:
    """What became of a draft so far. Grows by `DraftChecker.check`. `mended` are texts of withheld
    sentences in whose place a rewritten one was released, `abandoned` those of an attempt that
    another one has replaced since."""

    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    withheld: list[Sentence] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    guarded: Counter[str] = field(default_factory=Counter)

    @property
    def text(self) -> str:
        """The released sentences with their markers, in order."""
        return join_sentences(self.sentences)

    @property
    def lost(self) -> list[Sentence]:
        """What was withheld and not mended; a refusal is no loss, nor what would not have answered,
        nor what a whole new attempt did not say again."""
        gone = {*self.mended, *self.abandoned}
        left = [s for s in self.withheld if s.text not in gone and s.verdict.guard != ANSWERING]
        return [s for s in left if not is_refusal(s.text)]

    def abandon(self, since: int) -> None:
        """What was withheld from that place on is of an attempt that is begun anew."""
        self.abandoned += [sentence.text for sentence in self.withheld[since:]]

    @property
    def refused(self) -> bool:
        """Whether the model itself said that the evidence does not hold it, and nothing else."""
        said = [s.text for s in self.withheld if s.text not in self.abandoned]
        return bool(said) and not self.sentences and all(map(is_refusal, said))


class DraftChecker:
    """Judges the sentences of one answer against one pool of evidence, and lets pass what the
    policy allows."""

    def __init__(
        self,
        pool: EvidencePool,
        guard: Guard,
        question: str,
        policy: Policy = Policy.STRICT,
        draft: CheckedDraft | None = None,
        answering: frozenset[str] | None = None,
    ) -> None:
        """`draft` is what was checked before, when an answer goes on. `answering` are the chunks that
        answer the question by themselves, where that is known."""
        self._pool = pool
        self._guard = guard
        self._question = question
        self._policy = policy
        self._answering = answering
        self.parts: tuple[str, ...] = ()
        """Questions that the question is made of: a sentence is judged by the one that it answers."""
        self.weigh: Weigh | None = None
        """Judges the verdict on a sentence that is to begin the answer once more."""
        self.draft = draft or CheckedDraft()

    def check(self, raw: str) -> list[Released]:
        """Releases or withholds one draft sentence; returns what may be shown: nothing, the
        sentence, or the sentence and what another document says otherwise, the newer first."""
        text, hints = strip_markers(_LIST_MARK.sub("", _EMPHASIS.sub("", _PLACE.sub("", raw))))
        self._count("dropped_markers", count_invented(raw, len(self._pool.chunks)))
        text = self._without_links(text, self._pool.open_text)
        if not re.search(r"\w", text) or _BRACKETED.match(text) or self._is_repeat(text):
            return []
        bound, verdict, is_whole = self._judge(text, hints)
        is_bare = not self.draft.sentences and not speaks_of(self._part_of(text), text)
        if is_bare and verdict.label is Label.SUPPORTED:
            bound, verdict = self._with_question(text, hints) or (bound, verdict)
        # A document may itself say that something is not provided: a near copy is no refusal.
        if is_refusal(text) and not (bound and overlap(text, bound[0].quote) >= NEAR_COPY):
            return self._withhold(text, _REFUSED)
        if (
            not self.draft.sentences
            and self.weigh is not None
            and (is_whole or verdict.label is Label.SUPPORTED)
        ):
            texts = {s.chunk.id: f"{s.chunk.context}\n{s.around}".strip() for s in bound}
            verdict = self.weigh(self._part_of(text), text, list(texts.values()), verdict)
        if verdict.guard == ANSWERING or not self._policy.lets_pass(verdict):
            return self._withhold(text, verdict)
        # What follows an answer may explain it.
        is_borne_out = verdict.label is not Label.UNSUPPORTED
        if not self.draft.sentences and (reason := self._beside(text, bound if is_borne_out else [])):
            return self._withhold(text, Verdict(Label.UNSUPPORTED, verdict.score, ANSWERING, reason))
        held = [self._question, *(span.readable for span in bound)]
        if taken := self._pool.screened.words_taken(text, held, is_borne_out):
            reason = f"words of text that speaks to a model: {', '.join(taken)}"
            self._count("instructions_followed", 1)
            return self._withhold(text, Verdict(Label.UNSUPPORTED, 0.0, "screen", reason))
        text = self._without_links(text, "\n".join(span.quote for span in bound))
        return self._let_go(text, bound, verdict) if re.search(r"\w", text) else []

    def _part_of(self, text: str) -> str:
        """The question that a sentence answers: that part which it holds most of, or the whole."""
        return max(self.parts, key=lambda part: sum(segment_cover(part, text)), default=self._question)

    def _beside(self, text: str, bound: Sequence[BoundSpan]) -> str:
        """Why a sentence that may be true answers another question; empty when it does not."""
        question = self._part_of(text)
        if not adds_something(question, text):
            return "it says nothing that the question does not"
        if not offers_kind(question, text):
            return "it lacks the number or date that the question asks for"
        # What no evidence holds leaves under `open` alone, and rests on nothing.
        known = self._answering if bound else None
        if known is not None and not any(span.chunk.id in known for span in bound):
            return "what it rests on does not answer the question"
        # The whole passage: its sentences name their subject once and say "it" then.
        about = speaks_of(question, text, [f"{span.chunk.context}\n{span.around}" for span in bound])
        return "" if about else "it does not speak of the question"

    def _with_question(self, text: str, hints: Sequence[int]) -> tuple[list[BoundSpan], Verdict] | None:
        """A bare name or number stands in many places: it is bound where the question's words
        stand too. None when it is not held there."""
        question = self._part_of(text)
        spans = self._pool.bind(f"{question} {text}", hints)
        found = self._smallest(text, spans)
        about = speaks_of(question, text, [span.readable for span in found[0]])
        return found if about and found[1].label is Label.SUPPORTED else None

    def _let_go(self, text: str, bound: Sequence[BoundSpan], verdict: Verdict) -> list[Released]:
        if verdict.label is Label.UNSUPPORTED:  # no evidence bears it out, so none is named
            return [self._release(text, [], verdict)]
        rivals = find_rivals(text, bound, self._pool.spans) if verdict.label is Label.SUPPORTED else []
        if rivals:
            return self._release_conflict(text, bound, verdict, rivals)
        return [self._release(text, bound, verdict)]

    def _without_links(self, text: str, held: str) -> str:
        clean, dropped = strip_links(text, held)
        self._count("dropped_links", dropped)
        return clean

    def _count(self, kind: str, number: int) -> None:
        if number:
            self.draft.guarded[kind] += number

    def mend(self, sentence: Sentence) -> Sentence | None:
        """The withheld sentence, most alike, in whose place a rewritten one is now released. What
        another document says otherwise stands beside a rewritten sentence: it takes no place."""
        if sentence.verdict == _QUOTED:
            return None
        lost = [(overlap(sentence.text, old.text), -at, old) for at, old in enumerate(self.draft.lost)]
        if not lost:
            return None
        old = max(lost)[2]
        self.draft.mended.append(old.text)
        return old

    def _judge(self, text: str, hints: Sequence[int]) -> tuple[list[BoundSpan], Verdict, bool]:
        """The sentence and each of its clauses need evidence, and the weakest decides: a false
        clause hides in a long true sentence, and two facts that are each held may be crossed in
        one. A clause that the sentence's own spans bear out brings no others. The last of what is given is
        whether the verdict is that of the whole, and not of a clause."""
        bound, verdict = self._smallest(text, self._pool.bind(text, hints))
        verdicts = [verdict]
        for clause in dict.fromkeys(clauses(text, detect_language(text))):
            if clause == text:
                continue
            verdict = self._guard.check(clause, passage_of(bound), self._part_of(clause))
            if verdict.label is not Label.SUPPORTED:
                spans, verdict = self._smallest(clause, self._pool.bind(clause, hints))
                bound += [span for span in spans if not any(_is_same(span, b) for b in bound)]
            verdicts.append(verdict)
        weakest = min(verdicts, key=lambda v: (_SURENESS[v.label], v.score))
        return bound, weakest, weakest is verdicts[0]

    def _smallest(self, claim: str, spans: Sequence[BoundSpan]) -> tuple[list[BoundSpan], Verdict]:
        """The first of the spans that bear the claim out by themselves, or all of them."""
        question = self._part_of(claim)
        whole = self._guard.check(claim, passage_of(spans), question)
        for count in range(1, len(spans) if whole.label is Label.SUPPORTED else 1):
            verdict = self._guard.check(claim, passage_of(spans[:count]), question)
            if verdict.label is Label.SUPPORTED:
                return list(spans[:count]), verdict
        return list(spans), whole

    def rank_quotes(self) -> list[BoundSpan]:
        """The evidence's sentences, those that speak most of the question first."""
        return self._pool.rank(self._question)

    def quotable(self, chunk_id: str, start: int, end: int) -> BoundSpan | None:
        """The sentence of the evidence that holds a place of a chunk; None where it may not be quoted."""
        held = (s for s in self._pool.spans if s.chunk.id == chunk_id and s.span.start <= start)
        return next((span for span in held if end <= span.span.end), None)

    def is_answer(self, bound: BoundSpan) -> bool:
        """Whether a quote may be the whole answer: a draft of the same words would have been weighed too."""
        if self.weigh is None:
            return True
        text = f"{bound.chunk.context}\n{bound.around}".strip()
        held = Verdict(Label.SUPPORTED, AS_QUOTED, GROUNDING)
        return self.weigh(self._part_of(bound.spoken), bound.spoken, [text], held).guard != ANSWERING

    def quote(self, bound: BoundSpan) -> Released:
        """Releases a quote as a sentence of the answer: extractive answering."""
        return self._release(bound.spoken, [bound], _QUOTED)

    def _release_conflict(
        self, text: str, bound: Sequence[BoundSpan], verdict: Verdict, rivals: Sequence[BoundSpan]
    ) -> list[Released]:
        """Each side in a sentence of its own, the newest first."""
        language = detect_language(text)
        said = [(newest_day(bound[0]), text, list(bound), verdict)]
        for rival in rivals:
            title = rival.chunk.title or rival.chunk.uri.rsplit("/", 1)[-1]
            words = _OTHERWISE[language].format(title=title, quote=rival.spoken)
            said.append((newest_day(rival), words, [rival], _QUOTED))
        said.sort(key=lambda side: -side[0])
        released = [self._release(words, spans, word) for _, words, spans, word in said]
        markers = [one.sentence.citations for one in released]
        for at, one in enumerate(released):
            others = tuple(m for n, marks in enumerate(markers) if n != at for m in marks)
            sentence = replace(one.sentence, conflicts=others)
            self.draft.sentences[at - len(released)] = sentence
            released[at] = replace(one, sentence=sentence)
        return released

    def _release(self, text: str, bound: Sequence[BoundSpan], verdict: Verdict) -> Released:
        markers, new = [], []
        for span in bound:
            known = next((c for c in self.draft.citations if _same_place(c, span)), None)
            if known is None:
                known = make_citation(len(self.draft.citations) + 1, span, self._pool.screened)
                self.draft.citations.append(known)
                new.append(known)
            markers.append(known.marker)
        sentence = Sentence(plain_pictures(text), tuple(markers), verdict)
        self.draft.sentences.append(sentence)
        return Released(sentence, tuple(new))

    def _withhold(self, text: str, verdict: Verdict) -> list[Released]:
        self.draft.withheld.append(Sentence(text, (), verdict))
        return []

    def _is_repeat(self, text: str) -> bool:
        said = normalise(text)
        # What a new attempt says again is withheld of that one too.
        self.draft.abandoned = [old for old in self.draft.abandoned if normalise(old) != said]
        return said in {normalise(s.text) for s in [*self.draft.sentences, *self.draft.withheld]}


def is_refusal(text: str) -> bool:
    """Whether a sentence says that the documents do not hold the answer: the system says
    that itself, with what it looked for."""
    return bool(_REFUSAL.search(text))


def make_citation(marker: int, bound: BoundSpan, screened: ScreenedEvidence) -> Citation:
    """The citation of a span; its quote is cut from the chunk's own text."""
    chunk: Chunk = bound.chunk
    page, boxes = chunk.place_of(bound.span.start, bound.span.end)
    return Citation(
        marker=marker,
        chunk_id=chunk.id,
        document_id=chunk.document_id,
        title=screened.title_of(chunk),
        uri=chunk.uri,
        quote=chunk.text[bound.span.start : bound.span.end],
        start=bound.span.start,
        end=bound.span.end,
        page=page,
        boxes=boxes,
        figure=chunk.figure,
        flagged=screened.is_flagged(chunk.id, bound.span.start, bound.span.end),
    )


def join_sentences(sentences: Sequence[Sentence]) -> str:
    """One text: markers before the next sentence, a blank between Latin sentences only. What is
    not borne out for certain says so."""
    text = ""
    for sentence in sentences:
        marks = "".join(f"[{marker}]" for marker in sentence.citations)
        if sentence.verdict.label is not Label.SUPPORTED:
            marks += _DOUBTFUL[detect_language(sentence.text)]
        gap = "" if sentence.text.endswith(("。", "！", "？", "；")) else " "
        text += sentence.text + marks + gap
    return text.strip()


def _is_same(one: BoundSpan, other: BoundSpan) -> bool:
    return one.chunk.id == other.chunk.id and one.span == other.span


def _same_place(citation: Citation, bound: BoundSpan) -> bool:
    return citation.chunk_id == bound.chunk.id and citation.start == bound.span.start
