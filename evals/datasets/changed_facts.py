"""Claims that are made: true ones in other words than the evidence, and the same with one fact
changed, in Chinese, English and across both.

From questions with answers (RGB, XQuAD, CMRC 2018, DRCD, SQuAD 2.0 in Chinese, CLAPnq) and from
sentences of any text. No claim stands letter by letter in its evidence. Knows the files; knows
nothing of guards.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.text import detect_language
from evals.claims import Claim
from evals.datasets.claims import is_copy, read_clapnq, read_news, sentences_of
from evals.fact_changes import CHANGES, UNSEEN, names_of, replace_name, swap_names
from evals.splitting import stable_hash
from evals.statements import join_answer, paraphrase
from evals.sufficiency_data import is_reported

SEED = 7
QUESTIONS_A_TEXT = 2
SENTENCES_A_TEXT = 2
SHORTEST, LONGEST = 12, 260
Change = Callable[[str, random.Random], tuple[str, tuple[int, int]] | None]


@dataclass(frozen=True, slots=True)
class Source:
    """One text with questions and their answers; `group` keeps an article together, `shown` is
    the same text in the other language, where there is one."""

    name: str
    group: str
    text: str
    asked: tuple[tuple[str, str], ...] = ()
    shown: str = ""


def read_sources(folder: Path) -> list[Source]:
    """The texts that claims are made from, RGB aside, whose answers are claims by themselves."""
    found = list(_squad(folder / "cmrc2018/cmrc2018_trial.json", "cmrc2018"))
    found += _squad(folder / "drcd/DRCD_dev.json", "drcd")[::3]
    found += _squad(folder / "squad2_zh/dev-v2.0-zh.part.json", "squad2-zh")
    english = _squad(folder / "xquad/xquad.en.half.json", "xquad-en")
    chinese = _squad(folder / "xquad/xquad.zh.half.json", "xquad-zh")
    found += english + chinese
    for one, other in zip(english, chinese, strict=True):
        found.append(Source("xquad-en-zh", one.group, one.text, one.asked, other.text))
        found.append(Source("xquad-zh-en", other.group, other.text, other.asked, one.text))
    found += [Source("clapnq", text[:80], text, ((q, ""),)) for text, q, _ in read_clapnq(folder)]
    for row in read_news(folder):
        found.append(Source("news-zh", row["id"], f"{row['newsBeginning']}\n{row['newsRemainder']}"[:900]))
    return found


def made_claims(sources: Iterable[Source], kinds: Mapping[str, Change], seed: int = SEED) -> Iterator[Claim]:
    """For each text some true claims and for each of them some false ones."""
    sources = list(sources)
    rng = random.Random(seed)
    answers = {
        language: [a for s in sources for _, a in s.asked if a and detect_language(a) == language]
        for language in ("zh", "en")
    }
    names = sorted({name for s in sources[:600] for name in names_of(s.text)})
    for source in sources:
        evidence = source.shown or source.text
        others = answers[detect_language(source.text)]
        asked = [pair for pair in source.asked if pair[1] and len(pair[1]) <= 40]
        for at, (question, answer) in enumerate(rng.sample(asked, min(QUESTIONS_A_TEXT, len(asked)))):
            if len(answer) > 40:
                continue
            made = _Maker(
                source, evidence, f"{source.name}-{source.group}-q{at}-{stable_hash(question)}", rng
            )
            yield from made.answered(question, answer, others, kinds)
        sentences = [s for s in sentences_of(source.text) if SHORTEST <= len(s) <= LONGEST]
        for at, sentence in enumerate(rng.sample(sentences, min(SENTENCES_A_TEXT, len(sentences)))):
            made = _Maker(
                source, evidence, f"{source.name}-{source.group}-s{at}-{stable_hash(sentence)}", rng
            )
            yield from made.rephrased(sentence, names, kinds)


class _Maker:
    def __init__(self, source: Source, evidence: str, identity: str, rng: random.Random) -> None:
        self._source, self._evidence, self._identity, self._rng = source, evidence, identity, rng

    def answered(
        self, question: str, answer: str, others: list[str], kinds: Mapping[str, Change]
    ) -> Iterator[Claim]:
        """A question with its answer; with another's; with one fact of the answer changed."""
        rng = self._rng
        true = join_answer(question, answer, rng)
        if is_copy(true, self._evidence):
            return
        yield self._claim(true, 1, "")
        if "answer" in kinds:
            like = [o for o in rng.sample(others, min(30, len(others))) if _is_alike(o, answer)]
            inside = [a for _, a in self._source.asked if a and a not in answer and answer not in a]
            for kind, pool in (("answer", like), ("crossed", inside)):
                if pool and (kind == "answer" or rng.random() < 0.6):
                    wrong = rng.choice(pool)
                    state = rng.getstate()
                    text = join_answer(question, wrong, rng)
                    if kind == "answer" and wrong in self._evidence:
                        rng.setstate(state)
                        continue
                    yield self._claim(text, 0, kind, _span_of(text, wrong))
        yield from self._changed(true, kinds, 2)

    def rephrased(self, sentence: str, names: list[str], kinds: Mapping[str, Change]) -> Iterator[Claim]:
        """A sentence in other words, and with changes."""
        true = paraphrase(sentence, self._rng)
        if is_copy(true, self._evidence):
            return
        yield self._claim(true, 1, "")
        if "answer" in kinds:
            if changed := replace_name(true, self._rng, names):
                yield self._claim(changed[0], 0, "name", changed[1])
            if changed := swap_names(true, self._rng):
                yield self._claim(changed[0], 0, "swapped", changed[1])
            rest = self._evidence.replace(sentence, "")
            if self._rng.random() < 0.3 and len(rest) > len(self._evidence) * 0.4 and not self._source.shown:
                yield Claim(
                    self._identity + "-gone", true, rest, 0, self._source.name, self._source.group, "unsaid"
                )
        yield from self._changed(true, kinds, 3)

    def _changed(self, true: str, kinds: Mapping[str, Change], most: int) -> Iterator[Claim]:
        count = 0
        for kind in self._rng.sample(sorted(kinds), len(kinds)):
            if kind == "answer" or count >= most:
                continue
            changed = kinds[kind](true, self._rng)
            if changed and not is_copy(changed[0], self._evidence):
                yield self._claim(changed[0], 0, kind, changed[1])
                count += 1

    def _claim(self, text: str, label: int, kind: str, wrong: tuple[int, int] | None = None) -> Claim:
        identity = f"{self._identity}-{kind or 'true'}"
        return Claim(
            identity, text, self._evidence, label, self._source.name, self._source.group, kind, wrong
        )


