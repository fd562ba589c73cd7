"""What the probes learn from and are reported on: texts with a question, a sentence, or both.

Questions and claims of the learning halves are those of `evals.pair_rows`; answers are first sentences of
real drafts (`evals.drafts`). Reported are passages of the other half of the questions, and claims with their
quotes as the guard reads them. Knows files and labels; knows nothing of models.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.binding import strip_markers
from agents.guards.learned import evidence_text
from core.seams import Passage, TokenEmbedder
from core.text import split_sentences
from core.wording import in_digits
from evals.claim_evidence import EvidenceOfClaims
from evals.datasets.changed_facts import answer_forms
from evals.draft_claims import is_right, most_like
from evals.drafts import read_drafts
from evals.guard_sets import SETS, reported_claims
from evals.learned_questions import flat, json_lines
from evals.pair_rows import PairRow, claim_rows, question_rows
from evals.sufficiency_data import is_reported, read_cases
from retrieval.probes.reader import ANSWERS, FITS, HOLDS

SEED = 5
LEARNED, WEIGHED, REPORTED = "learned", "weighed", "reported"
"""Parts: what probes are fitted on; drafts of a quarter that nothing learned from; what is reported."""
CLAIMS_A_SET = 50
RGB_PASSAGES = 2
QUESTIONS = {
    "squad2-zh": 120, "impossible": 220, "drcd": 120, "cmrc2018": 60, "xquad-en": 60, "xquad-zh": 60,
    "across": 120, "clapnq": 140, "rgb": 350, "ramdocs": 120, "facts": 60,
}  # fmt: skip
CLAIMS = {
    "begin": 160, "summedits": 130, "uhgeval": 130, "made": 360, "borrowed": 80, "copied": 40, "facts": 80,
}  # fmt: skip
OTHER_SOURCES = 60
Window = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """`label` 1: the text answers the question, holds the sentence, or holds it and it is the answer."""

    probe: str
    text: str
    question: str
    sentence: str
    label: int
    source: str
    part: str
    group: str = ""
    """Of a reported row: what is never on both sides of a split."""
    passage: Passage | None = None
    """Of a reported claim: its evidence as the guard has it."""

    @property
    def said(self) -> Mapping[str, str]:
        """What is put beside the text."""
        given = {"question": self.question, "sentence": self.sentence}
        return {name: value for name, value in given.items() if value}


def probe_rows(
    folder: Path, drafts: Path, weighed: Path, window: Window, embedder: TokenEmbedder
) -> list[ProbeRow]:
    """All rows in an order of chance, the same each time; a part of them is a fair sample.

    Args:
        folder: the public sets.
        drafts, weighed: what `python -m evals.drafts` wrote, of the learning half and with `--weighed`.
        window: see `StateReader.window`.
    """
    rng = random.Random(SEED)
    rows: list[ProbeRow] = []
    for row in _sampled(list(question_rows(folder)), QUESTIONS, rng):
        text = window(row.first, row.second)
        rows.append(ProbeRow(ANSWERS, text, row.first, "", row.label, row.source, LEARNED))
    for row in _sampled(list(claim_rows(folder)), CLAIMS, rng):
        text = window(row.first, row.second)
        rows.append(ProbeRow(HOLDS, text, "", row.first, row.label, row.source, LEARNED))
    rows += [*_drafted(drafts, LEARNED, window), *_drafted(weighed, WEIGHED, window)]
    rows += [*_reported_questions(folder, window), *_reported_rgb(folder / "rgb", window, rng)]
    rows += _reported_claims(folder, embedder)
    rng.shuffle(rows)
    return rows


def _sampled(rows: Iterable[PairRow], most: Mapping[str, int], rng: random.Random) -> Iterator[PairRow]:
    """Of each source so many, as many of either label."""
    named: dict[str, list[PairRow]] = defaultdict(list)
    for row in rows:
        named[row.source].append(row)
    for source, own in named.items():
        count = most.get(source, OTHER_SOURCES)
        share = count if len({row.label for row in own}) == 1 else count // 2
        for label in (0, 1):
            half = [row for row in own if row.label == label]
            yield from rng.sample(half, min(len(half), share))


def _drafted(path: Path, part: str, window: Window) -> Iterator[ProbeRow]:
    for drafted in read_drafts(path):
        text, case = drafted.draft.strip(), drafted.case
        sentences = [span.of(text) for span in split_sentences(text)]
        said = strip_markers(sentences[0])[0] if sentences else ""
        if said:
            own = window(f"{case.question} {said}", most_like(said, case.passages)[1])
            label = int(is_right(said, case))
            yield ProbeRow(FITS, own, case.question, said, label, case.source, part)


def _reported_questions(folder: Path, window: Window) -> Iterator[ProbeRow]:
    for case in read_cases(folder):
        if case.reported and case.source in ("squad2-zh", "clapnq", "ramdocs"):
            text, label = window(case.question, case.passages[0]), int(case.answerable)
            yield ProbeRow(ANSWERS, text, case.question, "", label, case.source, REPORTED, case.group)


def _reported_rgb(folder: Path, window: Window, rng: random.Random) -> Iterator[ProbeRow]:
    for part in ("zh_refine", "zh_int", "zh_fact", "en_fact"):
        for row in json_lines(folder / f"{part}.dev.jsonl"):
            if not is_reported(row["query"]):
                continue
            forms = [form for group in answer_forms(row["answer"]) for form in group[:3]]
            with_it = [t for t in flat(row["positive"]) if any(form in t for form in forms)]
            without = [t for t in flat(row["negative"]) if not any(form in t for form in forms)]
            for label, texts in ((1, with_it), (0, without)):
                for text in rng.sample(texts, min(RGB_PASSAGES, len(texts))):
                    own = window(row["query"], text)
                    source = f"rgb {part}"
                    yield ProbeRow(ANSWERS, own, row["query"], "", label, source, REPORTED, row["query"])


def _reported_claims(folder: Path, embedder: TokenEmbedder) -> Iterator[ProbeRow]:
    evidence = EvidenceOfClaims(embedder)
    for name in SETS:
        rows = reported_claims(name, folder)
        count = min(CLAIMS_A_SET, len(rows))
        for claim in (rows[at * len(rows) // count] for at in range(count)):
            passage = evidence.passage(claim.text, claim.evidence)
            text, said = in_digits(evidence_text(passage)), in_digits(claim.text)
            yield ProbeRow(HOLDS, text, "", said, int(claim.label), name, REPORTED, claim.group, passage)
