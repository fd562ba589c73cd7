"""What is indexed and asked: two libraries of passages, and questions with their passage.

The Chinese library is every paragraph of CMRC 2018, DRCD and XQuAD with RGB's news passages
beside them; the English one is XQuAD filled up with abstracts (Cranfield, CACM) and TAT-QA's
pages. Knows the public sets by their converters; knows nothing of systems or measures.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.peers.protocol import Passage
from evals.beir import RetrievalSet
from evals.datasets.abstracts import convert_cacm, convert_cranfield
from evals.datasets.rgb import convert_rgb
from evals.datasets.squad import convert_cmrc, convert_drcd, convert_xquad
from evals.datasets.tables import convert_tatqa

LIBRARY_OF_SET = {
    "xquad-zh-zh": "zh",
    "xquad-en-en": "en",
    "xquad-zh-en": "en",
    "xquad-en-zh": "zh",
    "cmrc2018": "zh",
    "drcd": "zh",
}
# Shorter texts are bare titles, which nothing can be asked of.
LEAST_CHARS = 200


@dataclass(frozen=True, slots=True)
class Question:
    """`gold` is the id of the one passage that answers it."""

    set: str
    id: str
    text: str
    gold: str

    @property
    def library(self) -> str:
        """Where it is asked."""
        return LIBRARY_OF_SET[self.set]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one run indexes and asks."""

    libraries: dict[str, list[Passage]]
    questions: list[Question]

    def contents(self) -> dict[str, dict]:
        """For the record: how many passages of which source, and their ids."""
        found: dict[str, dict] = {}
        for library, passages in self.libraries.items():
            sources: dict[str, list[str]] = {}
            for passage in passages:
                source, _, name = passage.id.partition(":")
                sources.setdefault(source, []).append(name)
            lists = {source: {"passages": len(ids), "ids": " ".join(ids)} for source, ids in sources.items()}
            found[library] = {"passages": len(passages), "sources": lists}
        return found


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it: questions of each set, and passages of each library (0: all)."""

    questions: int
    chinese: int
    english: int
    seed: int


def read_plan(data: Path, size: Size) -> Plan:
    """The run over the public sets in the folder `data`.

    Raises:
        OSError: a set's folder is not there.
    """
    asked = {s.name: s for s in (*convert_xquad(data / "xquad"), *convert_cmrc(data / "cmrc2018"))}
    asked |= {s.name: s for s in convert_drcd(data / "drcd")}
    questions = [q for name in LIBRARY_OF_SET for q in sample_questions(asked[name], size)]
    held = {library: list(_passages(_sets_of(asked, library))) for library in ("zh", "en")}
    others = {"zh": list(convert_rgb(data / "rgb")), "en": list(_english_distractors(data))}
    wanted = {"zh": size.chinese, "en": size.english}
    needed = {question.gold for question in questions}
    libraries = {}
    for library, own in held.items():
        spare = list(_passages(others[library]))
        libraries[library] = fill_library(own, spare, needed, wanted[library], size.seed)
    return Plan(libraries, questions)


def sample_questions(data: RetrievalSet, size: Size) -> list[Question]:
    """The same places in sets of the same length, so that XQuAD is asked the same in both
    languages."""
    count = min(size.questions, len(data.queries))
    places = random.Random(size.seed).sample(range(len(data.queries)), count)
    return [
        Question(data.name, query.id, query.text, f"{_source(data.name)}:{next(iter(query.gains))}")
        for query in (data.queries[place] for place in places)
    ]


def fill_library(
    own: Sequence[Passage], distractors: Sequence[Passage], needed: set[str], size: int, seed: int
) -> list[Passage]:
    """Own passages, those that a question needs first, then distractors in random order until
    there are `size` (0: all). A distractor whose text is there already is left out: it could
    be the answer. The result is shuffled, so that no place tells the source."""
    rng = random.Random(seed)
    kept = sorted(own, key=lambda passage: passage.id not in needed)
    seen = {_bare(passage.text) for passage in kept}
    spare = [p for p in distractors if _bare(p.text) not in seen and len(p.text) >= LEAST_CHARS]
    rng.shuffle(spare)
    chosen = [*kept, *spare]
    chosen = chosen[:size] if size else chosen
    rng.shuffle(chosen)
    return chosen


def _sets_of(asked: dict[str, RetrievalSet], library: str) -> Iterator[RetrievalSet]:
    """The sets whose paragraphs make up a library, each paragraph file once."""
    seen = set()
    for name, where in LIBRARY_OF_SET.items():
        if where == library and _source(name) not in seen:
            seen.add(_source(name))
            yield asked[name]


def _english_distractors(data: Path) -> Iterator[RetrievalSet]:
    yield from convert_cranfield(data / "cranfield")
    yield from convert_cacm(data / "cacm")
    yield from (s for s in convert_tatqa(data / "tatqa") if s.name == "tatqa-text")


def _passages(sets: Iterable[RetrievalSet]) -> Iterator[Passage]:
    """Each text once."""
    seen = set()
    for data in sets:
        for document in data.documents:
            text = f"{document.title}\n{document.text}".strip()
            if text and _bare(text) not in seen:
                seen.add(_bare(text))
                yield Passage(f"{_source(data.name)}:{document.id}", text)


def _source(name: str) -> str:
    """`xquad-zh-en` asks in Chinese over English paragraphs: its passages are `xquad-en`."""
    return f"xquad-{name.rpartition('-')[2]}" if name.startswith("xquad-") else name


def _bare(text: str) -> str:
    return "".join(text.split())
