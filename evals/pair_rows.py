"""Pairs of texts to learn reading from: claims beside evidence, questions beside passages.

Claims are those of `evals.guard_sets` and made ones without their limits; questions are those of
SQuAD-like sets, CLAPnq, RAMDocs and RGB. Passages that do not answer are the near ones of the same
article, the answering one without its sentence, and questions about another thing or another year.
Groups that anything is reported on are left out. Knows files and labels; knows nothing of networks.
"""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.text import Span, detect_language, split_sentences
from core.wording import in_digits
from evals.datasets.changed_facts import LEARNED, Source, answer_forms, made_claims, read_sources
from evals.datasets.claims import is_copy, read_begin, read_summedits, read_uhgeval, sentences_of
from evals.fact_changes import CHANGES, borrow
from evals.guard_sets import REPORTED_PARTS, is_of_reported_part
from evals.learned_questions import (
    SQUAD_FILES,
    Asked,
    asked_of,
    crop,
    flat,
    json_lines,
    learned_articles,
)
from evals.made_facts import claims_on, make_documents, questions_on
from evals.statements import join_answer, paraphrase
from evals.sufficiency_data import is_reported
from retrieval.terms import split_terms

SEED = 11
SOURCES_A_SET = 350
MADE_SEEDS = (21, 22)
FALSE_FOR_A_TRUE = 1.35
COPIED_TEXTS = 900
DRCD_QUESTIONS = 1800
MADE_DOCUMENTS = 4500
BORROWED_TEXTS = 1500
FACTS_WEIGHT = 0.4
"""So that made facts are a fifth of what is drawn: they are all alike."""
SHORTEST_REST = 80
"""Characters of a passage that are left without its answer."""
CLAIM, QUESTION = "claim", "question"


@dataclass(frozen=True, slots=True)
class PairRow:
    """`label` 1: the second text holds the claim, or answers the question. `marked` are stretches of
    the first text of a claim that are wrong, or of the second of a question that answer; None where
    nobody knows them. `weight` is how often the row is drawn."""

    kind: str
    first: str
    second: str
    label: int
    marked: tuple[tuple[int, int], ...] | None
    source: str
    weight: float = 1.0


def claim_rows(folder: Path) -> Iterator[PairRow]:
    """All claims, with numbers in digits as the guard has them."""
    yield from map(in_digit_row, _claims_of_people_and_made(folder))
    yield from map(in_digit_row, _claims_on_made_facts())


def question_rows(folder: Path) -> Iterator[PairRow]:
    """Questions beside passages that answer them or do not."""
    yield from _questions_of_sets(folder)
    yield from _questions_on_made_facts()


def in_digit_row(row: PairRow) -> PairRow:
    """The row with numbers in digits; a claim's marks go with it."""
    marked = row.marked
    first = in_digits(row.first)
    if marked and first != row.first:
        (start, end) = marked[0]
        before, wrong = in_digits(row.first[:start]), in_digits(row.first[start:end])
        first = before + wrong + in_digits(row.first[end:])
        marked = ((len(before), len(before) + len(wrong)),)
    return replace(row, first=first, second=in_digits(row.second), marked=marked)


def _claims_on_made_facts() -> Iterator[PairRow]:
    rng = random.Random(SEED + 2)
    for document in make_documents(MADE_DOCUMENTS, SEED + 2):
        for claim in claims_on(document, rng):
            marked = (claim.wrong,) if claim.wrong else ()
            weight = FACTS_WEIGHT * (2 if claim.label else 1)
            yield PairRow(CLAIM, claim.text, document.text, claim.label, marked, "facts", weight)


def _questions_on_made_facts() -> Iterator[PairRow]:
    rng = random.Random(SEED + 3)
    for document in make_documents(MADE_DOCUMENTS, SEED + 3):
        for question, place in questions_on(document, rng):
            marked = (place,) if place else ()
            yield PairRow(
                QUESTION, question, document.text, int(place is not None), marked, "facts", FACTS_WEIGHT
            )