def _nothing(text: str, rng: random.Random) -> None:
    """A kind whose changes the maker has at hand."""


LEARNED: dict[str, Change] = {**CHANGES, "answer": _nothing}
UNLEARNED: dict[str, Change] = dict(UNSEEN)


def read_rgb_claims(folder: Path, seed: int = SEED) -> Iterator[Claim]:
    """RGB's gold answers in their questions (1), and the same with the answer of another question,
    RGB's own false answer, or one number, date, unit, name or negation changed (0). Of the half of the
    questions that nothing is fitted on."""
    rng = random.Random(seed)
    for part in ("zh_refine", "zh_int", "zh_fact", "en_fact"):
        lines = (folder / f"rgb/{part}.dev.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        for row in filter(lambda row: is_reported(row["query"]), rows):
            yield from _rgb_row(row, rows, part, rng)


def _rgb_row(row: dict, rows: list[dict], part: str, rng: random.Random) -> Iterator[Claim]:
    forms = answer_forms(row["answer"])
    passages = [text for item in row["positive"] for text in (item if isinstance(item, list) else [item])]
    passages = [p for p in passages if any(form in p for form in forms[0])][:3] or passages[:3]
    if not passages:
        return
    evidence = "\n".join(passages)
    source = f"rgb {'zh' if part.startswith('zh') else 'en'}"

    def claim(text: str, label: int, kind: str) -> Iterator[Claim]:
        if not is_copy(text, evidence):
            yield Claim(
                f"{part}-{row['id']}-{kind}", text, evidence, label, source, f"{part}-{row['id']}", kind
            )

    said = [form for form in forms[0] if form in evidence] or forms[0]
    true = join_answer(row["query"], said[0], rng)
    yield from claim(true, 1, "")
    yield from claim(join_answer(row["query"], forms[0][-1], rng), 1, "other form")
    others = [a for r in rows if r is not row for a in answer_forms(r["answer"])[0][:1]]
    others = [a for a in others if _is_alike(a, said[0]) and a not in evidence]
    wrong = [row["fakeanswer"]] if isinstance(row.get("fakeanswer"), str) else []
    if others:
        wrong.append(rng.choice(others))
    for at, text in enumerate(w for w in wrong if w not in evidence):
        yield from claim(join_answer(row["query"], text, rng), 0, f"entity{at}")
    for kind in ("number", "date", "unit", "negation"):
        at = true.find(said[0])
        changed = CHANGES[kind](said[0], rng) if kind != "negation" else CHANGES[kind](true, rng)
        if changed and kind != "negation":
            changed = (true[:at] + changed[0] + true[at + len(said[0]) :], changed[1])
        if changed:
            yield from claim(changed[0], 0, kind)


def answer_forms(answer) -> list[list[str]]:
    """Groups of answers; each group lists forms of one answer."""
    parts = [answer] if isinstance(answer, str) else answer
    return [[part] if isinstance(part, str) else list(part) for part in parts]


def _squad(path: Path, name: str) -> list[Source]:
    found = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        group = str(article.get("title") or article["paragraphs"][0]["context"][:60])
        for paragraph in article["paragraphs"]:
            asked = [(q["question"], q["answers"][0]["text"]) for q in paragraph["qas"] if q.get("answers")]
            found.append(Source(name, group, paragraph["context"], tuple(asked)))
    return found


def _is_alike(one: str, other: str) -> bool:
    """Answers of one type: both with digits or neither, and of like length."""
    digits = [any(c.isdigit() for c in text) for text in (one, other)]
    return (
        digits[0] == digits[1]
        and one != other
        and one not in other
        and other not in one
        and (len(one) <= 3 * len(other) and len(other) <= 3 * len(one))
    )


def _span_of(text: str, part: str) -> tuple[int, int] | None:
    at = text.find(part)
    return (at, at + len(part)) if at >= 0 else None