def _claims_of_people_and_made(folder: Path) -> Iterator[PairRow]:
    """Claims that people or their makers labelled, made ones, and sentences letter by letter."""
    rng = random.Random(SEED)
    people = [*read_begin(folder), *read_summedits(folder), *read_uhgeval(folder, whole=True)]
    words = [c for c in read_uhgeval(folder, whole=False) if rng.random() < 0.5]
    weights = {"begin": 2.5, "summedits": 1.2}
    for claim in [*people, *words]:
        if not is_of_reported_part(claim.group, REPORTED_PARTS):
            yield _claim_row(claim.text, claim.evidence, claim.label, claim.wrong, claim.source, weights)
    # UHGEval's items are news as well, and more of them are reported on.
    sources = [
        source
        for source in read_sources(folder)
        if not is_of_reported_part(source.group, REPORTED_PARTS if source.name == "news-zh" else 1)
    ]
    named: dict[str, list] = {}
    for source in sources:
        named.setdefault(source.name, []).append(source)
    sources = [s for rows in named.values() for s in rng.sample(rows, min(len(rows), SOURCES_A_SET))]
    for seed in MADE_SEEDS:
        made = list(made_claims(sources, LEARNED, seed))
        true = [claim for claim in made if claim.label]
        false = [claim for claim in made if not claim.label]
        for claim in true + rng.sample(false, min(len(false), round(FALSE_FOR_A_TRUE * len(true)))):
            across = claim.source in ("xquad-en-zh", "xquad-zh-en")
            weights = {"made": 0.5 if claim.kind == "negation" else 2.0 if across else 1.0}
            yield _claim_row(claim.text, claim.evidence, claim.label, claim.wrong, "made", weights)
    for source in rng.sample(sources, min(BORROWED_TEXTS, len(sources))):
        yield from _borrowed(source, rng)
    for source in rng.sample(sources, min(COPIED_TEXTS, len(sources))):
        if not source.shown:
            yield from _copied(source.text, rng)


def _claim_row(
    text: str, evidence: str, label: int, wrong: Span | None, source: str, weights: dict[str, float]
) -> PairRow:
    marked = () if label else (wrong,) if wrong is not None else None
    return PairRow(CLAIM, text, evidence, label, marked, source, weights.get(source, 1.0))


def _borrowed(source: Source, rng: random.Random) -> Iterator[PairRow]:
    """A sentence in other words, with a value from elsewhere in its text; an answer to another question."""
    evidence = source.shown or source.text
    for sentence in rng.sample(sentences := sentences_of(source.text), min(3, len(sentences))):
        said = paraphrase(sentence, rng)
        if not 12 <= len(sentence) <= 240 or is_copy(said, evidence):
            continue
        if changed := borrow(said, source.text, rng):
            yield PairRow(CLAIM, said, evidence, 1, (), "borrowed")
            yield PairRow(CLAIM, changed[0], evidence, 0, (changed[1],), "borrowed")
    asked = [(q, a) for q, a in source.asked if a and len(a) <= 40]
    for question, answer in rng.sample(asked, min(2, len(asked))):
        others = [a for _, a in asked if a not in answer and answer not in a]
        if others:
            wrong = rng.choice(others)
            true, false = join_answer(question, answer, rng), join_answer(question, wrong, rng)
            at = false.find(wrong)
            marked = ((at, at + len(wrong)),) if at >= 0 else None
            yield PairRow(CLAIM, true, evidence, 1, (), "borrowed")
            yield PairRow(CLAIM, false, evidence, 0, marked, "borrowed")


def _copied(text: str, rng: random.Random) -> Iterator[PairRow]:
    """A sentence of the text: as it stands, without its place, and with a fact changed."""
    sentences = [s for s in sentences_of(text) if 12 <= len(s) <= 200]
    if len(sentences) < 2:
        return
    sentence = rng.choice(sentences)
    yield PairRow(CLAIM, sentence, text, 1, (), "copied")
    if rng.random() < 0.5:
        yield PairRow(CLAIM, sentence, text.replace(sentence, ""), 0, None, "copied")
    if changed := CHANGES[rng.choice(sorted(CHANGES))](sentence, rng):
        yield PairRow(CLAIM, changed[0], text, 0, (changed[1],), "copied")


def _questions_of_sets(folder: Path) -> Iterator[PairRow]:
    rng = random.Random(SEED + 1)
    for name in SQUAD_FILES:
        articles = list(learned_articles(folder, name))
        if name == "squad2-zh":
            yield from _impossible(articles)
        asked = [row for article in articles for row in asked_of(article)]
        if name == "drcd":
            asked = rng.sample(asked, min(len(asked), DRCD_QUESTIONS))
        yield from _squad_rows(asked, name, rng)
    yield from _across_rows(folder, rng)
    yield from _clapnq_rows(folder / "clapnq")
    yield from _rgb_rows(folder / "rgb")
    yield from _ramdocs_rows(folder / "ramdocs/dev.jsonl")


def _impossible(articles: Iterable[dict]) -> Iterator[PairRow]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            for row in paragraph["qas"]:
                if row.get("is_impossible") or not row.get("answers"):
                    yield PairRow(QUESTION, row["question"], paragraph["context"], 0, (), "impossible")


def _squad_rows(asked: Sequence[Asked], name: str, rng: random.Random) -> Iterator[PairRow]:
    shared = [common_part(row.question, row.passage) for row in asked]
    anchors = [row.question[at : at + n] for row, (at, n) in zip(asked, shared, strict=True) if n >= 2]
    passages = sorted({row.passage for row in asked})
    for row, (at, length) in zip(asked, shared, strict=True):
        text, span = crop(row.passage, row.span, rng)
        yield PairRow(QUESTION, row.question, text, 1, ((span.start, span.end),), name)
        rest = _without_sentence(row.passage, row.span)
        if row.answer not in rest and len(rest) > SHORTEST_REST and rng.random() < 0.6:
            yield PairRow(QUESTION, row.question, rest, 0, (), name)
        pool = row.others if rng.random() < 0.7 else []
        pool = pool or rng.sample(passages, min(40, len(passages)))
        pool = [text for text in pool if row.answer not in text]
        if pool:
            terms = set(split_terms(row.question))
            near = max(pool, key=lambda p: len(terms & set(split_terms(p))) / (1 + len(p) ** 0.3))
            yield PairRow(QUESTION, row.question, near, 0, (), name)
        other = _other_question(row, (at, length), anchors, rng) if length >= 2 else None
        if other and rng.random() < 0.6:
            yield PairRow(QUESTION, other, text, 0, (), name, 2.0)


def _other_question(
    row: Asked, shared: tuple[int, int], anchors: Sequence[str], rng: random.Random
) -> str | None:
    """The question with another number or date in it, or about another thing."""
    changed = CHANGES["date"](row.question, rng) or CHANGES["number"](row.question, rng)
    if changed and rng.random() < 0.7:
        return changed[0]
    at, length = shared
    drawn = rng.sample(anchors, min(200, len(anchors)))
    like = [one for one in drawn if one not in row.passage and 0.5 <= len(one) / length <= 2]
    return row.question[:at] + rng.choice(like) + row.question[at + length :] if like else None


def common_part(question: str, passage: str) -> tuple[int, int]:
    """Start and length of the longest piece of whole words of the question that stands in the
    passage; (0, 0) when there is none."""
    whole_words = detect_language(question) != "zh"
    asked, held = question.lower(), passage.lower()
    start = length = 0
    for at in range(len(asked)):
        if whole_words and at and asked[at - 1].isalnum():
            continue
        end = at + length + 1
        while end <= len(asked) and asked[at:end] in held:
            if not whole_words or end == len(asked) or not asked[end].isalnum():
                start, length = at, end - at
            end += 1
    return start, length


def _without_sentence(text: str, span: Span) -> str:
    for sentence in split_sentences(text):
        if sentence.start <= span.start < sentence.end:
            return text[: sentence.start] + text[sentence.end :]
    return text


def _across_rows(folder: Path, rng: random.Random) -> Iterator[PairRow]:
    """XQuAD's questions in one language beside passages in the other."""
    both = [list(learned_articles(folder, name)) for name in ("xquad-en", "xquad-zh")]
    for articles in zip(*both, strict=True):
        rows = [list(asked_of(article)) for article in articles]
        for pair in zip(*rows, strict=False):
            for asked, held in (pair, pair[::-1]):
                if rng.random() < 0.5:
                    text, span = crop(held.passage, held.span, rng)
                    yield PairRow(QUESTION, asked.question, text, 1, ((span.start, span.end),), "across")
                if held.others and rng.random() < 0.4:
                    yield PairRow(QUESTION, asked.question, rng.choice(held.others), 0, (), "across")


def _clapnq_rows(folder: Path) -> Iterator[PairRow]:
    for name, label in (("answerable", 1), ("unanswerable", 0)):
        for row in json_lines(folder / f"{name}.dev.jsonl"):
            for passage in row["passages"][:2]:
                hidden = is_of_reported_part(row["input"], 1) or is_of_reported_part(passage["text"][:80], 1)
                if not hidden and not is_reported(row["input"]):
                    text = f"{passage.get('title') or ''}\n{passage['text']}".strip()
                    yield PairRow(QUESTION, row["input"], text, label, None if label else (), "clapnq", 4.0)


def _rgb_rows(folder: Path) -> Iterator[PairRow]:
    for part in ("zh_refine", "zh_int", "zh_fact", "en_fact"):
        for row in json_lines(folder / f"{part}.dev.jsonl"):
            if is_reported(row["query"]):
                continue
            forms = [form for group in answer_forms(row["answer"]) for form in group[:3]]
            for text in flat(row["positive"])[:8]:
                if marked := _places(forms, text):
                    yield PairRow(QUESTION, row["query"], text, 1, marked, "rgb", 2.0)
            for text in flat(row["negative"])[:12]:
                if not _places(forms, text):
                    yield PairRow(QUESTION, row["query"], text, 0, (), "rgb", 2.0)


def _ramdocs_rows(path: Path) -> Iterator[PairRow]:
    for row in json_lines(path):
        if is_reported(row["question"]):
            continue
        for document in row["documents"]:
            text, is_noise = document["text"], document["type"] == "noise"
            marked = () if is_noise else _places([str(document.get("answer") or "\0")], text) or None
            yield PairRow(QUESTION, row["question"], text, int(not is_noise), marked, "ramdocs", 2.0)


def _places(forms: Iterable[str], text: str) -> tuple[tuple[int, int], ...]:
    return tuple(match.span() for form in forms for match in re.finditer(re.escape(form), text))
